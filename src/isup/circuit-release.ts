// Releases refused calls, and repeats REL until the circuit is idle or reset (Q.764 sections 2.3, 2.9).
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import type { Ss7Counters } from "../observe/ss7-counters.ts";
import { IsupType } from "../ss7/isup.ts";
import {
  codeOf,
  labelUnit,
  releaseComplete,
  resetCircuit,
  sealUnit,
  writeRelease,
  type ReleaseLocation,
} from "../ss7/m3ua-reply.ts";
import type { M3uaMessage } from "../ss7/m3ua.ts";
import type { Msu } from "../ss7/mtp3.ts";
import type { Circuit, CircuitRelease, Circuits, KeptMessage } from "./circuits.ts";
import { isBackward, isBeginning, isMaintenance } from "./message-kinds.ts";
import { across, type LinkIndex, type Links, type LinkSide, NO_LINK, type SendByLink } from "./links.ts";

/** How long REL waits for its RLC until it is sent again (Q.764 table A.1: T1, 15 to 60 s). */
export const T1: Millis = 15_000;
/**
 * How long a REL may have no RLC when its link is lost, until another link takes it. The RLC of a REL that arrived is on
 * its way by then: a REL sent at once could meet the next call on the circuit.
 */
export const RECOVERY: Millis = 1000;
/** How long it is repeated until the circuit is reset instead (T5, 5 to 15 min). */
export const T5: Millis = 300_000;
/** In place of the hash of a refused IAM: none was refused. Any IAM after that of an exchange that was heard is another call. */
export const NO_IAM = 0;
export const ANY_IAM = -1;
/** How long RSC waits (T17, 5 to 15 min). */
export const T17: Millis = 300_000;

/** Lines of the log about circuits without answer, at most so many in so long: a peer can leave thousands. */
const MOST_ALARMS = 20;
const ALARMS_EVERY: Millis = 60_000;

export interface CircuitReleaseParts {
  readonly circuits: Circuits;
  readonly counters: Ss7Counters;
  readonly links: Links;
  /** What REL says about where the call was released; undefined: transit. */
  readonly locationOf: (link: LinkIndex) => ReleaseLocation | undefined;
  readonly send: SendByLink;
  /** Takes a message for the operator: which circuit gets no answer to REL, and for how long. */
  readonly alarm: (message: string) => void;
}

/** A message as it was received, read. */
export interface ReceivedUnit {
  readonly message: M3uaMessage;
  readonly msu: Msu;
  readonly link: LinkIndex;
  readonly stream: number;
}

/** What a REL of the filter says. */
export interface ReleaseForm {
  /** True: the message that it answers came from the side that is released. */
  readonly turned: boolean;
  /** Cause of Q.850. */
  readonly cause: number;
  /** A hash of the IAM that is refused, {@link NO_IAM} or {@link ANY_IAM}. */
  readonly iam?: number | undefined;
  /** An IAM of the other exchange that this exchange has ignored. It is sent again once the circuit is idle. */
  readonly resend?: KeptMessage | undefined;
  /** Takes the first REL in place of its sending. Its repeats are sent as ever. */
  readonly hold?: SendByLink | undefined;
}

/** A REL to one side, without a message that it answers. */
export interface KeptRelease {
  /** The octets that messages to that side begin with. */
  readonly label: Buffer;
  readonly link: LinkIndex;
  readonly stream: number;
  readonly cause: number;
  /** {@link NO_IAM} or {@link ANY_IAM}. */
  readonly iam: number;
}

/** Where a message of the exchange of a refused call has come from: its answer goes back there. */
export interface CameBy {
  readonly link: LinkIndex;
  readonly stream: number;
  /** The type of the message, and a hash of its octets where it is an IAM. */
  readonly type: number;
  readonly iam: () => number;
  readonly now: Millis;
}

