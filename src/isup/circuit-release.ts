// Releases refused calls, and repeats REL until the circuit is idle or reset (Q.764 sections 2.3, 2.9).
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import type { Ss7Counters } from "../observe/ss7-counters.ts";
import { IsupType } from "../ss7/isup.ts";
import type { M3uaMessage } from "../ss7/m3ua.ts";
import { labelUnit, releaseComplete, resetCircuit, sealUnit, writeRelease } from "../ss7/m3ua-reply.ts";
import type { Msu } from "../ss7/mtp3.ts";
import type { Circuit, Circuits, KeptMessage, CircuitRelease, LinkSide } from "./circuits.ts";

/** How long REL waits for its RLC until it is sent again (Q.764 table A.1: T1, 15 to 60 s). */
export const T1: Millis = 15_000;
/** How long it is repeated until the circuit is reset instead (T5, 5 to 15 min). */
export const T5: Millis = 300_000;
/** How long RSC waits (T17, 5 to 15 min). */
export const T17: Millis = 300_000;

export interface CircuitReleaseParts {
  readonly circuits: Circuits;
  readonly counters: Ss7Counters;
  readonly send: SendUnit;
  /** Takes a message for the operator: which circuit gets no answer to REL, and for how long. */
  readonly alarm: (message: string) => void;
}

/** A message as it was received, read. */
export interface ReceivedUnit {
  readonly message: M3uaMessage;
  readonly msu: Msu;
  readonly stream: number;
}

/** What a REL of the filter says. */
export interface ReleaseForm {
  /** True: the message that it answers came from the side that is released. */
  readonly turned: boolean;
  /** Cause of Q.850. */
  readonly cause: number;
  /** An IAM of the other exchange that this exchange has ignored. It is sent again once the circuit is idle. */
  readonly resend?: KeptMessage | undefined;
  /** Takes the first REL in place of its sending. Its repeats are sent as ever. */
  readonly hold?: SendUnit | undefined;
}

/** Sends one M3UA message to a side. */
export type SendUnit = (side: LinkSide, stream: number, bytes: Buffer) => void;

/** A REL to one side, without a message that it answers. */
export interface KeptRelease {
  /** The octets that messages to that side begin with. */
  readonly label: Buffer;
  readonly stream: number;
  readonly cause: number;
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
    kind: "silent" | "yielding",
    now: Millis,
  ): void;
  /**
   * Takes a message of `type` from the exchange of a refused call.
   *
   * @returns true when it is absorbed; false when it is handled like any other
   */
  absorb(refusal: CircuitRelease, type: number): boolean;
  forget(refusal: CircuitRelease): void;
  tick(now: Millis): void;
}

/** Messages of a call that begins. An exchange that gives way sends them for the call that was refused. */
const beginning: ReadonlySet<number> = new Set([
  IsupType.iam,
  IsupType.sam,
  IsupType.cot,
  IsupType.inf,
  IsupType.sgm,
]);

/**
 * BLO UBL BLA UBA GRS CGB CGU CGBA CGUA GRA CQM CQR UPT UPA: messages about circuits, not about calls (Q.763 table 4).
 */
const maintenance: ReadonlySet<number> = new Set([
  0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x29, 0x2a, 0x2b, 0x34, 0x35,
]);

/** True for messages about circuits, whatever calls the circuits carry. */
export function isMaintenance(type: number): boolean {
  return maintenance.has(type);
}

