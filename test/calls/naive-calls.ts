/**
 * The rules of a call's life once more, as plainly as they can be said: a list that is looked through for everything. It shares no
 * code with `src/calls`. Ticks are at whole seconds, so that what is due at a tick is due by the rules too.
 */
const SECOND = 1000;
const T64 = 32 * SECOND;

type State = "judged" | "setup" | "answered" | "leaving" | "over";
type By = "caller" | "called" | "filter";

export interface NaiveCall {
  readonly id: string;
  readonly trunk: string;
  key: string | undefined;
  state: State;
  readonly begun: number;
  /** Beginning, answer or end: from when on 64·T1 count. */
  since: number;
  patience: number;
  readonly dialogs: { tag: string; stands: boolean }[];
  lastBye: string | undefined;
  bye: { by: By; cause: number | undefined; at: number } | undefined;
  ringing: number | undefined;
  answered: number | undefined;
  hasEnded: boolean;
  isGivenUp: boolean;
  isUnconfirmed: boolean;
  isCounted: boolean;
}

export interface NaiveCalls {
  readonly calls: NaiveCall[];
  readonly told: string[];
  find(key: string, now: number): NaiveCall | undefined;
  begin(id: string, key: string, trunk: string, now: number): NaiveCall;
  message(call: NaiveCall, step: string, now: number): void;
  tick(now: number): void;
  channels(trunk: string): number;
  /** The process ends and another one begins with what a snapshot keeps. */
  restart(now: number): void;
}

function sessionEnd(seconds: number, now: number): number {
  return seconds > 0 ? now + seconds * SECOND + 32 * SECOND : Infinity;
}

/** Answers to a BYE after which the dialog stands: the other side wants credentials, or refuses the request itself. */
const standsAfter: ReadonlySet<number> = new Set([
  400, 401, 407, 413, 414, 415, 416, 420, 421, 483, 493, 494, 513,
]);

