// Whether a next hop is up: what probes and calls say about one address.
import type { Millis } from "../domain/time.ts";
import type { NextHopHealth } from "../policy/policy.ts";
import type { Listener, Target } from "./listener.ts";

/** `unknown`: it has neither answered nor failed yet. Calls go there as if it were up. */
export type HopState = "unknown" | "up" | "down";

/**
 * One address that calls may be sent to, and its state. All trunks and host names that lead there
 * share it.
 */
export interface Destination extends Target {
  /**
   * "udp:192.0.2.1:5060". Reloads and DNS look-ups find the destination again by this key, so its
   * state is kept.
   */
  readonly key: string;
  /** Hash of the key, for the weighted choice and to spread probes in time. */
  readonly seed: number;
  /**
   * Listener that reaches it. Undefined: no listener of its transport and address family, so
   * nothing reaches it. A reload may give it another one.
   */
  listener: Listener | undefined;
  state: HopState;
  /** OPTIONS in a row without a good answer. */
  misses: number;
  /** INVITEs in a row that met silence or 503. */
  refusals: number;
  /** INVITEs since the last answer, and when the first of them was sent. */
  unanswered: number;
  unansweredSince: Millis;
  /** Good answers in a row while down. */
  answers: number;
  /** When it entered its state. */
  since: Millis;
  /** How often in a row it went down without a long time up in between. */
  falls: number;
  /** MAC of the OPTIONS in progress. Empty: none. */
  probe: string;
  probedAt: Millis;
  nextProbe: Millis;
  /** OPTIONS that failed since it went down. */
  attempts: number;
  /**
   * Until when it asked for no requests (Retry-After); 0: it did not. While another one can take the
   * calls, it gets neither calls nor OPTIONS.
   */
  restsUntil: Millis;
}

/** Makes a destination. Without a listener it is down at once. */
export function createDestination(
  target: Target,
  key: string,
  seed: number,
  listener: Listener | undefined,
  now: Millis,
): Destination {
  return {
    transport: target.transport,
    address: target.address,
    port: target.port,
    key,
    seed,
    listener,
    state: listener === undefined ? "down" : "unknown",
    misses: 0,
    refusals: 0,
    unanswered: 0,
    unansweredSince: 0,
    answers: 0,
    since: now,
    falls: 0,
    probe: "",
    probedAt: 0,
    // The first OPTIONS to all destinations are spread over a second.
    nextProbe: now + (seed % 1000),
    attempts: 0,
    restsUntil: 0,
  };
}

/**
 * Notes that it asked for no requests for so many seconds. A longer time that it asked for before stays.
 * @returns whether its rest begins now
 */
export function noteRetryAfter(
  hop: Destination,
  seconds: number,
  now: Millis,
  { longestRest }: NextHopHealth,
): boolean {
  const rest = Math.min(seconds * 1000, longestRest);
  if (rest <= 0) return false;
  const isNew = hop.restsUntil === 0;
  hop.restsUntil = Math.max(hop.restsUntil, now + rest);
  return isNew;
}

/**
 * Ends the rest whose time is over: the next OPTIONS follows at once.
 * @returns whether it ended now
 */
export function noteRested(hop: Destination, now: Millis, { longestRest }: NextHopHealth): boolean {
  if (hop.restsUntil === 0) return false;
  // The policy may have shortened it since.
  hop.restsUntil = Math.min(hop.restsUntil, now + longestRest);
  if (now < hop.restsUntil) return false;
  hop.restsUntil = 0;
  hop.nextProbe = Math.min(hop.nextProbe, now);
  return true;
}

/** Puts the next OPTIONS off, for it rests. */
export function postponeProbe(hop: Destination, now: Millis, { interval }: NextHopHealth): void {
  hop.nextProbe = Math.min(hop.restsUntil, now + interval);
}

/** Notes that an INVITE was sent there. */
export function noteInvite(hop: Destination, now: Millis): void {
  if (hop.unanswered++ === 0) hop.unansweredSince = now;
}

/** Takes back a noted INVITE that was not sent after all. */
export function withdrawInvite(hop: Destination): void {
  if (hop.unanswered > 0) hop.unanswered--;
}

