import { Buffer } from "node:buffer";
import type { Decision } from "../../domain/decision.ts";
import type { HepTarget } from "../../config/load-static.ts";
import type { HepFigures } from "../../observe/figures.ts";
import { HepProtocol, LONGEST_HEP, writeHep, type HepPacket } from "./hep-packet.ts";
import type { DatagramPort, OpenDatagramPort } from "../../wire/udp/udp.ts";

/** Copies of judged messages for a collector such as Homer, each followed by its verdict. */
export interface HepExport {
  /** Takes a decision and the bytes it is about, on the path of a call: copies them, or counts them as lost. */
  readonly push: (decision: Decision, message: Uint8Array | undefined) => void;
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
  readonly message: Buffer;
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

  function sendJudged({ decision, message }: WaitingCopy): void {
    const { at, origin, callId } = decision.attempt;
    const common = { at, origin, correlationId: callId };
    if (!send({ ...common, protocol: HepProtocol.sip, payload: message })) {
      lost.size++;
      return;
    }
    sent++;
    send({ ...common, protocol: HepProtocol.log, payload: Buffer.from(describe(decision)) });
  }

  function flush(most: number): void {
    const end = Math.min(queue.length, next + most);
    for (; next < end; next++) {
      const waiting = queue[next];
      if (waiting === undefined) break;
      bytesWaiting -= waiting.message.length;
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
    push(decision, message) {
      if (message === undefined) return;
      if (queue.length >= MOST_WAITING || bytesWaiting + message.length > MOST_BYTES) {
        lost.queue++;
        return;
      }
      // The bytes are overwritten by the next message.
      queue.push({ decision, message: Buffer.from(message) });
      bytesWaiting += message.length;
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

/** The verdict as a line of JSON, named as in the decision log. The message beside it says who called whom. */
function describe({ attempt, verdict, rule, shadow, marks, revision }: Decision): string {
  return JSON.stringify({
    trunk: attempt.trunk.id,
    verdict: verdict.kind,
    reason: verdict.reason,
    rule,
    marks: marks.map(({ kind, reason }) => ({ verdict: kind, reason })),
    shadow: shadow.map((hit) => ({ rule: hit.rule, verdict: hit.verdict.kind, reason: hit.verdict.reason })),
    revision,
  });
}