/** Releases refused calls, and absorbs later messages of their exchange (Q.764 sections 2.3, 2.9). */
export interface CircuitReleases {
  /**
   * Sends REL to `side`, and absorbs later messages of the call from there. Without a circuit, when the table is full,
   * REL is sent all the same.
   */
  release(
    unit: ReceivedUnit,
    circuit: Circuit | undefined,
    side: LinkSide,
    how: ReleaseForm,
    now: Millis,
  ): void;
  /** Sends REL for a call that passed, with the label of a message that was kept, and absorbs what follows. */
  releaseKept(circuit: Circuit, side: LinkSide, rel: KeptRelease, now: Millis): void;
  /** Remembers a refusal without REL to `side`, from which the message came. */
  ignore(
    unit: ReceivedUnit,
    circuit: Circuit,
    side: LinkSide,
    how: { readonly kind: "silent" | "yielding"; readonly iam: number },
    now: Millis,
  ): void;
  /**
   * Takes a message from the exchange of a refused call.
   *
   * @returns true when it is absorbed; false when it is handled like any other
   */
  absorb(refusal: CircuitRelease, by: CameBy): boolean;
  forget(refusal: CircuitRelease): void;
  /**
   * A link carries no more traffic to some point codes: what is released by it goes on by another link, which takes
   * REL again after {@link RECOVERY}. Where no link is left the refusal is forgotten.
   */
  handOver(link: LinkIndex, now: Millis): void;
  tick(now: Millis): void;
}

/**
 * True when the message shows that the exchange has left the refused call, though its RLC was not seen: it begins
 * another call, or it answers the call of the other exchange.
 */
function isPast({ circuit, side, iam, kind, since }: CircuitRelease, by: CameBy): boolean {
  if (by.type === IsupType.iam) {
    // Where no IAM was refused, one that crosses our REL belongs to a dual seizure, which REL ends.
    if (iam === NO_IAM) return by.now - since >= RECOVERY;
    return iam !== by.iam() && (kind !== "yielding" || circuit.calls[across(side)] === undefined);
  }
  return isBackward(by.type) && circuit.calls[across(side)] !== undefined;
}

