// Keeps IAMs of a capture until their last digits and their segment have come, and joins them.
import { Buffer } from "node:buffer";
import type { SignallingPath } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import type { Arrival } from "../pcap/tcp-stream.ts";
import { toMillis, type CaptureTime } from "../pcap/timestamp.ts";
import { appendDigits, isComplete } from "../ss7/isup-overlap.ts";
import { readSubsequent } from "../ss7/isup-number.ts";
import { createIsupMessage, isSegmented, IsupType, readIsup, type IsupMessage } from "../ss7/isup.ts";
import type { Msu } from "../ss7/mtp3.ts";
import type { SeenIam } from "./seen-iam.ts";

/** How long more digits are waited for: T35 is 15 to 20 s (Q.764 table A.1). */
const LIFETIME: Millis = 20_000;
/** At most this many IAMs wait; the oldest goes on alone. */
const MOST_WAITING = 4096;
/** At most this many repeats wait with an IAM. */
const MOST_REPEATS = 8;
/** At most this many octets in a message that is kept. Messages of MTP have 272 (Q.703 section 2.3.8). */
const MOST_KEPT = 4096;
/** At most this many digits follow an IAM. */
const MOST_DIGITS = 64;

/** Messages after which no digit and no segment comes: the address is complete, or the call is over. */
const lastWords: ReadonlySet<number> = new Set([
  IsupType.acm,
  IsupType.con,
  IsupType.anm,
  IsupType.cpg,
  IsupType.rel,
  IsupType.rlc,
  IsupType.rsc,
  IsupType.grs,
]);

/** An IAM that waits, with what has come since. */
interface WaitingIam extends Arrival {
  readonly key: string;
  readonly origin: SeenIam["origin"];
  readonly msu: Msu;
  /** The IAM from its message type on; `msu` has the same octets. */
  readonly message: Buffer;
  digits: string;
  /** In words, why the digits that followed can't be read. */
  fault: string | undefined;
  segment: Buffer | undefined;
  readonly repeats: { readonly arrival: Arrival; readonly origin: SeenIam["origin"] }[];
  since: Millis;
}

/** Joins SAM and SGM of a capture to the IAM before them. */
export interface WaitingIams {
  /** Takes an IAM, and gives it at once when nothing can follow. */
  take(iam: SeenIam): void;
  /** Takes another message of a circuit. */
  follow(msu: Msu, message: IsupMessage, path: SignallingPath, arrival: Arrival): void;
  /** Learns the time. IAMs that have waited for {@link LIFETIME} are given. */
  pass(time: CaptureTime): void;
  /** The number of the first frame whose IAM waits; `Infinity` when none does. */
  firstFrame(): number;
  /** Gives every IAM that waits. */
  end(): void;
}

function keyOf(opc: number, dpc: number, cic: number): string {
  return `${opc} ${dpc} ${cic}`;
}

function isSamePath(a: SignallingPath, b: SignallingPath): boolean {
  return (
    a.sourceAddress === b.sourceAddress &&
    a.destinationAddress === b.destinationAddress &&
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort
  );
}

function copy({ bytes, start, end }: IsupMessage): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}

/**
 * Makes an empty store.
 *
 * @param give takes each IAM, joined with what followed it, then its repeats; and in words why one can't be read with what
 *   followed
 */
