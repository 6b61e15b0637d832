// Orders to a drachtio server, each sent after the answer to the one before.
import { Buffer } from "node:buffer";

/** Orders that are sent one by one. */
export interface OrderQueue {
  /** Gives an order. It is sent when all before it are answered. `answered`: the words of the answer. */
  give(id: string, order: string, answered?: (words: readonly string[]) => void): void;
  /** Takes a frame of the server: the answer to the order that was sent last, or something else. */
  take(frame: string): void;
  /** Makes the server write, once it has answered something: what it holds back comes with that. */
  nudge(): void;
}

interface Order {
  readonly id: string;
  readonly text: string;
  readonly answered: ((words: readonly string[]) => void) | undefined;
}

/** Number of the order that {@link OrderQueue.nudge} sends. Nobody waits for its answer. */
const NUDGE = "nudge";

/**
 * Makes a queue over a connection. While a server writes to a TLS connection, it holds back what else it has for it, and
 * sends that with its next write. Of the answers to orders that arrive together, only the first comes at once. So each
 * order waits for the answer to the one before. Calls and reports that come together are held back too, and nobody
 * can tell: a nudge several times a second brings them. There is no time limit here: server-link.ts gives up a link that doesn't come up, or
 * answers no ping.
 */
export function createOrderQueue(write: (text: string) => void): OrderQueue {
  const waiting: Order[] = [];
  let hasAnswered = false;

  function send(id: string, text: string): void {
    const frame = `${id}|${text}`;
    write(`${Buffer.byteLength(frame)}#${frame}`);
  }

  return {
    give(id, text, answered) {
      waiting.push({ id, text, answered });
      if (waiting.length === 1) send(id, text);
    },
    take(frame) {
      const [sent] = waiting;
      if (sent === undefined) return;
      const [, kind, id, ...words] = frame.split("|");
      if (kind !== "response" || id !== sent.id) return;
      hasAnswered = true;
      waiting.shift();
      const [next] = waiting;
      if (next !== undefined) send(next.id, next.text);
      sent.answered?.(words);
    },
    nudge() {
      if (hasAnswered) send(NUDGE, "ping");
    },
  };
}
