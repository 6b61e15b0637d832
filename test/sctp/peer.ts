import { Buffer } from "node:buffer";
import type {
  Association,
  EndpointList,
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

/** Opens an association that has come up. */
export function attach(pending: PendingAssociation, heard?: (bytes: Buffer) => void): TestPeer {
  const received: { stream: number; bytes: Buffer }[] = [];
  let why: string | undefined;
  const association = pending.open({
    message(stream, bytes) {
      if (heard === undefined) received.push({ stream, bytes: Buffer.from(bytes) });
      else heard(Buffer.from(bytes));
    },
    drained: () => undefined,
    closed: (reason) => (why = reason),
    restarted: (renewed) => {
      why = "restarted";
      renewed.refuse();
    },
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
  return connectFrom(
    transport,
    [{ address: "127.0.0.1", port: localPort }],
    [{ address: "127.0.0.1", port }],
    heard,
  );
}

/** The same from any addresses to any addresses. */
export async function connectFrom(
  transport: SignallingTransport,
  locals: EndpointList,
  remotes: EndpointList,
  heard?: (bytes: Buffer) => void,
): Promise<TestPeer> {
  for (const end = Date.now() + PATIENCE; ;) {
    const outcome = await new Promise<PendingAssociation | Error>((resolve) => {
      transport.connect(locals, remotes, resolve);
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
  locals: EndpointList = [{ address: "127.0.0.1", port: 0 }],
): Promise<{ readonly port: number; close(): Promise<void> }> {
  return transport.listen(
    { locals, remotes: [] },
    (pending) => arrived(attach(pending)),
    (error) => {
      throw error;
    },
  );
}
