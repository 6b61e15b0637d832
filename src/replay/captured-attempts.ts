// Finds the INVITEs and IAMs that begin calls among the messages of a capture.
import { formatEndpoint } from "../net/endpoint.ts";
import { hash } from "node:crypto";
import type { SignallingPath, SignallingSource } from "../domain/attempt.ts";
import type { Arrival } from "../pcap/tcp-stream.ts";
import { toMillis } from "../pcap/timestamp.ts";
import { readRequestInHand, type RequestInHand } from "../routing/request-in-hand.ts";
import { createListener, type Listener } from "../routing/listener.ts";
import { claimsIsup } from "../sip/bodies/body.ts";
import { isStartLine } from "../sip/framer.ts";
import { createMessage, type SipMessage } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import { createIsupMessage, type IsupMessage, IsupType, readIsup } from "../ss7/isup.ts";
import { readCircuit, type Msu } from "../ss7/mtp3.ts";
import { createCapturedCircuits } from "./captured-circuits.ts";
import type { SignallingSink } from "./signalling.ts";
import type { SeenIam } from "./seen-iam.ts";
import { createWaitingIams } from "./waiting-iams.ts";

/**
 * At most this many messages are remembered to recognise repeats; the oldest is forgotten first.
 */
const MAX_REMEMBERED = 65_536;

/** An initial INVITE of a capture. Valid only during the call that passes it. */
export interface SeenInvite extends Arrival {
  readonly exchange: RequestInHand;
  readonly origin: SignallingSource;
  /**
   * Number of the frame with the same message from the same source. Undefined: this one is the
   * first.
   */
  readonly retransmissionOf: number | undefined;
}

/** Takes the call attempts of a capture, in the order in which they became readable. */
export interface AttemptSink {
  invite(invite: SeenInvite): void;
  iam(iam: SeenIam): void;
  /** Takes a broken INVITE or IAM that gives no attempt; `why` in words. */
  malformed(arrival: Arrival, why: string): void;
  /**
   * Takes what calls go on with: answers, CANCEL and BYE, and every unit of a circuit but IAMs. Left out: nobody asks, and
   * such messages are only counted.
   */
  readonly followed?: CallFollower | undefined;
}

/** Takes the messages that calls go on with. Valid only during the call that passes them. */
export interface CallFollower {
  /** Undefined: nobody asks for messages of SIP. */
  readonly sip: ((message: SipMessage, arrival: Arrival) => void) | undefined;
  isup(msu: Msu, message: IsupMessage, arrival: Arrival): void;
}

/** Counts of messages besides attempts, for the summary. */
export interface MessageCounts {
  /** SIP requests and responses of any kind. */
  messages: number;
  /** Messages of ISUP and BICC. */
  isup: number;
  /** INVITEs with a To tag, which belong to calls in progress. */
  inDialog: number;
}

/** Takes the messages of a capture and finds the INVITEs and IAMs that begin calls. */
export interface AttemptReader extends SignallingSink {
  readonly counts: Readonly<MessageCounts>;
  glance(bytes: Buffer, start: number, end: number): boolean;
  /** The number of the first frame whose IAM still waits for digits or a segment; `Infinity` when none does. */
  firstWaiting(): number;
  end(): void;
}

const INVITE = Buffer.from("INVITE ");
/** What the messages begin with that calls go on with. */
const followers: readonly Buffer[] = ["SIP/2.0 ", "BYE ", "CANCEL "].map((word) => Buffer.from(word));

/** Finds where the start line begins. Leading CRLFs are ignored (RFC 3261 section 7.5). */
function findStart(bytes: Buffer, from: number, end: number): number {
  let start = from;
  while (start < end && (bytes[start] === 13 || bytes[start] === 10)) start += 1;
  return start;
}

function beginsAs(word: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i += 1) if (bytes[start + i] !== word[i]) return false;
  return true;
}

/** Tells whether a call may go on with the message: an answer, a CANCEL or a BYE. */
function mayFollow(bytes: Buffer, start: number, end: number): boolean {
  return followers.some((word) => beginsAs(word, bytes, start, end));
}

/** Tells whether a line of `bytes[start, end)` ends, and is a start line. */
function beginsAsSip(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === 10) return isStartLine(bytes, start, at);
  return false;
}

function originOf(message: SipMessage, path: SignallingPath): SignallingSource {
  return { signalling: claimsIsup(message) ? "sip-i" : "sip", ...path };
}

