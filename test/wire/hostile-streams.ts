import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import t, { type Test } from "tap";
import { openStreamPort, type StreamPort } from "../../src/wire/streams/stream-port.ts";
import { createStreamCounters, type StreamCounters } from "../../src/observe/stream-counters.ts";
import { request } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const host = "127.0.0.1";
const limits = {
  connections: 20,
  perSource: 8,
  idleSeconds: 60,
  messageSeconds: 60,
  unreadMegabytes: 64,
};
const message = request({ via: ["SIP/2.0/TCP 127.0.0.1:5070;branch=z9hG4bKx"] });

/** A port alone, with what it has told. */
interface Watched {
  readonly port: StreamPort;
  readonly counters: StreamCounters;
  readonly heard: string[];
  readonly faults: string[];
  readonly returned: string[];
  isWelcome: boolean;
}

async function watch(t: Test, given: Partial<typeof limits> = {}): Promise<Watched> {
  const counters = createStreamCounters();
  const heard: string[] = [];
  const faults: string[] = [];
  const returned: string[] = [];
  const port = await openStreamPort(
    { address: host, port: 0, tls: undefined, limits: { ...limits, ...given }, counters },
    {
      message: (bytes) => void heard.push(bytes.toString("latin1")),
      unframed: (_bytes, why, peer) => {
        faults.push(why);
        const last = Buffer.from("SIP/2.0 400 Bad Request\r\n\r\n");
        port.send(last, last.length, peer.address, peer.port);
      },
      undelivered: (bytes) => void returned.push(bytes.toString("latin1")),
      ownerOf: () => (watched.isWelcome ? "lease" : undefined),
      isHop: () => false,
      isMeant: () => true,
      error: (error) => t.fail(String(error)),
    },
  );
  const watched: Watched = { port, counters, heard, faults, returned, isWelcome: true };
  t.teardown(() => port.close());
  return watched;
}

/** A client and what it hears; `ended` resolves when the connection is over. */
function client(port: StreamPort): { socket: Socket; text: () => string; ended: Promise<void> } {
  const socket = connect(port.port, host);
  let text = "";
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => (text += bytes.toString("latin1")));
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return { socket, text: () => text, ended };
}

void t.test("10,000 segments of one byte, and a message in one piece", async (t) => {
  const { port, heard } = await watch(t);
  const { socket } = client(port);
  socket.setNoDelay(true);
  const body = "v".repeat(10_000);
  const long = request({ via: ["SIP/2.0/TCP 127.0.0.1:5070;branch=z9hG4bKx"], body });
  for (let i = 0; i < long.length; i++) {
    socket.write(long.charAt(i), "latin1");
    if (i % 100 === 0) await wait(0);
  }
  await until(() => heard.length === 1);
  socket.write(message + message + message, "latin1");
  await until(() => heard.length === 4);
  t.strictSame(heard, [long, message, message, message]);
  socket.destroy();
});

void t.test(
  "keep-alives: two line breaks are answered by one, one by none (RFC 5626 section 3.5.1)",
  async (t) => {
    const { port, heard } = await watch(t, { messageSeconds: 1 });
    const { socket, text } = client(port);
    socket.write("\r\n\r\n");
    await until(() => text() === "\r\n");
    socket.write(`\r\n${message}\r\n`, "latin1");
    await until(() => heard.length === 1);
    port.tick(Date.now() + 5000);
    socket.write(message, "latin1");
    await until(() => heard.length === 2);
    t.strictSame(heard, [message, message], "and a line break is no message that has begun");
    t.equal(text(), "\r\n");
    socket.destroy();
  },
);