export function createCircuitReleases({
  circuits,
  counters,
  send,
  alarm,
}: CircuitReleaseParts): CircuitReleases {
  /**
   * In the order in which they are due: those that repeat REL, and those that have reset their circuit or wait for
   * nothing.
   */
  const repeating = new Set<CircuitRelease>();
  const waiting = new Set<CircuitRelease>();

  function keep(refusal: CircuitRelease): void {
    const { circuit, side } = refusal;
    const former = circuit.refusals[side];
    if (former !== undefined) drop(former);
    circuits.setRefusal(circuit, side, refusal);
    (refusal.kind === "releasing" ? repeating : waiting).add(refusal);
  }

  function drop(refusal: CircuitRelease): void {
    repeating.delete(refusal);
    waiting.delete(refusal);
    circuits.setRefusal(refusal.circuit, refusal.side, undefined);
  }

  function end(refusal: CircuitRelease): void {
    drop(refusal);
    circuits.settle(refusal.circuit);
  }

  function answerRelease({ side, stream, label }: CircuitRelease): void {
    send(side, stream, sealUnit(label, releaseComplete));
  }

  function absorbReleasing(refusal: CircuitRelease, type: number): void {
    if (type === IsupType.rel) answerRelease(refusal);
    else if (type === IsupType.rlc) {
      const { resend, side } = refusal;
      end(refusal);
      if (resend !== undefined) send(side, resend.stream, resend.bytes);
    }
  }

  function repeat(refusal: CircuitRelease, now: Millis): void {
    const { side, stream, label, release, since } = refusal;
    repeating.delete(refusal);
    if (now - since < T5) {
      refusal.due = now + T1;
      repeating.add(refusal);
      counters.repeated++;
      send(side, stream, release);
      return;
    }
    if (refusal.isReset) counters.repeated++;
    else {
      counters.unanswered++;
      alarm(`circuit ${refusal.circuit.key}: no RLC in ${T5 / 1000} s, reset`);
    }
    waiting.delete(refusal);
    refusal.isReset = true;
    refusal.due = now + T17;
    waiting.add(refusal);
    send(side, stream, sealUnit(label, resetCircuit));
  }

  function begin(
    { label, stream, cause }: KeptRelease,
    circuit: Circuit | undefined,
    side: LinkSide,
    { resend, hold = send }: Pick<ReleaseForm, "resend" | "hold">,
    now: Millis,
  ): void {
    const release = sealUnit(label, writeRelease(cause));
    counters.released++;
    if (circuit === undefined) counters.circuitsFull++;
    else
      keep({
        circuit,
        side,
        kind: "releasing",
        stream,
        label,
        release,
        since: now,
        due: now + T1,
        isReset: false,
        isSeized: false,
        resend,
      });
    hold(side, stream, release);
  }

  return {
    release({ message, msu, stream }, circuit, side, { turned, cause, resend, hold }, now) {
      begin({ label: labelUnit(message, msu, turned), stream, cause }, circuit, side, { resend, hold }, now);
    },
    releaseKept: (circuit, side, rel, now) => begin(rel, circuit, side, {}, now),
    ignore({ message, msu, stream }, circuit, side, kind, now) {
      const label = labelUnit(message, msu, true);
      keep({
        circuit,
        side,
        kind,
        stream,
        label,
        release: label,
        since: now,
        due: now + T5,
        isReset: false,
        isSeized: false,
        resend: undefined,
      });
    },
    absorb(refusal, type) {
      if (isMaintenance(type)) return false;
      if (refusal.kind === "yielding" && !beginning.has(type)) {
        end(refusal);
        return false;
      }
      counters.absorbed++;
      if (refusal.kind === "releasing") absorbReleasing(refusal, type);
      else if (refusal.kind === "silent" && type === IsupType.rel) {
        answerRelease(refusal);
        end(refusal);
      }
      return true;
    },
    forget(refusal) {
      counters.forgotten++;
      end(refusal);
    },
    tick(now) {
      for (const refusal of repeating) {
        if (refusal.due > now) break;
        if (refusal.isSeized) repeating.delete(refusal);
        else repeat(refusal, now);
      }
      for (const refusal of waiting) {
        if (refusal.due > now) break;
        if (refusal.kind !== "releasing") end(refusal);
        else if (refusal.isSeized) waiting.delete(refusal);
        else repeat(refusal, now);
      }
    },
  };
}