export function createWaitingIams(
  give: (iam: SeenIam) => void,
  refuse: (arrival: Arrival, why: string) => void,
): WaitingIams {
  /** By circuit and direction; several on paths of their own. */
  const circuits = new Map<string, WaitingIam[]>();
  /** Those that wait, the one that has heard nothing for longest first. */
  const inOrder = new Set<WaitingIam>();
  const view = createIsupMessage();
  const segmentView = createIsupMessage();
  const latest = { seconds: 0, nanos: 0 };

  function release(iam: WaitingIam): void {
    inOrder.delete(iam);
    const known = circuits.get(iam.key);
    if (known === undefined || known.length === 1) circuits.delete(iam.key);
    else known.splice(known.indexOf(iam), 1);
    const { frame, seconds, nanos, origin, msu, digits, fault, segment, repeats } = iam;
    const message = digits === "" ? iam.message : appendDigits(iam.message, digits);
    readIsup(view, "itu", message, 0, message.length);
    const why = fault ?? view.fault;
    if (why !== undefined) {
      refuse(iam, `IAM: ${why}`);
      return;
    }
    if (segment !== undefined) readIsup(segmentView, "itu", segment, 0, segment.length);
    const seen: SeenIam = {
      frame,
      seconds,
      nanos,
      message: view,
      msu,
      origin,
      segment: segment === undefined ? undefined : segmentView,
      completed: latest,
      lastPart: iam.since,
      retransmissionOf: undefined,
    };
    give(seen);
    for (const repeat of repeats)
      give({
        ...seen,
        frame: repeat.arrival.frame,
        seconds: repeat.arrival.seconds,
        nanos: repeat.arrival.nanos,
        origin: repeat.origin,
        retransmissionOf: frame,
      });
  }

  function releaseAll(key: string): void {
    for (let iam = circuits.get(key)?.[0]; iam !== undefined; iam = circuits.get(key)?.[0]) release(iam);
  }

  function hold(iam: SeenIam, key: string): void {
    const { frame, seconds, nanos, origin, message } = iam;
    const bytes = copy(message);
    const waiting: WaitingIam = {
      key,
      frame,
      seconds,
      nanos,
      origin,
      msu: { ...iam.msu, bytes, start: 0, end: bytes.length, fault: undefined },
      message: bytes,
      digits: "",
      fault: undefined,
      segment: undefined,
      repeats: [],
      since: toMillis(iam),
    };
    const others = circuits.get(key);
    if (others === undefined) circuits.set(key, [waiting]);
    else others.push(waiting);
    inOrder.add(waiting);
    if (inOrder.size > MOST_WAITING) releaseOldest();
  }

  function releaseOldest(): void {
    for (const oldest of inOrder) {
      release(oldest);
      return;
    }
  }

  function take(iam: SeenIam): void {
    pass(iam);
    const { msu, message, origin, retransmissionOf } = iam;
    const key = keyOf(msu.opc, msu.dpc, msu.cic);
    const known = circuits.get(key);
    if (known !== undefined) {
      const first = known.find(({ frame }) => frame === retransmissionOf);
      if (first !== undefined && first.repeats.length < MOST_REPEATS) {
        const { frame, seconds, nanos } = iam;
        first.repeats.push({ arrival: { frame, seconds, nanos }, origin });
        return;
      }
      // The exchange seizes the circuit again: it has forgotten the call before.
      for (const other of known.filter((one) => isSamePath(one.origin, origin))) release(other);
    }
    const isWhole = isComplete(message) && !isSegmented(message);
    const isLong = message.end - message.start > MOST_KEPT;
    if (retransmissionOf !== undefined || isWhole || isLong) give(iam);
    else hold(iam, key);
  }

  /** Finds the IAM that a message continues: of the same path, or the only one on its circuit. */
  function find(msu: Msu, path: SignallingPath): WaitingIam | undefined {
    const known = circuits.get(keyOf(msu.opc, msu.dpc, msu.cic));
    if (known === undefined) return undefined;
    return known.length === 1 ? known[0] : known.find(({ origin }) => isSamePath(origin, path));
  }

  function addDigits(iam: WaitingIam, sam: IsupMessage): void {
    const more = sam.fault ?? readSubsequent(sam.bytes, sam.variableStart, sam.variableEnd);
    if (typeof more === "string") iam.fault ??= `SAM: ${more}`;
    else iam.digits = (iam.digits + more.digits).slice(0, MOST_DIGITS);
    if (iam.digits.endsWith("F")) release(iam);
  }

  function follow(msu: Msu, message: IsupMessage, path: SignallingPath, arrival: Arrival): void {
    pass(arrival);
    if (inOrder.size === 0) return;
    if (lastWords.has(message.type)) {
      releaseAll(keyOf(msu.opc, msu.dpc, msu.cic));
      releaseAll(keyOf(msu.dpc, msu.opc, msu.cic));
      return;
    }
    if (message.type !== IsupType.sam && message.type !== IsupType.sgm) return;
    const iam = find(msu, path);
    if (iam === undefined) return;
    iam.since = toMillis(arrival);
    inOrder.delete(iam);
    inOrder.add(iam);
    if (message.type === IsupType.sam) addDigits(iam, message);
    else if (iam.segment === undefined && message.end - message.start <= MOST_KEPT)
      iam.segment = copy(message);
  }

  function pass({ seconds, nanos }: CaptureTime): void {
    latest.seconds = seconds;
    latest.nanos = nanos;
    if (inOrder.size === 0) return;
    const now = toMillis(latest);
    for (const iam of inOrder) {
      if (Math.abs(now - iam.since) <= LIFETIME) return;
      release(iam);
    }
  }

  return {
    take,
    follow,
    pass,
    firstFrame() {
      let first = Infinity;
      for (const { frame } of inOrder) first = Math.min(first, frame);
      return first;
    },
    end() {
      for (const iam of [...inOrder].toSorted((a, b) => a.frame - b.frame)) release(iam);
    },
  };
}
