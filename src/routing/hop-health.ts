import type { Millis } from "../domain/time.ts";
import type { NextHopHealth } from "../policy/policy.ts";
import type { Listener, Target } from "./listener.ts";

/** `unknown`: it has neither answered nor failed yet; calls go there as if it were up. */
export type HopState = "unknown" | "up" | "down";

/** One address that calls may be sent to, and what is known of it: shared by all trunks and names that lead there. */
export interface Destination extends Target {
  /** "udp:192.0.2.1:5060": it keeps its state through reloads and look-ups by this. */
  readonly key: string;
  /** What it is told apart by when calls are shared out. */
  readonly seed: number;
  /** Where it is probed from; undefined: no listener of its transport and family, so nothing reaches it. */
  readonly listener: Listener | undefined;
  state: HopState;
  /** OPTIONS in a row that were not answered well. */
  misses: number;
  /** INVITEs in a row that met silence or 503. */
  refusals: number;
  /** INVITEs since the last answer, and when the first of them was sent. */
  unanswered: number;
  unansweredSince: Millis;
  /** Good answers in a row while down. */
  answers: number;
  /** When it became what it is. */
  since: Millis;
  /** How often it went down without staying up for long in between. */
  falls: number;
  /** MAC of the OPTIONS under way; "": none. */
  probe: string;
  probedAt: Millis;
  nextProbe: Millis;
  /** OPTIONS sent since it went down. */
  attempts: number;
}

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
    // The first OPTIONS of all of them are spread over a second.
    nextProbe: now + (seed % 1000),
    attempts: 0,
  };
}

/** An INVITE was sent there. */
export function noteInvite(hop: Destination, now: Millis): void {
  if (hop.unanswered++ === 0) hop.unansweredSince = now;
}

/** An INVITE that was noted was not sent after all. */
export function withdrawInvite(hop: Destination): void {
  if (hop.unanswered > 0) hop.unanswered--;
}

/** Any answer to a request of a call but a 503. True when the state changed. */
export function noteAnswer(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.unanswered = 0;
  hop.refusals = 0;
  return noteLife(hop, now, health);
}

/** A good answer to an OPTIONS. Whoever answers these and is silent to calls is down all the same, so what calls met stands. */
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
  // One that falls again and again must be well for longer each time.
  const isSettled = now - hop.since >= backOff(health, hop.falls - 2);
  if (hop.state === "down" && (hop.answers < health.answersUntilUp || !isSettled)) return false;
  enter(hop, "up", now);
  return true;
}

/** An OPTIONS that met silence, 408 or 503. True when the state changed. */
export function noteProbeMiss(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.probe = "";
  hop.answers = 0;
  hop.misses++;
  if (hop.misses >= health.missesUntilDown && goDown(hop, now, health)) return true;
  // In doubt it is asked again at once, and ever more rarely while it is down.
  hop.nextProbe = hop.state === "down" ? now + spread(hop, backOff(health, ++hop.attempts)) : now;
  return false;
}

/** A 503 to an INVITE. True when the state changed. */
export function noteRefusal(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  hop.unanswered = 0;
  return addRefusals(hop, 1, now, health);
}

/** Counts INVITEs that have met no answer of any kind for too long. True when the state changed. */
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
  // A quiet trunk has too few calls to tell: the next OPTIONS does.
  if (hop.state !== "down") hop.nextProbe = Math.min(hop.nextProbe, now);
  return false;
}

/** What nothing can be sent to is down. True when the state changed. */
export function goDown(hop: Destination, now: Millis, health: NextHopHealth): boolean {
  if (hop.state === "down") return false;
  const wasBrief = hop.state === "up" && now - hop.since < health.longestInterval;
  hop.falls = wasBrief || hop.state === "unknown" ? hop.falls + 1 : 1;
  enter(hop, "down", now);
  hop.attempts = 0;
  hop.nextProbe = now + spread(hop, health.interval);
  return true;
}

/** Where nobody probes, one that is down is tried again after a while. True when the state changed. */
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

/** The interval, doubled `times` times; none for less than no times. */
function backOff({ interval, longestInterval }: NextHopHealth, times: number): Millis {
  return times < 0 ? 0 : Math.min(interval * 2 ** Math.min(times, 30), longestInterval);
}

/** Nine to eleven tenths, by destination: what began together does not stay together. */
function spread(hop: Destination, interval: Millis): Millis {
  return interval * (0.9 + (hop.seed % 201) / 1000);
}
