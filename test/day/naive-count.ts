// The naive count of channels and ends.
/**
 * The naive count: what each call did, as somebody sees it who reads the wire beside the filter and knows the RFCs. It shares no
 * code with `src/calls`. The simulation says which call a message belongs to, so nothing is parsed and nothing is looked up.
 */
const SECOND = 1000;
/** 64·T1 (RFC 3261). */
const T64 = 32 * SECOND;
/** A minute above timer C. */
const SILENCE = 240 * SECOND;
const UNCONFIRMED = 1800 * SECOND;
/** What time does, the filter does at its next look: within a second, and a tick. */
export const SLACK = 1200;

export type By = "caller" | "called" | "filter";

/** A message that is about to reach the filter. */
export type Said =
  | { readonly what: "invite" | "cancel" | "request" | "other" }
  | { readonly what: "answer"; readonly status: number; readonly tag: string; readonly session: number }
  | { readonly what: "bye"; readonly by: By; readonly tag: string; readonly id: string }
  | { readonly what: "bye-answer"; readonly tag: string; readonly status: number; readonly id: string }
  | { readonly what: "refreshed"; readonly session: number };

/** What the filter sent because of one message or tick, for one call. */
export interface Done {
  /** Where INVITEs without a To tag went. */
  readonly invitesTo: readonly string[];
  /** Statuses of answers to that INVITE that went to the caller. */
  readonly toCaller: readonly number[];
}

export interface End {
  readonly by: By;
  readonly how: string;
  readonly status: number | undefined;
  readonly at: number;
}

export interface NaiveCall {
  readonly trunk: string;
  state: "new" | "setup" | "answered" | "leaving" | "over";
  isHeld: boolean;
  begun: number;
  hop: string;
  ringing: number | undefined;
  answered: number | undefined;
  end: End | undefined;
  /** Due time of what it waits for, and the session and the longest time of an answered call. */
  due: number;
  session: number;
  isGivenUp: boolean;
  readonly stands: Set<string>;
  readonly known: Set<string>;
  /** The last BYE, and its dialog. */
  bye: { by: By; at: number; tag: string } | undefined;
  isUnconfirmed: boolean;
  /** A kill took messages of it, and when. */
  lostAt: number | undefined;
  /** It was in set-up at a kill: its transaction is not known behind it. */
  wasCut: boolean;
  /** A message met it while it was falling due. */
  isRaced: boolean;
  fuzzyUntil: number;
}

export interface TrunkCount {
  held: number;
  /** Calls that fall due just now. */
  fuzzy: number;
}

export interface NaiveCount {
  readonly trunks: ReadonlyMap<string, TrunkCount>;
  open(trunk: string): NaiveCall;
  note(call: NaiveCall, said: Said, done: Done): void;
  /** What time made the filter send. */
  noteOwn(call: NaiveCall, done: Done): void;
  /** A snapshot was taken. */
  saved(): void;
  /** The filter starts again out of the last snapshot. @returns calls whose messages came behind it */
  restart(): readonly NaiveCall[];
}

