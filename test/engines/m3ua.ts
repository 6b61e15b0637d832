import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { once } from "node:events";
import t from "tap";
import { createM3uaFramer } from "../../src/wire/sctp/m3ua-framer.ts";
import { tcpTransport } from "../../src/wire/sctp/tcp-transport.ts";
import { connectPeer, listenAsPeer, type TestPeer } from "../sctp/peer.ts";
import { freeStreamPort } from "../support/free-port.ts";
import { fromCore, fromLease, LISTED, told, UNLISTED } from "../support/isup-relay.ts";
import { linkTo, startEngine, type TestEngine } from "../support/m3ua-engine.ts";
import { comesTrue } from "../support/until.ts";

interface Pair {
  readonly engine: TestEngine;
  readonly lease: TestPeer;
  readonly cores: TestPeer[];
  readonly close: () => Promise<void>;
}

async function connectBoth(): Promise<Pair> {
  const cores: TestPeer[] = [];
  const server = await listenAsPeer(tcpTransport, (peer) => cores.push(peer));
  const engine = await startEngine(linkTo("tcp", server.port));
  const lease = await connectPeer(tcpTransport, engine.ports[0] ?? 0);
  await comesTrue(() => cores.length > 0);
  return {
    engine,
    lease,
    cores,
    async close() {
      await engine.stop();
      for (const core of cores) core.association.close();
      lease.association.close();
      await server.close();
    },
  };
}

const bytesOf = (peer: TestPeer | undefined): Buffer =>
  Buffer.concat(peer?.received.map(({ bytes }) => bytes) ?? []);

void t.test("M3UA over TCP: calls pass as they came, refused ones get REL and go nowhere", async (t) => {
  const { engine, lease, cores, close } = await connectBoth();
  const aspUp = Buffer.from("0100030100000008", "hex");
  const allowed = fromLease(LISTED, 3);
  lease.send(0, Buffer.concat([aspUp, fromLease(UNLISTED, 4), allowed]));
  await cores[0]?.wait(2);
  await lease.wait(1);
  t.same(bytesOf(cores[0]), Buffer.concat([aspUp, allowed]));
  t.same(told(lease.received.map(({ bytes }) => ({ to: 0, stream: 0, bytes }))), ["0 REL 21 900>11-4"]);
  cores[0]?.send(1, fromCore("ANM", 3));
  await lease.wait(2);
  t.same(lease.received[1]?.bytes, fromCore("ANM", 3));
  t.same(
    engine.decisions.map(({ verdict, attempt }) => `${attempt.origin.transport} ${verdict.kind}`),
    ["tcp reject", "tcp accept"],
  );
  await close();
});

void t.test("the sides are coupled: one goes, the other follows, and both come back", async (t) => {
  const { engine, lease, cores, close } = await connectBoth();
  cores[0]?.association.close();
  t.ok(await comesTrue(() => lease.ended() !== undefined), "the lessee's association ends with the core's");
  t.match(engine.notes.at(-1), /down: core: the peer closed/);
  const again = await connectPeer(tcpTransport, engine.ports[0] ?? 0);
  t.ok(await comesTrue(() => cores.length === 2));
  again.send(1, fromLease(LISTED, 5));
  await cores[1]?.wait(1);
  again.association.close();
  t.ok(await comesTrue(() => cores[1]?.ended() !== undefined), "and the core's with the lessee's");
  t.equal(engine.counters.ss7.linksUp - engine.counters.ss7.linksDown, 0);
  await close();
});

void t.test("a second connection of the peer is refused while the first one answers", async (t) => {
  // The M3UA of the peer answers BEAT, or its kernel alone acknowledges that.
  for (const answers of [true, false]) {
    const { engine, lease, cores, close } = await connectBoth();
    lease.send(1, fromLease(LISTED, 3));
    await cores[0]?.wait(1);
    const second = await connectPeer(tcpTransport, engine.ports[0] ?? 0);
    await lease.wait(1);
    const beat = lease.received[0]?.bytes ?? Buffer.alloc(0);
    t.equal(beat.toString("hex", 0, 12), "010003030000001800090010", "BEAT with heartbeat data");
    if (answers) {
      const answer = Buffer.from(beat);
      answer[3] = 6;
      lease.send(0, answer);
    }
    t.ok(await comesTrue(() => second.ended() !== undefined), "the second one is refused");
    t.equal(lease.ended(), undefined);
    t.equal(engine.counters.ss7.seconds, 1);
    t.match(engine.notes.at(-1), /lease: refused a second association from 127\.0\.0\.1/);
    lease.send(1, fromLease("REL cause=16", 3));
    await cores[0]?.wait(2);
    t.equal(cores[0]?.received.length, 2, "BEAT ACK goes no further, and calls go on");
    await close();
  }
});

