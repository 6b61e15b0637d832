// Sends copies of judged messages, our answers and the verdicts to a HEP collector such as Homer.
import { Buffer } from "node:buffer";
import type { SignallingSource } from "../../domain/attempt.ts";
import type { Action, CallEvent } from "../../domain/call.ts";
import type { Decision } from "../../domain/decision.ts";
import type { HepTarget } from "../../config/load-static.ts";
import type { HepFigures } from "../../observe/figures.ts";
import { whyOf } from "../../observe/decision-log.ts";
import { HepProtocol, LONGEST_HEP, writeHep, type HepPacket } from "./hep-packet.ts";
import type { DatagramPort, OpenDatagramPort } from "../../wire/udp/udp.ts";

/** Copies of judged messages for a collector such as Homer, each followed by its verdict. */
export interface HepExport {
  /** Takes an event on the path of a call: copies the bytes of a decision and of our answer, or counts them as lost. */
  readonly push: (event: CallEvent) => void;
  readonly figures: () => HepFigures;
  /** Sends what waits and closes. */
  readonly close: () => Promise<void>;
}

/** Messages that wait, and their bytes. */
const MOST_WAITING = 4096;
const MOST_BYTES = 8 * 1024 * 1024;

/** How long a message waits for others to be sent with. Milliseconds. */
const FLUSH_INTERVAL = 20;

/** Messages sent in one turn of the loop: calls have theirs in between. */
const BATCH = 32;

interface WaitingCopy {
  readonly decision: Decision;
  readonly action: Action;
  readonly message: Buffer;
  /** Our own answer, where there was one. */
  readonly answer: Buffer | undefined;
}

/** Opens a socket of its own for the export. Rejects when it can't. */
export async function openHepExport(
  { target, captureId, password }: HepTarget,
  open: OpenDatagramPort,
  fault: (error: unknown) => void,
): Promise<HepExport> {
  const lost = { queue: 0, size: 0, socket: 0 };
  let sent = 0;
  let queue: WaitingCopy[] = [];
  let next = 0;
  let bytesWaiting = 0;
  let packet = Buffer.alloc(LONGEST_HEP);
  let scheduled: NodeJS.Immediate | undefined;
  const port: DatagramPort = await open(target.address.includes(":") ? "::" : "0.0.0.0", 0, {
    // A collector says nothing.
    datagram: () => undefined,
    dropped: (direction) => {
      if (direction === "sent") lost.socket++;
    },
    error: fault,
  });

  /** False when it is too long. */
  function send(of: Omit<HepPacket, "captureId" | "password">): boolean {
    const length = writeHep(packet, { ...of, captureId, password });
    if (length === 0) return false;
    if (!port.send(packet, length, target.address, target.port)) packet = Buffer.alloc(LONGEST_HEP);
    return true;
  }

  function sendJudged({ decision, action, message, answer }: WaitingCopy): void {
    const { at, origin, callId } = decision.attempt;
    const common = { at, origin, correlationId: callId };
    if (!send({ ...common, protocol: HepProtocol.sip, payload: message })) {
      lost.size++;
      return;
    }
    sent++;
    send({ ...common, protocol: HepProtocol.log, payload: Buffer.from(describe(decision, action)) });
    if (answer === undefined) return;
    const back = { ...common, origin: turned(origin), protocol: HepProtocol.sip, payload: answer };
    if (!send(back)) lost.size++;
  }

  function flush(most: number): void {
    const end = Math.min(queue.length, next + most);
    for (; next < end; next++) {
      const waiting = queue[next];
      if (waiting === undefined) break;
      bytesWaiting -= octetsOf(waiting);
      sendJudged(waiting);
    }
    if (next < queue.length) return;
    queue = [];
    next = 0;
  }

  function flushSome(): void {
    scheduled = undefined;
    try {
      flush(BATCH);
    } catch (error) {
      next++;
      lost.socket++;
      fault(error);
    }
    if (queue.length > 0) scheduled = setImmediate(flushSome);
  }

  const timer = setInterval(() => {
    if (scheduled === undefined && queue.length > 0) flushSome();
  }, FLUSH_INTERVAL).unref();

  return {
    push(event) {
      if ((event.kind !== "decided" && event.kind !== "request") || event.bytes === undefined) return;
      const { decision, action, bytes } = event;
      const answer = event.kind === "decided" ? event.answer : undefined;
      const octets = bytes.length + (answer?.length ?? 0);
      if (queue.length >= MOST_WAITING || bytesWaiting + octets > MOST_BYTES) {
        lost.queue++;
        return;
      }
      // The bytes are overwritten by the next message.
      const copy = answer === undefined ? undefined : Buffer.from(answer);
      queue.push({ decision, action, message: Buffer.from(bytes), answer: copy });
      bytesWaiting += octets;
    },
    figures: () => ({ sent, lost }),
    close() {
      clearInterval(timer);
      clearImmediate(scheduled);
      flush(Infinity);
      return port.close();
    },
  };
}

function octetsOf({ message, answer }: WaitingCopy): number {
  return message.length + (answer?.length ?? 0);
}

/** The way back of an answer. */
function turned(origin: SignallingSource): SignallingSource {
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = origin;
  return {
    ...origin,
    sourceAddress: destinationAddress,
    sourcePort: destinationPort,
    destinationAddress: sourceAddress,
    destinationPort: sourcePort,
  };
}

/**
 * The verdict and the action as a line of JSON, named as in the decision log. The message beside it says who called
 * whom.
 */
function describe(decision: Decision, action: Action): string {
  const { attempt, verdict, rule, shadow, marks, revision } = decision;
  const why = whyOf(decision);
  return JSON.stringify({
    trunk: attempt.trunk.id,
    verdict: verdict.kind,
    reason: verdict.reason,
    rule,
    marks: marks.map(({ kind, reason }) => ({ verdict: kind, reason })),
    shadow: shadow.map((hit) => ({ rule: hit.rule, verdict: hit.verdict.kind, reason: hit.verdict.reason })),
    action: action.kind,
    ...(action.kind === "answered" ? { status: action.status } : {}),
    why: action.kind === "answered" ? (action.why ?? why) : why,
    revision,
  });
}
