import { Socket } from "node:net";
import t from "tap";
import { NEXT_HOP } from "../../src/domain/trunk.ts";
import { createOutgoing, type Outgoing } from "../../src/wire/streams/outgoing.ts";
import type { DeliveryFailure } from "../../src/proxy/connection-events.ts";

/** Where connections are begun that never come about, and what could not be sent, and why. */
function createSilentWorld(
  hasRoom = true,
  owners: Readonly<Record<string, string>> = {},
): {
  readonly outgoing: Outgoing;
  readonly dialled: string[];
  readonly sockets: Socket[];
  readonly undelivered: string[];
  readonly whys: () => readonly DeliveryFailure[];
} {
  const dialled: string[] = [];
  const sockets: Socket[] = [];
  const undelivered: string[] = [];
  const whys: DeliveryFailure[] = [];
  const outgoing = createOutgoing({
    ownerOf: (address) => owners[address] ?? address,
    dial(address, port) {
      if (!hasRoom) return undefined;
      dialled.push(`${address}:${port}`);
      const socket = new Socket();
      socket.on("error", () => undefined);
      sockets.push(socket);
      return { socket, address, owner: "", isOwn: false, connection: undefined };
    },
    reached: () => undefined,
    failed: () => undefined,
    undelivered(_bytes, address, port, why) {
      undelivered.push(`${address}:${port}`);
      whys.push(why);
    },
  });
  return { outgoing, dialled, sockets, undelivered, whys: () => whys.splice(0) };
}

const bytes = Buffer.from("SIP/2.0 180 Ringing\r\n\r\n");

void t.test("a peer with many silent ports keeps nobody else from being connected to", async (t) => {
  const { outgoing, dialled, undelivered, whys } = createSilentWorld();
  // It names another port in each Via, and is gone before its answers come.
  for (let port = 10_000; port < 10_200; port++) outgoing.send(bytes, "203.0.113.10", port);
  t.equal(dialled.length, 8, "a few at a time");
  t.equal(undelivered.length, 192, "the rest has nowhere to go");
  t.same([...new Set(whys())], ["no-room"], "which is no fault of the peer");
  outgoing.send(bytes, "198.51.100.1", 5060);
  t.equal(dialled.at(-1), "198.51.100.1:5060");
  outgoing.tick(Date.now() + 5000);
  t.equal(undelivered.length, 201, "given up after 4 s");
  t.same([...new Set(whys())], ["unreached"]);
  outgoing.send(bytes, "203.0.113.10", 20_000);
  t.equal(dialled.at(-1), "203.0.113.10:20000", "and then there is room again");
});

void t.test(
  "attempts: a trunk with many addresses keeps no other one and no next hop from being connected to",
  async (t) => {
    const greedy = Array.from({ length: 20 }, (_, i) => `203.0.113.${i}`);
    const owners = Object.fromEntries(greedy.map((address) => [address, "greedy"]));
    const { outgoing, dialled, undelivered } = createSilentWorld(true, { ...owners, "192.0.2.9": NEXT_HOP });
    for (const address of greedy) for (let port = 1; port <= 8; port++) outgoing.send(bytes, address, port);
    t.equal(dialled.length, 64, "as many as there may be");
    t.equal(undelivered.length, 96);
    outgoing.send(bytes, "192.0.2.9", 5060);
    t.equal(dialled.at(-1), "192.0.2.9:5060", "a next hop comes on top");
    t.equal(undelivered.length, 96);
    outgoing.send(bytes, "198.51.100.1", 5060);
    t.equal(dialled.at(-1), "198.51.100.1:5060");
    t.equal(undelivered.at(-1), "203.0.113.0:1", "in the place of the oldest attempt");
    outgoing.send(bytes, "203.0.113.19", 8);
    t.equal(undelivered.at(-1), "203.0.113.19:8", "and the greedy one gets no more");
  },
);

void t.test("why a message was not sent: only a peer that was asked has failed", async (t) => {
  const place = ["198.51.100.1", 5060] as const;
  const full = createSilentWorld(false);
  full.outgoing.send(bytes, ...place);
  t.same(full.whys(), ["no-room"], "as many connections as there may be");

  const { outgoing, whys, sockets } = createSilentWorld();
  for (const octet of [1, 2]) outgoing.send(Buffer.alloc(300 * 1024, octet), ...place);
  t.same(whys(), ["no-room"], "more than may wait for a connection");
  const end = async (code: string): Promise<void> => {
    const last = sockets.at(-1);
    last?.destroy(Object.assign(new Error(code), { code }));
    await new Promise((closed) => last?.once("close", closed));
  };
  await end("ECONNREFUSED");
  t.same(whys(), ["unreached"]);
  outgoing.send(bytes, ...place);
  t.same(whys(), ["back-off"], "it is not asked again at once");
  for (const [port, code] of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"].entries()) {
    outgoing.send(bytes, "198.51.100.2", 5060 + port);
    await end(code);
    t.same(whys(), ["no-room"], `${code}: our own system says so`);
  }
});

void t.test("a repeat of what waits for a connection already waits no second time", async (t) => {
  const { outgoing, undelivered } = createSilentWorld();
  const other = Buffer.from("SIP/2.0 200 OK\r\n\r\n");
  for (const each of [bytes, other, Buffer.from(bytes), Buffer.from(other)])
    outgoing.send(each, "198.51.100.1", 5060);
  outgoing.tick(Date.now() + 5000);
  t.equal(undelivered.length, 2);
});
