import { Buffer } from "node:buffer";
import type {
  Association,
  PendingAssociation,
  SignallingTransport,
} from "../../src/wire/sctp/association.ts";
import { comesTrue, PATIENCE } from "../support/until.ts";

/** One exchange at the end of an association: keeps what comes, says what it is told to say. */
export interface TestPeer {
  readonly received: { readonly stream: number; readonly bytes: Buffer }[];
  readonly association: Association;
  readonly ended: () => string | undefined;
  send(stream: number, bytes: Buffer): void;
  /** Waits until so many messages have come in all. */
  wait(count: number): Promise<void>;
}

function attach(pending: PendingAssociation, heard?: (bytes: Buffer) => void): TestPeer {
  const received: { stream: number; bytes: Buffer }[] = [];
  let why: string | undefined;
  const association = pending.open({
    message(stream, bytes) {
      if (heard === undefined) received.push({ stream, bytes: Buffer.from(bytes) });
      else heard(Buffer.from(bytes));
    },
    drained: () => undefined,
    closed: (reason) => (why = reason),
  });
  association.read(true);
  return {
    received,
    association,
    ended: () => why,
    send: (stream, bytes) => association.send(stream, bytes),
    wait: async (count) => {
      if (!(await comesTrue(() => received.length >= count)))
        throw new Error(`${received.length} messages instead of ${count}`);
    },
  };
}

/** Connects to the filter; tries again while nobody listens. `heard` takes messages that are not kept then. */
export async function connectPeer(
  transport: SignallingTransport,
  port: number,
  localPort = 0,
  heard?: (bytes: Buffer) => void,
): Promise<TestPeer> {
  for (const end = Date.now() + PATIENCE; ;) {
    const outcome = await new Promise<PendingAssociation | Error>((resolve) => {
      const local = { address: "127.0.0.1", port: localPort };
      transport.connect(local, { address: "127.0.0.1", port }, resolve);
    });
    if (!(outcome instanceof Error)) return attach(outcome, heard);
    if (Date.now() > end) throw outcome;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Listens, and hands over every peer that the filter connects to it as. */
export async function listenAsPeer(
  transport: SignallingTransport,
  arrived: (peer: TestPeer) => void,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  return transport.listen(
    "127.0.0.1",
    0,
    (pending) => arrived(attach(pending)),
    (error) => {
      throw error;
    },
  );
}