void t.test("what can't be framed is answered, and ends the connection", async (t) => {
  const rows = [
    ["no Content-Length", message.replace(/Content-Length.*\r\n/u, "")],
    ["a length that is none", message.replace("Content-Length: 0", "Content-Length: 1e3")],
    ["a negative length", message.replace("Content-Length: 0", "Content-Length: -1")],
    ["a length beyond all bounds", message.replace("Content-Length: 0", "Content-Length: 9999999999")],
    ["two lengths", message.replace("Content-Length: 0", "Content-Length: 0\r\nl: 5")],
    ["no SIP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a start line without end", `INVITE ${"x".repeat(9000)}`],
    ["fields without end", `${message.slice(0, -2)}X: ${"x".repeat(70_000)}`],
    ["LF alone", message.replaceAll("\r\n", "\n")],
    ["binary", Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]).toString("latin1")],
  ] as const;
  for (const [name, text] of rows) {
    const { port, counters, heard, faults } = await watch(t);
    const { socket, text: answer, ended } = client(port);
    socket.write(text + message, "latin1");
    await ended;
    t.equal(faults.length, 1, name);
    t.strictSame(heard, [], "and what follows is no message");
    t.match(answer(), /^SIP\/2\.0 400 /u, "the answer has arrived");
    t.equal(counters.closed.framing, 1);
    t.equal(counters.open, 0);
  }
});

void t.test("half a message, and silence", async (t) => {
  const rows = [
    ["half a message", message.slice(0, 100), 10, "incomplete"],
    ["one byte", "I", 10, "incomplete"],
    ["a body that doesn't come", message.replace("Content-Length: 0", "Content-Length: 5"), 10, "incomplete"],
    ["a whole one, and silence", "", 60, "idle"],
    ["nothing at all", undefined, 60, "idle"],
  ] as const;
  for (const [name, text, seconds, reason] of rows) {
    const { port, counters, heard } = await watch(t, { messageSeconds: 10 });
    const begun = Date.now();
    const { socket, ended } = client(port);
    // The message in front is heard: what stands behind it in the same segment has come too.
    if (text !== undefined) socket.write(message + text, "latin1");
    await until(() => counters.open === 1 && heard.length === (text === undefined ? 0 : 1));
    port.tick(begun + seconds * 1000);
    t.equal(counters.open, 1, `${name}: in time`);
    port.tick(Date.now() + seconds * 1000 + 2000);
    await ended;
    t.equal(counters.closed[reason], 1, `${name}: ${reason}`);
  }
});

void t.test("a byte now and then doesn't keep a message alive", async (t) => {
  const { port, counters } = await watch(t, { messageSeconds: 10 });
  const { socket, ended } = client(port);
  socket.setNoDelay(true);
  let last = 0;
  for (const char of "INVITE sip:a") {
    last = Date.now();
    socket.write(char);
    await wait(5);
  }
  // Too late for the first byte, in time for the last one.
  port.tick(last + 10_000);
  await ended;
  t.equal(counters.closed.incomplete, 1);
});

void t.test("strangers, floods and too many of one source are closed at once", async (t) => {
  const watched = await watch(t, { connections: 6, perSource: 4 });
  const { port, counters } = watched;
  watched.isWelcome = false;
  await Promise.all(Array.from({ length: 50 }, () => client(port).ended));
  t.equal(counters.results.refused, 50);
  t.equal(counters.results.accepted, 0);
  watched.isWelcome = true;
  const clients = Array.from({ length: 50 }, () => client(port));
  await until(() => counters.results.refused === 96);
  t.equal(counters.open, 4, "of one source");
  for (const { socket } of clients) socket.destroy();
  await until(() => counters.open === 0);
  const after = client(port);
  await until(() => counters.open === 1);
  t.equal(counters.open, 1, "and there is room again");
  watched.isWelcome = false;
  port.tick(Date.now() + 2000);
  await after.ended;
  t.equal(counters.closed.policy, 1, "a reload took its trunk away");
});

void t.test("a peer that doesn't read loses its connection, not our memory", async (t) => {
  const { port, counters, heard } = await watch(t);
  const { socket, ended } = client(port);
  socket.write(message, "latin1");
  await until(() => heard.length === 1);
  socket.pause();
  const bulk = Buffer.alloc(64 * 1024, 0x20);
  const own = socket.localPort ?? 0;
  for (let i = 0; i < 2000 && counters.open === 1; i++) {
    port.send(bulk, bulk.length, host, own);
    if (i % 16 === 0) await wait(0);
  }
  t.equal(counters.closed["slow-reader"], 1);
  socket.resume();
  await ended;
});