/**
 * Notes any answer but 503 to a request of a call.
 * @returns whether the state changed
 */
export function noteAnswer(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.unanswered = 0;
  hop.refusals = 0;
  return noteLife(hop, now, health);
}

/**
 * Notes a good answer to an OPTIONS. Misses of calls still count: a hop that answers OPTIONS and
 * not calls is down.
 * @returns whether the state changed
 */
export function noteProbeAnswer(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.probe = "";
  const changed = noteLife(hop, now, health);
  hop.nextProbe =
    now + (hop.state === "down" ? Math.min(health.timeout, health.interval) : spread(hop, health.interval));
  return changed;
}

function noteLife(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.misses = 0;
  if (hop.state === "up") return false;
  hop.answers++;
  // A destination that fails repeatedly must be well for longer each time.
  const isSettled = now - hop.since >= backOff(health, hop.falls - 2);
  if (hop.state === "down" && (hop.answers < health.answersUntilUp || !isSettled)) return false;
  enter(hop, "up", now);
  return true;
}

/**
 * Notes an OPTIONS that met silence, 408 or 503.
 * @returns whether the state changed
 */
export function noteProbeMiss(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.probe = "";
  hop.answers = 0;
  hop.misses++;
  if (hop.misses >= health.missesUntilDown && goDown(hop, now, health)) return true;
  // While in doubt the next probe follows at once. While down, probes become ever rarer.
  hop.nextProbe = hop.state === "down" ? now + spread(hop, backOff(health, ++hop.attempts)) : now;
  return false;
}

/**
 * Notes a 503 to an INVITE.
 * @returns whether the state changed
 */
export function noteRefusal(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.unanswered = 0;
  return addRefusals(hop, 1, now, health);
}

/**
 * Counts INVITEs that have had no answer of any kind for too long.
 * @returns whether the state changed
 */
export function noteSilence(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  if (hop.unanswered === 0 || now - hop.unansweredSince < health.timeout) return false;
  const { unanswered } = hop;
  hop.unanswered = 0;
  return addRefusals(hop, unanswered, now, health);
}

function addRefusals(hop: Destination, count: number, now: Millis, health: NextHopHealth): boolean {
  hop.refusals += count;
  hop.answers = 0;
  if (hop.refusals >= health.missesUntilDown) return goDown(hop, now, health);
  // A quiet trunk has too few calls to tell, so the next OPTIONS decides.
  if (hop.state !== "down") hop.nextProbe = Math.min(hop.nextProbe, now);
  return false;
}

/**
 * Takes a destination down at once, because nothing can be sent to it.
 * @returns whether the state changed
 */
export function goDown(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  if (hop.state === "down") return false;
  const wasBrief = hop.state === "up" && now - hop.since < health.longestInterval;
  hop.falls = wasBrief || hop.state === "unknown" ? hop.falls + 1 : 1;
  enter(hop, "down", now);
  hop.attempts = 0;
  hop.nextProbe = now + spread(hop, health.interval);
  return true;
}

/**
 * Lets calls try a down destination again after a while, when probing is off.
 * @returns whether the state changed
 */
export function noteTime(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  if (health.probes || hop.state !== "down" || hop.listener === undefined) return false;
  if (now - hop.since < backOff(health, hop.falls - 1)) return false;
  enter(hop, "unknown", now);
  return true;
}

function enter(hop: Destination, state: HopState, now: Millis): void {
  hop.state = state;
  hop.since = now;
  hop.misses = 0;
  hop.refusals = 0;
  hop.unanswered = 0;
  hop.answers = 0;
}

/** Returns the interval, doubled `times` times; 0 when `times` is negative. */
function backOff({ interval, longestInterval }: NextHopHealth, times: number): Millis {
  return times < 0 ? 0 : Math.min(interval * 2 ** Math.min(times, 30), longestInterval);
}

/**
 * Returns 0.9 to 1.1 times the interval, by destination: probes that begin together drift apart.
 */
function spread(hop: Destination, interval: Millis): Millis {
  return interval * (0.9 + (hop.seed % 201) / 1000);
}