export function createNaiveCalls(longest: number, start: number): NaiveCalls {
  const calls: NaiveCall[] = [];
  const told: string[] = [];
  let confirmedBy = 0;

  const tell = (kind: string, call: NaiveCall, words: readonly string[], at: number): void => {
    told.push([kind, call.id, ...words, "@", `${at - start}`].join(" "));
  };
  const remove = (call: NaiveCall): void => void calls.splice(calls.indexOf(call), 1);

  const end = (call: NaiveCall, now: number, at: number, words: readonly string[]): void => {
    const more = [
      ...(call.ringing === undefined ? [] : ["ringing", `${call.ringing}`]),
      ...(call.answered === undefined ? [] : ["answered", `${call.answered}`]),
    ];
    if (!call.hasEnded) tell("ended", call, ["by", ...words, ...more], at);
    call.hasEnded = true;
    const isOld = call.state !== "setup" && now >= call.since + T64;
    call.state = "over";
    call.since = now;
    if (isOld) remove(call);
  };
  const endByBye = (call: NaiveCall, now: number): void => {
    const { bye } = call;
    if (bye === undefined) throw new Error("no BYE");
    end(call, now, bye.at, [
      bye.by,
      "released",
      "200",
      ...(bye.cause === undefined ? [] : ["cause", `${bye.cause}`]),
    ]);
  };
  const confirm = (call: NaiveCall): void => {
    call.isUnconfirmed = false;
    call.isCounted = true;
  };
  const giveUp = (call: NaiveCall, by: By, cause: number | undefined, now: number): void => {
    if (call.isGivenUp) return;
    call.isGivenUp = true;
    call.bye = { by, cause, at: now };
    call.patience = now + T64;
  };

  const answer = (call: NaiveCall, tag: string, seconds: number, now: number): void => {
    if (call.state === "judged") return;
    confirm(call);
    if (call.dialogs.some((dialog) => dialog.tag === tag) || call.dialogs.length === 6) return;
    call.dialogs.push({ tag, stands: true });
    const isFresh = call.state === "setup" || call.state === "over";
    const expiry = sessionEnd(seconds, now);
    call.patience = isFresh ? expiry : Math.max(expiry, call.patience);
    if (isFresh) call.since = now;
    if (call.state === "setup") {
      call.answered = now - call.begun;
      if (!call.hasEnded) tell("answered", call, [], now);
    }
    call.state = "answered";
  };

  const bye = (call: NaiveCall, by: By, tag: string, cause: number | undefined, now: number): void => {
    if (call.state === "setup") {
      confirm(call);
      if (by !== "called") giveUp(call, by, cause, now);
    }
    if (call.state !== "answered") return;
    const dialog =
      call.dialogs.find((one) => one.tag === tag) ??
      (call.dialogs.length === 1 ? call.dialogs[0] : undefined);
    confirm(call);
    if (dialog === undefined || !dialog.stands) return;
    dialog.stands = false;
    call.lastBye = dialog.tag;
    if (call.dialogs.some(({ stands }) => stands)) return;
    call.state = "leaving";
    call.bye = { by, cause, at: now };
  };

  const left = (call: NaiveCall, status: number, now: number): void => {
    if (status < 200 || (call.state !== "leaving" && call.state !== "answered")) return;
    const dialog = call.dialogs.find(({ tag }) => tag === call.lastBye);
    call.lastBye = undefined;
    if (dialog !== undefined && standsAfter.has(status)) {
      dialog.stands = true;
      call.state = "answered";
      call.isCounted = true;
    } else if (call.state === "leaving") endByBye(call, now);
  };

  const provisional = (call: NaiveCall, isAlerting: boolean, now: number): void => {
    if (call.state !== "setup") return;
    confirm(call);
    if (!call.isGivenUp) call.patience = now + 240 * SECOND;
    if (!isAlerting || call.ringing !== undefined) return;
    call.ringing = now - call.begun;
    tell("ringing", call, [], now);
  };

  const forward = (call: NaiveCall, now: number): void => {
    if (call.state !== "judged" && call.state !== "setup") return;
    const patience = now + T64;
    if (call.state === "judged") call.patience = patience;
    else if (!call.isGivenUp) call.patience = Math.max(call.patience, patience);
    if (call.state === "judged") call.isCounted = true;
    call.state = "setup";
  };

  const isTalking = (call: NaiveCall): boolean => ["setup", "answered", "leaving"].includes(call.state);

  return {
    calls,
    told,
    find: (key, now) =>
      calls.find((call) => call.key === key && (call.state === "setup" || now < call.since + T64)),
    begin(id, key, trunk, now) {
      for (const call of calls) if (call.key === key) call.key = undefined;
      const call: NaiveCall = {
        id,
        trunk,
        key,
        state: "judged",
        begun: now,
        since: now,
        patience: 0,
        dialogs: [],
        lastBye: undefined,
        bye: undefined,
        ringing: undefined,
        answered: undefined,
        hasEnded: false,
        isGivenUp: false,
        isUnconfirmed: false,
        isCounted: false,
      };
      calls.push(call);
      return call;
    },
    message(call, step, now) {
      const [word = "", first = "", second = "", cause] = step.split(" ");
      if (word === "forwarded") forward(call, now);
      else if (word === "180" || word === "183") provisional(call, word === "180", now);
      else if (word === "200") answer(call, first, Number(second), now);
      else if (word === "left") left(call, Number(first), now);
      else if (word === "bye")
        bye(
          call,
          first === "called" || first === "filter" ? first : "caller",
          second,
          cause === undefined ? undefined : Number(cause),
          now,
        );
      else if (word === "486" && isTalking(call))
        end(call, now, now, ["called", "refused", "486", "cause", "17"]);
      else if (word === "487" && isTalking(call)) end(call, now, now, ["caller", "cancelled", "487"]);
      else if (word === "cancel" && call.state === "setup") {
        confirm(call);
        giveUp(call, "caller", undefined, now);
      } else if (word === "seen" && (call.state === "setup" || call.state === "answered")) confirm(call);
      else if (word === "refreshed" && call.state === "answered") {
        confirm(call);
        call.patience = sessionEnd(Number(first), now);
      }
    },
    tick(now) {
      for (const call of calls.toReversed()) {
        const isOld = now >= call.since + T64;
        if ((call.state === "judged" || call.state === "over") && isOld) remove(call);
        else if (call.state === "setup" && now >= call.patience) {
          const { bye: by } = call;
          if (!call.isGivenUp || by === undefined) end(call, now, now, ["filter", "timed-out"]);
          else
            end(call, now, now, [
              by.by,
              "cancelled",
              ...(by.cause === undefined ? [] : ["cause", `${by.cause}`]),
            ]);
        } else if (call.state === "answered" && now >= call.since + longest)
          end(call, now, now, ["filter", "lost", "200"]);
        else if (call.state === "answered" && now >= call.patience)
          end(call, now, now, ["filter", "timed-out", "200"]);
        else if (call.state === "leaving" && now >= (call.bye?.at ?? 0) + T64) endByBye(call, now);
        if (call.isUnconfirmed && now >= confirmedBy) call.isCounted = false;
      }
    },
    channels: (trunk) =>
      calls.filter(
        (call) =>
          call.trunk === trunk && call.isCounted && (call.state === "setup" || call.state === "answered"),
      ).length,
    restart(now) {
      confirmedBy = now + 1800 * SECOND;
      for (const call of calls.toReversed()) {
        if (!isTalking(call)) remove(call);
        call.key = undefined;
        // What was given up stays given up.
        call.isCounted ||= !call.isUnconfirmed || call.state === "leaving";
        call.isUnconfirmed = true;
        call.patience = Math.max(call.patience, now + T64);
        if (call.state === "setup") call.patience = Math.min(call.patience, now + 240 * SECOND);
      }
    },
  };
}
