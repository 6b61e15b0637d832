// The bounded table of the circuits of a linkset that carry a call or wait for the end of a refusal.
import { Buffer } from "node:buffer";
import type { CallName } from "../calls/calls.ts";
import type { Millis } from "../domain/time.ts";
import type { Ss7Counters } from "../observe/ss7-counters.ts";
import type { BegunCall } from "../judging/isup-messages.ts";
import type { Msu } from "../ss7/mtp3.ts";
import type { LinkIndex, LinkSide } from "./links.ts";

/** A kept copy of a message as it was received. */
export interface KeptMessage {
  readonly link: LinkIndex;
  readonly stream: number;
  readonly bytes: Buffer;
}

/** Copies a message into memory of its own: a slice of a pool would keep the whole pool alive. */
export function keepMessage({ link, stream, bytes }: KeptMessage): KeptMessage {
  return { link, stream, bytes: Buffer.from(new Uint8Array(bytes).buffer) };
}

/**
 * How far a call has come. `begun`: no backward message was seen. `heard`: ACM or CPG was. `released`: REL has passed,
 * and RLC has not.
 */
export type CircuitPhase = "begun" | "heard" | "answered" | "released";

/** An IAM that was sent on, and is not released yet. */
export interface PassedCall extends BegunCall {
  /** The name of the call. Its row may belong to another call later; its name never does. */
  readonly name: CallName | undefined;
  /** The octets that every message in the direction of the IAM begins with, its link and stream: for a REL of our own. */
  readonly label: Buffer;
  readonly link: LinkIndex;
  readonly stream: number;
  /**
   * The IAM, until the first message of the other exchange by any link, at most for the shortest T7; undefined
   * afterwards. Only as long is a dual seizure possible (Q.764 section 2.9.1).
   */
  outstanding: KeptMessage | undefined;
  phase: CircuitPhase;
  /** Since when the call is in its phase. */
  since: Millis;
}

/** A refused call whose exchange must still be told. Meanwhile messages of that exchange are absorbed. */
export interface CircuitRelease {
  readonly circuit: Circuit;
  readonly side: LinkSide;
  /**
   * `releasing`: REL was sent, RLC is awaited. `silent`: the exchange gets no answer. `yielding`: the other exchange
   * has the circuit, and this one will find that out by itself (dual seizure).
   */
  readonly kind: "releasing" | "silent" | "yielding";
  /** Where messages to that exchange go. Another link takes over when this one is lost. */
  link: LinkIndex;
  readonly stream: number;
  /** The octets that every message to that exchange begins with. */
  readonly label: Buffer;
  /** The point code of that exchange. */
  readonly code: number;
  /** A hash of the refused IAM: the same octets again are the same call. Or a value that no hash has. */
  readonly iam: number;
  readonly release: Buffer;
  readonly since: Millis;
  /** When the release is repeated or forgotten. */
  due: Millis;
  isReset: boolean;
  /** True when the other exchange has seized the circuit since: a repeat could release its call. */
  isSeized: boolean;
  /** An IAM of the other exchange that this exchange has ignored. It is sent again once the circuit is idle. */
  resend: KeptMessage | undefined;
}

/** An IAM that has announced a segmentation message and waits for it. */
export interface HeldCall extends KeptMessage {
  readonly circuit: Circuit;
  readonly side: LinkSide;
  /** A hash of the IAM: the same octets again are the same call. */
  readonly iam: number;
  readonly due: Millis;
}

/** One circuit between two exchanges. The members with two values have one for each side. */
export interface Circuit {
  readonly key: string;
  /** The point codes of the two exchanges. */
  readonly codes: readonly [number, number];
  readonly calls: [PassedCall | undefined, PassedCall | undefined];
  readonly refusals: [CircuitRelease | undefined, CircuitRelease | undefined];
  readonly held: [HeldCall | undefined, HeldCall | undefined];
}

/** The circuits that carry a call or wait for the end of a refusal, bounded. */
export interface Circuits {
  find(msu: Msu, offset?: number): Circuit | undefined;
  /** The circuit, made where it is missing; undefined when the table is full of circuits that may not be forgotten. */
  obtain(msu: Msu): Circuit | undefined;
  /** Forgets the circuit when nothing is known of it any more. */
  settle(circuit: Circuit): void;
  setCall(circuit: Circuit, side: LinkSide, call: PassedCall | undefined): void;
  setRefusal(circuit: Circuit, side: LinkSide, refusal: CircuitRelease | undefined): void;
  all(): Iterable<Circuit>;
}

/** True as long as the refusal has neither ended nor given way to another one. */
export function isCurrent(refusal: CircuitRelease): boolean {
  return refusal.circuit.refusals[refusal.side] === refusal;
}

/** At most this many circuits are looked at for one that may be forgotten. */
const MOST_PASSED_OVER = 32;

/**
 * The key of a circuit, the same for messages of both exchanges. Each network and each user part has circuits of its
 * own.
 */
function keyOf({ opc, dpc, cic, ni, si }: Msu, offset: number, network: number): string {
  const number = cic + offset;
  const key = opc < dpc ? `${opc} ${dpc} ${number} ${ni} ${si}` : `${dpc} ${opc} ${number} ${ni} ${si}`;
  return network === 0 ? key : `${key} ${network}`;
}

/**
 * Makes an empty table. When it is full, the circuit that has been in use for the longest time is forgotten if nothing
 * but calls in progress is known of it: their messages still pass.
 *
 * @param networkOf finds the network of a network appearance
 */
export function createCircuits(
  capacity: number,
  counters: Ss7Counters,
  networkOf: (appearance: number) => number,
): Circuits {
  const circuits = new Map<string, Circuit>();

  function setCall({ calls }: Circuit, side: LinkSide, call: PassedCall | undefined): void {
    counters.calls += Number(call !== undefined) - Number(calls[side] !== undefined);
    calls[side] = call;
  }

  function makeRoom(): boolean {
    let left = MOST_PASSED_OVER;
    for (const circuit of circuits.values()) {
      if (--left < 0) return false;
      const { refusals, held } = circuit;
      if (refusals[0] ?? refusals[1] ?? held[0] ?? held[1]) {
        // Moved to the end: the next search begins with other circuits.
        circuits.delete(circuit.key);
        circuits.set(circuit.key, circuit);
        continue;
      }
      // Whoever still holds the circuit finds no call there.
      for (const side of [0, 1] as const) setCall(circuit, side, undefined);
      return circuits.delete(circuit.key);
    }
    return false;
  }

  return {
    find: (msu, offset = 0) =>
      circuits.size === 0 ? undefined : circuits.get(keyOf(msu, offset, networkOf(msu.networkAppearance))),
    obtain(msu) {
      const key = keyOf(msu, 0, networkOf(msu.networkAppearance));
      const known = circuits.get(key);
      if (known !== undefined) return known;
      if (circuits.size >= capacity && !makeRoom()) return undefined;
      const circuit: Circuit = {
        key,
        codes: [msu.opc, msu.dpc],
        calls: [undefined, undefined],
        refusals: [undefined, undefined],
        held: [undefined, undefined],
      };
      circuits.set(key, circuit);
      return circuit;
    },
    settle(circuit) {
      const { key, calls, refusals, held } = circuit;
      if (!(calls[0] ?? calls[1] ?? refusals[0] ?? refusals[1] ?? held[0] ?? held[1])) circuits.delete(key);
    },
    setCall,
    setRefusal({ refusals }, side, refusal) {
      counters.refusals += Number(refusal !== undefined) - Number(refusals[side] !== undefined);
      refusals[side] = refusal;
    },
    all: () => circuits.values(),
  };
}