/** Makes a reader for one capture file. */
export function createAttemptReader(sink: AttemptSink): AttemptReader {
  const view = createMessage();
  const counts: MessageCounts = { messages: 0, isup: 0, inDialog: 0 };
  const isup = createIsupMessage();
  const circuits = createCapturedCircuits();
  const waiting = createWaitingIams(
    (iam) => sink.iam(iam),
    (arrival, why) => sink.malformed(arrival, why),
  );
  const firstFrames = new Map<string, number>();

  /**
   * Finds the first frame with the same bytes on the same path. Equal bytes have equal Via, Call-ID
   * and CSeq; with the addresses, that makes a repeat.
   */
  function findRepeated(bytes: Buffer, path: SignallingPath, frame: number): number | undefined {
    const key = `${path.transport} ${path.sourceAddress} ${path.sourcePort} ${path.destinationAddress} ${path.destinationPort} ${hash("sha256", bytes, "base64")}`;
    const first = firstFrames.get(key);
    if (first !== undefined) return first;
    if (firstFrames.size >= MAX_REMEMBERED) {
      for (const oldest of firstFrames.keys()) {
        firstFrames.delete(oldest);
        break;
      }
    }
    firstFrames.set(key, frame);
    return undefined;
  }

  /** The last listener: most calls of a capture go to one place. */
  let listener: Listener | undefined;
  let lastTransport: SignallingPath["transport"] | undefined;

  /** Returns the listener of a message: the filter would have listened at its destination. */
  function listenerAt({
    transport,
    destinationAddress: address,
    destinationPort: port,
  }: SignallingPath): Listener {
    const kind = transport === "udp" ? "udp" : "tcp";
    if (listener?.address !== address || listener.port !== port || lastTransport !== transport) {
      listener = createListener(`${transport}:${formatEndpoint({ address, port })}`, 0, kind, address, port);
      lastTransport = transport;
    }
    return listener;
  }

  function readInvite(message: SipMessage, path: SignallingPath, arrival: Arrival): void {
    const exchange = readRequestInHand(message, listenerAt(path), path.sourceAddress, path.sourcePort);
    if (exchange === undefined) {
      sink.malformed(arrival, message.fault ?? "no Via that can be read");
    } else if (exchange.toTag !== "") {
      counts.inDialog += 1;
    } else {
      const bytes = message.bytes.subarray(message.start, message.end);
      const retransmissionOf = findRepeated(bytes, path, arrival.frame);
      const { frame, seconds, nanos } = arrival;
      sink.invite({ frame, seconds, nanos, exchange, origin: originOf(message, path), retransmissionOf });
    }
  }

  /** Reads a unit of ISUP or BICC. */
  function readUnit(msu: Msu, path: SignallingPath, arrival: Arrival): void {
    const type = readCircuit(msu);
    if (type < 0) return;
    counts.isup += 1;
    // ANSI differs by one more pointer; the fields that are read here stand in the same places.
    const isSound = readIsup(isup, "itu", msu.bytes, type, msu.end);
    if (isup.type !== IsupType.iam) {
      waiting.follow(msu, isup, path, arrival);
      if (!isSound) return;
      circuits.follow(msu, isup);
      sink.followed?.isup(msu, isup, arrival);
      return;
    }
    const fault = msu.fault ?? isup.fault;
    if (fault !== undefined) {
      sink.malformed(arrival, `IAM: ${fault}`);
      return;
    }
    const { frame, seconds, nanos } = arrival;
    waiting.take({
      frame,
      seconds,
      nanos,
      message: isup,
      msu,
      segment: undefined,
      completed: arrival,
      lastPart: toMillis(arrival),
      origin: { signalling: "isup", ...path },
      retransmissionOf: circuits.seize(msu, isup, path, frame),
    });
  }

  /** Counts a message that is no INVITE, where nothing more is asked of it. */
  function glance(bytes: Buffer, from: number, end: number): boolean {
    const start = findStart(bytes, from, end);
    if (beginsAs(INVITE, bytes, start, end)) return false;
    if (!beginsAsSip(bytes, start, end)) return true;
    if (sink.followed?.sip !== undefined && mayFollow(bytes, start, end)) return false;
    counts.messages += 1;
    return true;
  }

  return {
    counts,
    msu: readUnit,
    glance,
    firstWaiting: () => waiting.firstFrame(),
    end: () => waiting.end(),
    message(bytes, path, arrival) {
      if (glance(bytes, 0, bytes.length)) return;
      counts.messages += 1;
      if (!beginsAs(INVITE, bytes, findStart(bytes, 0, bytes.length), bytes.length)) {
        sink.followed?.sip?.(scan(view, bytes), arrival);
        return;
      }
      waiting.pass(arrival);
      const message = scan(view, bytes);
      if (message.kind === "request") readInvite(message, path, arrival);
      else sink.malformed(arrival, message.fault ?? "not a SIP request line");
    },
    broken(bytes, why, arrival) {
      if (!beginsAs(INVITE, bytes, findStart(bytes, 0, bytes.length), bytes.length)) return;
      counts.messages += 1;
      sink.malformed(arrival, why);
    },
  };
}