export function createCircuitReleases({
  circuits,
  counters,
  links,
  locationOf,
  send,
  alarm,
}: CircuitReleaseParts): CircuitReleases {
  /**
   * In the order in which they are due: those that repeat REL, those whose link was lost, and those that have reset
   * their circuit or wait for nothing.
   */
  const repeating = new Set<CircuitRelease>();
  const recovering = new Set<CircuitRelease>();
  const waiting = new Set<CircuitRelease>();

  /** Lines about circuits without answer, in the minute that ends then, and what was left out. */
  const told = { until: 0, lines: 0, left: 0 };

  function tellUnanswered({ circuit: { key } }: CircuitRelease, now: Millis): void {
    if (now >= told.until) {
      if (told.left > 0) alarm(`${told.left} more circuits had no RLC in ${T5 / 1000} s, reset`);
      told.until = now + ALARMS_EVERY;
      told.lines = told.left = 0;
    }
    if (told.lines < MOST_ALARMS) {
      told.lines++;
      alarm(`circuit ${key}: no RLC in ${T5 / 1000} s, reset`);
    } else told.left++;
  }

  function keep(refusal: CircuitRelease): void {
    const { circuit, side } = refusal;
    const former = circuit.refusals[side];
    if (former !== undefined) drop(former);
    circuits.setRefusal(circuit, side, refusal);
    (refusal.kind === "releasing" ? repeating : waiting).add(refusal);
  }

  function drop(refusal: CircuitRelease): void {
    repeating.delete(refusal);
    recovering.delete(refusal);
    waiting.delete(refusal);
    circuits.setRefusal(refusal.circuit, refusal.side, undefined);
  }

  function end(refusal: CircuitRelease): void {
    drop(refusal);
    circuits.settle(refusal.circuit);
  }

  function forget(refusal: CircuitRelease): void {
    counters.forgotten++;
    end(refusal);
  }

  /** Sends by the link of the refusal, or by another one when that is lost. */
  function sendOwn(refusal: CircuitRelease, stream: number, bytes: Buffer): void {
    const link = links.choose(refusal.link, refusal.side, refusal.code);
    if (link === NO_LINK) return;
    refusal.link = link;
    send(link, refusal.side, stream, bytes);
  }

  function answerRelease({ side, label }: CircuitRelease, { link, stream }: CameBy): void {
    send(link, side, stream, sealUnit(label, releaseComplete));
  }

  /** The exchange has released the circuit: an IAM that it had ignored is sent again. */
  function complete(refusal: CircuitRelease): void {
    const { resend } = refusal;
    end(refusal);
    if (resend !== undefined) sendOwn(refusal, resend.stream, resend.bytes);
  }

  function absorbReleasing(refusal: CircuitRelease, by: CameBy): void {
    if (by.type === IsupType.rel) answerRelease(refusal, by);
    else if (by.type === IsupType.rlc) complete(refusal);
  }

  function repeat(refusal: CircuitRelease, now: Millis): void {
    const { stream, label, release, since } = refusal;
    repeating.delete(refusal);
    if (now - since < T5) {
      refusal.due = now + T1;
      repeating.add(refusal);
      counters.repeated++;
      sendOwn(refusal, stream, release);
      return;
    }
    if (refusal.isReset) counters.repeated++;
    else {
      counters.unanswered++;
      tellUnanswered(refusal, now);
    }
    waiting.delete(refusal);
    refusal.isReset = true;
    refusal.due = now + T17;
    waiting.add(refusal);
    sendOwn(refusal, stream, sealUnit(label, resetCircuit));
  }

  /** The other exchange has seized the circuit: only the RLC is waited for, for T5 more. */
  function repeatNoMore(refusal: CircuitRelease, now: Millis): void {
    repeating.delete(refusal);
    refusal.due = now + T5;
    waiting.add(refusal);
  }

  /** Repeats what the filter has sent, unless the other exchange has seized the circuit. */
  function repeatOr(
    refusal: CircuitRelease,
    now: Millis,
    otherwise: (refusal: CircuitRelease, now: Millis) => void,
  ): void {
    if (refusal.isSeized) otherwise(refusal, now);
    else repeat(refusal, now);
  }

  /** Hands a refusal over when its link doesn't reach its exchange any more. */
  function handOne(refusal: CircuitRelease, now: Millis): void {
    const other = links.choose(refusal.link, refusal.side, refusal.code);
    if (other === refusal.link) return;
    if (other === NO_LINK) {
      forget(refusal);
      return;
    }
    refusal.link = other;
    if (refusal.isSeized || !repeating.delete(refusal)) return;
    refusal.due = Math.min(refusal.due, now + RECOVERY);
    recovering.add(refusal);
  }

  function begin(
    { label, link, stream, cause }: Omit<KeptRelease, "iam">,
    circuit: Circuit | undefined,
    side: LinkSide,
    { iam = NO_IAM, resend, hold = send }: Pick<ReleaseForm, "iam" | "resend" | "hold">,
    now: Millis,
  ): void {
    const release = sealUnit(label, writeRelease(cause, locationOf(link)));
    const code = codeOf(label);
    counters.released++;
    if (circuit === undefined) counters.circuitsFull++;
    else
      keep({
        circuit,
        side,
        kind: "releasing",
        link,
        stream,
        label,
        code,
        iam,
        release,
        since: now,
        due: now + T1,
        isReset: false,
        isSeized: false,
        resend,
      });
    const by = links.choose(link, side, code);
    hold(by === NO_LINK ? link : by, side, stream, release);
  }

  return {
    release({ message, msu, link, stream }, circuit, side, { turned, cause, ...rest }, now) {
      begin({ label: labelUnit(message, msu, turned), link, stream, cause }, circuit, side, rest, now);
    },
    releaseKept: (circuit, side, rel, now) => begin(rel, circuit, side, { iam: rel.iam }, now),
    ignore({ message, msu, link, stream }, circuit, side, { kind, iam }, now) {
      const label = labelUnit(message, msu, true);
      keep({
        circuit,
        side,
        kind,
        link,
        stream,
        label,
        code: msu.opc,
        iam,
        release: label,
        since: now,
        due: now + T5,
        isReset: false,
        isSeized: false,
        resend: undefined,
      });
    },
    absorb(refusal, by) {
      const { type } = by;
      if (isMaintenance(type)) return false;
      if ((refusal.kind === "yielding" && !isBeginning(type)) || isPast(refusal, by)) {
        end(refusal);
        return false;
      }
      counters.absorbed++;
      if (refusal.kind === "releasing") absorbReleasing(refusal, by);
      else if (refusal.kind === "silent" && type === IsupType.rel) {
        answerRelease(refusal, by);
        end(refusal);
      }
      return true;
    },
    forget,
    handOver(link, now) {
      for (const due of [waiting, recovering, repeating])
        for (const refusal of due) if (refusal.link === link) handOne(refusal, now);
    },
    tick(now) {
      for (const refusal of recovering) {
        if (refusal.due > now) break;
        recovering.delete(refusal);
        repeatOr(refusal, now, repeatNoMore);
      }
      for (const refusal of repeating) {
        if (refusal.due > now) break;
        repeatOr(refusal, now, repeatNoMore);
      }
      for (const refusal of waiting) {
        if (refusal.due > now) break;
        if (refusal.kind === "releasing") repeatOr(refusal, now, end);
        else end(refusal);
      }
    },
  };
}