export function createNaiveCount(
  time: { readonly now: number; at(time: number, step: () => void): void },
  longest: (trunk: string) => number,
): NaiveCount {
  const trunks = new Map<string, TrunkCount>();
  const alive = new Set<NaiveCall>();
  /** Calls of which a message came since the last snapshot. */
  const touched = new Set<NaiveCall>();
  let confirmedBy = 0;

  const countOf = (trunk: string): TrunkCount => {
    let count = trunks.get(trunk);
    if (count === undefined) trunks.set(trunk, (count = { held: 0, fuzzy: 0 }));
    return count;
  };

  const hold = (call: NaiveCall, isHeld: boolean): void => {
    if (call.isHeld === isHeld) return;
    call.isHeld = isHeld;
    countOf(call.trunk).held += isHeld ? 1 : -1;
  };

  /** The channel is given back by time alone: the filter may take a second more for it. */
  const letGo = (call: NaiveCall): void => {
    if (!call.isHeld) return;
    hold(call, false);
    const count = countOf(call.trunk);
    count.fuzzy++;
    call.fuzzyUntil = time.now + SLACK;
    time.at(call.fuzzyUntil, () => count.fuzzy--);
  };

  const end = (call: NaiveCall, by: By, how: string, status: number | undefined, at = time.now): void => {
    call.state = "over";
    alive.delete(call);
    call.end ??= { by, how, status, at };
  };

  const limitOf = (call: NaiveCall): number => (call.answered ?? 0) + call.begun + longest(call.trunk);

  const dueOf = (call: NaiveCall): number =>
    call.state === "answered" ? Math.min(call.session, limitOf(call)) : call.due;

  const watch = (call: NaiveCall): void => {
    const due = dueOf(call);
    if (Number.isFinite(due)) time.at(due, () => expire(call, due));
  };

  const expire = (call: NaiveCall, due: number): void => {
    if (call.state === "new" || call.state === "over" || dueOf(call) !== due) return;
    touched.add(call);
    call.fuzzyUntil = time.now + SLACK;
    letGo(call);
    if (call.state === "leaving") end(call, call.bye?.by ?? "caller", "released", 200, call.bye?.at);
    else if (call.state === "setup")
      end(call, call.isGivenUp ? "caller" : "filter", call.isGivenUp ? "cancelled" : "timed-out", undefined);
    else end(call, "filter", time.now >= limitOf(call) ? "lost" : "timed-out", 200);
  };

  const wait = (call: NaiveCall, until: number): void => {
    call.due = until;
    watch(call);
  };

  const confirm = (call: NaiveCall): void => {
    if (!call.isUnconfirmed) return;
    call.isUnconfirmed = false;
    if (call.state === "setup" || call.state === "answered") hold(call, true);
  };

  const takeInvites = (call: NaiveCall, invitesTo: readonly string[]): void => {
    for (const place of invitesTo) {
      if (place === call.hop) continue;
      call.hop = place;
      if (call.state === "new") {
        call.state = "setup";
        call.begun = time.now;
        alive.add(call);
        hold(call, true);
        wait(call, time.now + T64);
      } else if (call.state === "setup" && !call.isGivenUp) wait(call, Math.max(call.due, time.now + T64));
    }
  };

  /** A final answer that is no 2xx went to the caller: the transaction is over, unless a 2xx went before. */
  const refuse = (call: NaiveCall, status: number, isOurs: boolean): void => {
    // The filter says at the end of its patience that it is over.
    if (isOurs && call.state === "over" && time.now <= call.fuzzyUntil && call.end?.status === undefined)
      call.end = undefined;
    else if (call.state !== "setup") return;
    hold(call, false);
    if (isOurs) end(call, "filter", status === 408 ? "timed-out" : "refused", status);
    else if (status === 487) end(call, "caller", "cancelled", status);
    else end(call, "called", "refused", status);
  };

  const sessionEnd = (seconds: number): number =>
    seconds > 0 ? time.now + seconds * SECOND + T64 : Infinity;

  const answer = (call: NaiveCall, tag: string, session: number): void => {
    confirm(call);
    if (call.known.has(tag)) return;
    const expires = sessionEnd(session);
    const isFirst = call.known.size === 0;
    call.known.add(tag);
    call.stands.add(tag);
    call.session = isFirst ? expires : Math.max(call.session, expires);
    if (isFirst) call.answered = time.now - call.begun;
    call.state = "answered";
    alive.add(call);
    hold(call, true);
    watch(call);
  };

  const leave = (call: NaiveCall, by: By, tag: string): void => {
    confirm(call);
    if (call.state !== "answered" || !call.stands.delete(tag) || call.stands.size > 0) return;
    call.state = "leaving";
    call.bye = { by, at: time.now, tag };
    hold(call, false);
    wait(call, time.now + T64);
  };

  const left = (call: NaiveCall, status: number, tag: string): void => {
    if (status < 200) return;
    if (status === 401 || status === 407) {
      if (call.state === "over") return;
      call.stands.add(tag);
      call.state = "answered";
      hold(call, true);
      watch(call);
    } else if (call.state === "leaving" && call.bye?.tag === tag)
      end(call, call.bye.by, "released", 200, call.bye.at);
  };

  return {
    trunks,
    open(trunk) {
      countOf(trunk);
      return {
        trunk,
        state: "new",
        isHeld: false,
        begun: 0,
        hop: "",
        ringing: undefined,
        answered: undefined,
        end: undefined,
        due: 0,
        session: Infinity,
        isGivenUp: false,
        stands: new Set(),
        known: new Set(),
        bye: undefined,
        isUnconfirmed: false,
        lostAt: undefined,
        wasCut: false,
        isRaced: false,
        fuzzyUntil: 0,
      };
    },
    note(call, said, { invitesTo, toCaller }) {
      if (time.now <= call.fuzzyUntil && said.what !== "other") call.isRaced = true;
      takeInvites(call, invitesTo);
      if (call.state === "new") return;
      if (said.what !== "other") touched.add(call);
      const [status] = toCaller;
      if (said.what === "invite") {
        if (status !== undefined && status >= 300) refuse(call, status, true);
      } else if (said.what === "answer") {
        if (status === undefined) return;
        if (status >= 300) refuse(call, status, false);
        else if (status >= 200) answer(call, said.tag, said.session);
        else if (call.state === "setup") {
          confirm(call);
          if (status === 180) call.ringing ??= time.now - call.begun;
          if (!call.isGivenUp) wait(call, time.now + SILENCE);
        }
      } else if (said.what === "cancel") {
        // Behind a kill nobody knows the transaction of an INVITE: its final answer says how it ended.
        if (call.state !== "setup" || call.isGivenUp || call.wasCut) return;
        call.isGivenUp = true;
        wait(call, time.now + T64);
      } else if (said.what === "bye") leave(call, said.by, said.tag);
      else if (said.what === "bye-answer") left(call, said.status, said.tag);
      else if ((said.what === "request" || said.what === "refreshed") && call.state === "answered") {
        confirm(call);
        // RFC 4028 section 7.2: the interval is that of the last 2xx to an INVITE or UPDATE; without one it does not expire.
        if (said.what === "refreshed") call.session = sessionEnd(said.session);
        watch(call);
      }
    },
    noteOwn(call, { invitesTo, toCaller }) {
      takeInvites(call, invitesTo);
      touched.add(call);
      for (const status of toCaller) if (status >= 300) refuse(call, status, true);
    },
    saved() {
      for (const call of touched) if (time.now > call.fuzzyUntil) touched.delete(call);
    },
    restart() {
      const lost = [...touched];
      confirmedBy = time.now + UNCONFIRMED;
      for (const call of alive) {
        const wasGivenUp = call.isUnconfirmed && !call.isHeld;
        call.isUnconfirmed = true;
        if (call.state === "setup") {
          call.wasCut = true;
          wait(call, Math.min(Math.max(call.due, time.now + T64), time.now + SILENCE));
        } else if (call.state === "answered") {
          if (!wasGivenUp) hold(call, true);
          call.session = Math.max(call.session, time.now + T64);
          watch(call);
        }
      }
      const by = confirmedBy;
      time.at(by, () => {
        if (confirmedBy !== by) return;
        for (const call of alive) if (call.isUnconfirmed) letGo(call);
      });
      for (const call of lost) call.lostAt = time.now;
      touched.clear();
      return lost;
    },
  };
}
