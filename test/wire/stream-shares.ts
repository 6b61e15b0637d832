import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import t, { type Test } from "tap";
import { NEXT_HOP } from "../../src/domain/trunk.ts";
import { createStreamCounters, type StreamCounters } from "../../src/observe/stream-counters.ts";
import { openStreamPort, type StreamPort } from "../../src/wire/streams/stream-port.ts";
import { request } from "../support/proxy.ts";
import { until } from "../support/until.ts";

/** Every address is a trunk of its own, but for a greedy one that has many. */
function ownerOf(address: string): string {
  return address.startsWith("127.0.1.") ? "greedy" : `trunk of ${address}`;
}

const message = request({ via: ["SIP/2.0/TCP 127.0.0.1:5070;branch=z9hG4bKx"] });

interface Watched {
  readonly port: StreamPort;
  readonly counters: StreamCounters;
  readonly heard: string[];
  readonly returned: string[];
}

/** A port with 20 places when nothing else is given. `hops`: ports at which next hops listen. */
async function watch(
  t: Test,
  given: { readonly connections?: number; readonly perSource?: number } = {},
  hops: ReadonlySet<number> = new Set(),
): Promise<Watched> {
  const counters = createStreamCounters();
  const heard: string[] = [];
  const returned: string[] = [];
  const times = { idleSeconds: 60, messageSeconds: 60, unreadMegabytes: 64 };
  const limits = { connections: 20, perSource: 8, ...times, ...given };
  const port = await openStreamPort(
    { address: "127.0.0.1", port: 0, tls: undefined, limits, counters },
    {
      message: (bytes) => void heard.push(bytes.toString("latin1")),
      unframed: () => undefined,
      undelivered: (_bytes, _address, _port, why) => void returned.push(why),
      ownerOf: ({ address, port: from }) => (hops.has(from) ? NEXT_HOP : ownerOf(address)),
      isHop: (_address, to) => hops.has(to),
      isMeant: () => true,
      error: (error) => t.fail(String(error)),
    },
  );
  t.teardown(() => port.close());
  return { port, counters, heard, returned };
}

function open(t: Test, { port }: StreamPort, localAddress: string): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

/** Takes every place from the many addresses of one trunk. */
async function crowd(t: Test, { port, counters }: Watched): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: 24 }, (_, i) => open(t, port, `127.0.1.${1 + (i >> 2)}`));
  await until(() => counters.results.accepted === 20 && counters.results.refused === 4);
  return sockets;
}

void t.test(
  "a trunk that holds every place: its idlest connection ends for others, and it gets no more",
  async (t) => {
    const watched = await watch(t);
    const { port, counters, heard } = watched;
    const sockets = await crowd(t, watched);
    // All but one have said something since.
    for (const socket of sockets.slice(1)) if (!socket.destroyed) socket.write(message, "latin1");
    await until(() => heard.length >= 19);
    const idle = sockets[0];
    const honest = open(t, port, "127.0.0.2");
    honest.write(message.replace("call-1", "honest"), "latin1");
    await until(() => heard.some((text) => text.includes("honest")));
    t.equal(counters.closed.share, 1);
    if (idle?.closed === false) await once(idle, "close");
    t.ok(idle?.closed, "the idlest one");
    const refused = counters.results.refused;
    const more = open(t, port, "127.0.1.9");
    await until(() => counters.results.refused === refused + 1);
    more.destroy();
    for (let host = 3; host < 8; host++) open(t, port, `127.0.0.${host}`);
    await until(() => counters.closed.share === 6);
    t.equal(counters.open, 20, "as many as there may be");
    t.notOk(honest.closed);
  },
);

void t.test(
  "connections of ours to next hops find room whatever peers hold; to other places they need a place",
  async (t) => {
    const hops = new Set<number>();
    const watched = await watch(t, {}, hops);
    const { port, counters, returned } = watched;
    await crowd(t, watched);
    const server = createServer((socket) => void socket.on("error", () => undefined));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.teardown(() => server.close());
    const bound = server.address();
    const to = typeof bound === "object" && bound !== null ? bound.port : 0;
    const bytes = Buffer.from(message, "latin1");
    port.send(bytes, bytes.length, "127.0.1.1", to);
    await until(() => returned.length === 1);
    t.same(returned, ["no-room"], "a place of the greedy trunk itself");
    hops.add(to);
    port.send(bytes, bytes.length, "127.0.0.1", to);
    await until(() => counters.results.connected === 1);
    t.equal(counters.closed.share, 0, "nobody has to go for it");
    t.equal(counters.open, 21);
  },
);

void t.test("unfinished messages: who holds most loses a connection, not who asks last", async (t) => {
  const { port, counters, heard } = await watch(t, { connections: 400, perSource: 100 });
  const head = message.replace("Content-Length: 0", "Content-Length: 262000");
  // 257 of these are a little more than the 64 MiB that there are.
  const large = head + "a".repeat(261_000);
  for (let i = 0; i < 257; i++) open(t, port, `127.0.1.${1 + (i >> 6)}`).write(large, "latin1");
  await until(() => counters.closed.memory === 1);
  const honest = [2, 3].map((host) => open(t, port, `127.0.0.${host}`));
  for (const socket of honest) socket.write(head + "h".repeat(150_000), "latin1");
  await until(() => counters.closed.memory === 2);
  for (const socket of honest) socket.write("h".repeat(112_000), "latin1");
  await until(() => heard.length === 2);
  t.ok(heard.every((text) => text.endsWith("hhh")));
  t.same(
    honest.map(({ closed }) => closed),
    [false, false],
  );
});
