import { Buffer } from "node:buffer";
import type { KernelSctp } from "../../src/wire/sctp/kernel-sctp.ts";
import { createSctpTransport } from "../../src/wire/sctp/sctp-transport.ts";
import { fromLease, LISTED } from "../support/isup-relay.ts";
import { linkTo, startEngine } from "../support/m3ua-engine.ts";
import { comesTrue } from "../support/until.ts";
import { connectPeer, listenAsPeer, type TestPeer } from "./peer.ts";
import type { Check } from "./scenarios.ts";

const IPPROTO_SCTP = 132;
/** struct sctp_sndrcvinfo, of which the payload protocol identifier is at 8. */
const SCTP_DEFAULT_SEND_PARAM = 10;
const INFO_LENGTH = 32;

interface Library {
  func(declaration: string): (...values: unknown[]) => number;
}

/** What the octets of an identifier on the wire are, and what becomes of the message. */
const identifiers: readonly (readonly [wire: string, what: string, isRead: boolean])[] = [
  ["00000003", "M3UA", true],
  ["00000000", "none", true],
  ["03000000", "M3UA in host order", true],
  ["00000002", "M2UA", false],
  ["00000005", "M2PA", false],
  ["00000300", "768", false],
  ["00030000", "196608", false],
  ["ffffffff", "the last one", false],
];

/** Payload protocol identifiers of peers: what is read, what is counted. */
export async function readIdentifiers(check: Check, sctp: KernelSctp): Promise<void> {
  const name: string = "koffi";
  const loaded: { readonly default: { load(path: null): Library } } = await import(name);
  const library = loaded.default.load(null);
  const setsockopt = library.func("int setsockopt(int, int, int, void *, uint32_t)");
  const send = library.func("intptr_t send(int, void *, size_t, int)");
  const cores: TestPeer[] = [];
  const plain = createSctpTransport(sctp);
  const server = await listenAsPeer(plain, (peer) => cores.push(peer));
  const engine = await startEngine(linkTo("sctp", server.port));
  let fd = -1;
  const bound = createSctpTransport({ ...sctp, bind: (locals) => (fd = sctp.bind(locals)) });
  const lease = await connectPeer(bound, engine.ports[0] ?? 0);
  await comesTrue(() => cores.length > 0);
  const [core] = cores;
  if (core === undefined) throw new Error("the filter did not connect");
  let cic = 1;
  let read = 0;
  for (const [wire, what, isRead] of identifiers) {
    const info = Buffer.alloc(INFO_LENGTH);
    info.writeUInt16LE(1, 0);
    info.write(wire, 8, "hex");
    if (setsockopt(fd, IPPROTO_SCTP, SCTP_DEFAULT_SEND_PARAM, info, info.length) !== 0) throw new Error(what);
    const message = fromLease(LISTED, cic);
    send(fd, message, message.length, 0);
    // The next message on the stream shows that this one was read or left out.
    lease.send(1, fromLease(LISTED, cic + 1));
    read += isRead ? 2 : 1;
    await core.wait(read);
    const kinds = core.received.slice(isRead ? -2 : -1).map(({ bytes }) => bytes.readUInt16LE(32));
    const expected = isRead ? [cic, cic + 1] : [cic + 1];
    check(
      core.received.length === read && kinds.join() === expected.join(),
      `identifier ${wire} (${what}) is ${isRead ? "read" : "dropped"}`,
    );
    cic += 2;
  }
  const { hostOrder, foreign } = engine.counters.ss7;
  check(hostOrder === 1 && foreign === 5, `1 in host order, 5 foreign: ${hostOrder}, ${foreign}`);
  const lines = engine.notes.filter((note) => note.includes("payload protocol identifier"));
  check(lines.length === 2, `one line each: ${lines.join("; ")}`);
  await engine.stop();
  await server.close();
}