void t.test(
  "peers that don't read: their connections end by what all of them leave, the worst first",
  async (t) => {
    const { port, counters, heard } = await watch(t, { unreadMegabytes: 1 });
    const clients = Array.from({ length: 6 }, () => client(port));
    for (const { socket } of clients) socket.write(message, "latin1");
    await until(() => heard.length === clients.length);
    const [calm, worst, ...slow] = clients;
    if (calm === undefined || worst === undefined) throw new Error("no clients");
    for (const { socket } of [worst, ...slow]) socket.pause();
    const piece = Buffer.alloc(16 * 1024, 0x20);
    const send = ({ socket }: typeof calm): void => {
      port.send(piece, piece.length, host, socket.localPort ?? 0);
    };
    // The kernel takes some megabytes of each before anything waits here.
    while (counters.unread < 800_000) {
      send(worst);
      await wait(0);
    }
    let rounds = 0;
    for (; rounds < 2000 && counters.open === clients.length; rounds++) {
      for (const each of [calm, ...slow]) send(each);
      await wait(0);
    }
    t.equal(counters.closed.memory, 1);
    t.equal(counters.closed["slow-reader"], 0, "none has gone beyond what one may leave");
    worst.socket.resume();
    await worst.ended;
    t.ok(counters.unread < 1024 * 1024, "what it left is given up");
    await until(() => calm.text().length >= rounds * piece.length);
    t.equal(calm.text().length, rounds * piece.length, "who reads has heard everything");
    for (const { socket } of clients) socket.destroy();
    await until(() => counters.open === 0);
    t.equal(counters.unread, 0, "nothing is left of them");
  },
);

void t.test("a flooding connection delays no other", async (t) => {
  const { port, heard } = await watch(t);
  const flood = client(port).socket;
  const calm = client(port).socket;
  const other = message.replace("call-1", "calm-1");
  flood.write(message.repeat(3000), "latin1");
  await until(() => heard.length > 0);
  calm.write(other, "latin1");
  await until(() => heard.length === 3001);
  const place = heard.findIndex((text) => text === other);
  t.ok(place >= 0 && place < 2500, `heard after ${place} of 3000`);
  flood.destroy();
  calm.destroy();
});

void t.test("connections of ours: one for all that waits, then reuse", async (t) => {
  const { port, counters } = await watch(t);
  let text = "";
  let connected = 0;
  const server = await serve((socket) => {
    connected++;
    socket.on("data", (bytes) => (text += bytes.toString("latin1")));
  });
  const to = portOf(server);
  const three = ["a", "b", "c"].map((id) => message.replace("call-1", `call-${id}`));
  for (const each of three) {
    const bytes = Buffer.from(each, "latin1");
    port.send(bytes, bytes.length, host, to);
    bytes.fill(0);
  }
  await until(() => text.length === 3 * message.length);
  t.equal(text, three.join(""), "in order, and copied when they were sent");
  const again = Buffer.from(message, "latin1");
  port.send(again, again.length, host, to);
  await until(() => text.length === 4 * message.length);
  t.equal(connected, 1);
  t.same(port.namesOf(host, to), []);
  t.equal(counters.results.connected, 1);
  server.close();
});

void t.test("nobody there: given back, and not tried again at once", async (t) => {
  const { port, counters, returned } = await watch(t);
  const server = await serve(() => undefined);
  const to = portOf(server);
  await new Promise<void>((closed) => server.close(() => closed()));
  const bytes = Buffer.from(message, "latin1");
  port.send(bytes, bytes.length, host, to);
  t.equal(returned.length, 0, "never within the call that sends");
  await until(() => returned.length === 1);
  t.equal(counters.results.failed, 1);
  port.send(bytes, bytes.length, host, to);
  t.equal(returned.length, 1);
  await until(() => returned.length === 2);
  t.strictSame(returned, [message, message]);
  t.equal(counters.results.failed, 1, "backing off: no second attempt");
  t.equal(counters.undelivered, 2);
});

void t.test("an attempt that takes too long is given up", async (t) => {
  const { port, returned } = await watch(t);
  const bytes = Buffer.from(message, "latin1");
  // A listener whose backlog is full never completes the handshake; TEST-NET-1 (RFC 5737) never answers either.
  port.send(bytes, bytes.length, "192.0.2.200", 5060);
  port.tick(Date.now() + 10_000);
  await until(() => returned.length === 1);
  t.strictSame(returned, [message]);
});

function serve(take: (socket: Socket) => void): Promise<Server> {
  const server = createServer(take);
  return new Promise((ready) => server.listen(0, host, () => ready(server)));
}

function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}