void t.test("BEAT ACK that answers no BEAT of the filter passes", async (t) => {
  const { lease, cores, close } = await connectBoth();
  const foreign = Buffer.from("01000306000000180009001000112233445566778899aabb", "hex");
  lease.send(0, foreign);
  await cores[0]?.wait(1);
  t.same(bytesOf(cores[0]), foreign);
  await close();
});

void t.test("a peer that went while it waited for the other side comes again", async (t) => {
  const port = await freeStreamPort("127.0.0.1");
  const engine = await startEngine(linkTo("tcp", port));
  const first = await connectPeer(tcpTransport, engine.ports[0] ?? 0);
  t.ok(await comesTrue(() => engine.notes.some((note) => note.includes("core: connect ECONNREFUSED"))));
  first.association.close();
  const again = await connectPeer(tcpTransport, engine.ports[0] ?? 0);
  again.send(1, fromLease(LISTED, 3));
  const cores: TestPeer[] = [];
  const server = await listenAsPeer(tcpTransport, (peer) => cores.push(peer), [
    { address: "127.0.0.1", port },
  ]);
  t.ok(await comesTrue(() => cores.some(({ received }) => received.length === 1)), "its call passes");
  t.equal(again.ended(), undefined);
  await engine.stop();
  await server.close();
});

void t.test("a stream that can't be cut into messages ends the pair", async (t) => {
  for (const bytes of [
    "020001010000000c",
    "0100010100000004",
    "01000101ffffffff",
    "INVITE sip:x@y SIP/2.0",
  ]) {
    const { engine, lease, cores, close } = await connectBoth();
    lease.send(1, Buffer.from(bytes, bytes.startsWith("0") ? "hex" : "latin1"));
    t.ok(await comesTrue(() => cores[0]?.ended() !== undefined), bytes);
    t.same(bytesOf(cores[0]), Buffer.alloc(0));
    t.equal(engine.counters.faults, 0);
    await close();
  }
});

void t.test("strangers are refused; without the other side nobody is read", async (t) => {
  const engine = await startEngine({
    associations: [
      {
        ...linkTo("tcp", 1).associations[0],
        remote: { address: "127.0.0.9", port: 0 },
        remotes: [{ address: "127.0.0.9", port: 0 }],
      },
      linkTo("tcp", 1).associations[1],
    ],
  });
  const socket = connect({ host: "127.0.0.1", port: engine.ports[0] ?? 0 });
  socket.on("error", () => undefined);
  await once(socket, "close");
  t.match(engine.notes[0], /lease: refused an association from 127\.0\.0\.1/);
  await engine.stop();

  const waiting = await startEngine(linkTo("tcp", 1));
  const lease = await connectPeer(tcpTransport, waiting.ports[0] ?? 0);
  lease.send(1, fromLease(LISTED));
  t.ok(await comesTrue(() => waiting.notes.some((note) => note.includes("core: connect ECONNREFUSED"))));
  t.equal(waiting.counters.ss7.relayed, 0);
  await waiting.stop();
  t.ok(await comesTrue(() => lease.ended() !== undefined));
});

void t.test("a peer that takes nothing stops the other one, and nothing is lost", async (t) => {
  const { lease, cores, close } = await connectBoth();
  const [core] = cores;
  core?.association.read(false);
  const beat = Buffer.alloc(4096);
  Buffer.from("0100030300001000", "hex").copy(beat);
  beat.writeUInt16BE(9, 8);
  beat.writeUInt16BE(4088, 10);
  let sent = 0;
  while (lease.ended() === undefined && sent < 5000) {
    lease.send(0, beat);
    sent++;
    if (lease.association.isCongested && sent > 2000) break;
    if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  core?.association.read(true);
  await core?.wait(sent);
  t.equal(core?.received.length, sent);
  t.equal(lease.ended(), undefined);
  await close();
});

void t.test("the framer: any cut of a stream gives the same messages", (t) => {
  const messages = [fromLease(LISTED, 1), Buffer.from("0100030100000008", "hex"), fromCore("RLC", 2)];
  const stream = Buffer.concat(messages);
  for (let size = 1; size <= stream.length; size++) {
    const framer = createM3uaFramer();
    const taken: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size)
      t.equal(
        framer.push(stream.subarray(at, at + size), (message) => taken.push(Buffer.from(message))),
        undefined,
      );
    t.same(taken, messages);
  }
  t.end();
});
