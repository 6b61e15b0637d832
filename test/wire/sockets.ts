import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, get } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import type { DatagramSockets } from "../../src/wire/udp/datagram-sockets.ts";
import type { DatagramPort } from "../../src/wire/udp/udp.ts";
import { until } from "../support/until.ts";

/** A port under test and everything that it handed over. */
interface Subject {
  readonly port: DatagramPort;
  readonly seen: { readonly bytes: Buffer; readonly address: string; readonly port: number }[];
  readonly errors: Error[];
  readonly drops: string[];
  /** Called for every datagram. */
  handle: ((bytes: Buffer, address: string, port: number) => void) | undefined;
  /** Called for every error. */
  failed: (() => void) | undefined;
}

function closePeer(peer: Socket): Promise<void> {
  return new Promise((closed) => peer.close(() => closed()));
}

/** What every kind of datagram port must do, against sockets of Node's own. */
export function runSocketTable({ kind, open }: DatagramSockets, address: string): void {
  const family = address.includes(":") ? 6 : 4;
  const largest = 65_507;

  async function openSubject(fd?: number, at = 0): Promise<Subject> {
    const made: { subject?: Subject } = {};
    const seen: Subject["seen"] = [];
    const errors: Error[] = [];
    const drops: string[] = [];
    const port = await open(
      address,
      at,
      {
        datagram(bytes, from, fromPort) {
          seen.push({ bytes: Buffer.from(bytes), address: from, port: fromPort });
          made.subject?.handle?.(bytes, from, fromPort);
        },
        dropped: (direction) => drops.push(direction),
        error(error) {
          errors.push(error);
          made.subject?.failed?.();
        },
      },
      fd,
    );
    return (made.subject = { port, seen, errors, drops, handle: undefined, failed: undefined });
  }

  async function openPeer(): Promise<Socket> {
    const peer = createSocket({ type: `udp${family}`, recvBufferSize: 4 * 1024 * 1024 });
    peer.bind(0, address);
    await once(peer, "listening");
    return peer;
  }

  void t.test(`${kind} sockets on ${address}`, async (t) => {
    await t.test("both ways, every size from none to the largest, with address and port", async (t) => {
      const subject = await openSubject();
      const peer = await openPeer();
      const received: Buffer[] = [];
      peer.on("message", (bytes, remote) => {
        t.match(remote, { address, port: subject.port.port });
        received.push(bytes);
      });
      subject.handle = (bytes, from, port) => subject.port.send(bytes, bytes.length, from, port);
      t.equal(subject.port.address, address);
      t.ok(subject.port.port > 0, "a free port was taken");
      t.ok(subject.port.receiveBuffer > 0);
      for (const [index, size] of [0, 1, 850, 1472, 9000, 65_000, largest].entries()) {
        const sent = Buffer.alloc(size, index + 1);
        peer.send(sent, subject.port.port, address);
        await until(() => received.length > index);
        const got = subject.seen[index];
        t.equal(got?.address, address, "source as text");
        t.equal(got?.port, peer.address().port);
        t.ok(got?.bytes.equals(sent), `${size} bytes received`);
        t.ok(received[index]?.equals(sent), `${size} bytes sent`);
      }
      t.same([subject.errors, subject.drops], [[], []]);
      await subject.port.close();
      await closePeer(peer);
    });

    await t.test("a burst of thousands comes whole, in order, and goes on", async (t) => {
      const subject = await openSubject();
      const peer = await openPeer();
      const count = 3000;
      const numbers: number[] = [];
      peer.on("message", (bytes) => numbers.push(bytes.readUInt32BE(0)));
      // One buffer for everything that is sent, as the relay does it.
      let out = Buffer.alloc(65_536);
      subject.handle = (bytes, from, port) => {
        bytes.copy(out);
        if (!subject.port.send(out, bytes.length, from, port)) out = Buffer.alloc(65_536);
      };
      for (let index = 0; index < count; index++) {
        const datagram = Buffer.alloc(850);
        datagram.writeUInt32BE(index);
        peer.send(datagram, subject.port.port, address);
        // The kernel's room is bounded: 1,000 at once.
        if (index % 1000 === 999) await until(() => numbers.length === index + 1);
      }
      t.same(
        numbers,
        Array.from({ length: count }, (_, index) => index),
      );
      t.same([subject.errors, subject.drops], [[], []]);
      await subject.port.close();
      await closePeer(peer);
    });

    await t.test("what is sent outside the handler leaves at once", async (t) => {
      const subject = await openSubject();
      const peer = await openPeer();
      const got = once(peer, "message");
      subject.port.send(Buffer.from("hello, there"), 5, address, peer.address().port);
      t.equal(String((await got)[0]), "hello");
      await subject.port.close();
      await closePeer(peer);
    });

    await t.test("two ports: what one receives the other sends", async (t) => {
      const [left, right] = [await openSubject(), await openSubject()];
      const peer = await openPeer();
      left.handle = (bytes, from, port) => right.port.send(bytes, bytes.length, from, port);
      peer.send("to the left", left.port.port, address);
      const [bytes, remote]: [Buffer, { port: number }] = await once(peer, "message").then(([a, b]) => [
        a,
        b,
      ]);
      t.equal(String(bytes), "to the left");
      t.equal(remote.port, right.port.port);
      await Promise.all([left.port.close(), right.port.close()]);
      await closePeer(peer);
    });

    await t.test("a closed port, port 0 and a datagram too long lose nothing else", async (t) => {
      const subject = await openSubject();
      const [peer, gone] = [await openPeer(), await openPeer()];
      const deaf = gone.address().port;
      await closePeer(gone);
      const received: string[] = [];
      peer.on("message", (bytes) => received.push(String(bytes)));
      const { port } = peer.address();
      const there = subject.port;
      subject.handle = () => {
        there.send(Buffer.from("first"), 5, address, port);
        there.send(Buffer.from("nobody"), 6, address, deaf);
        there.send(Buffer.from("second"), 6, address, port);
        there.send(Buffer.alloc(65_536), 65_536, address, port);
        there.send(Buffer.from("third"), 5, address, port);
        there.send(Buffer.from("port 0"), 6, address, 0);
        there.send(Buffer.from("fourth"), 6, address, port);
      };
      for (let round = 1; round <= 3; round++) {
        peer.send("go", subject.port.port, address);
        await until(() => received.length === 4 * round);
      }
      const expected = ["first", "second", "third", "fourth"];
      t.same(received, [...expected, ...expected, ...expected]);
      // Without a callback per datagram, dgram keeps what the kernel refuses to itself.
      const refused = kind === "batched" ? 3 : 0;
      t.same(
        subject.errors.map((error) => "code" in error && error.code),
        Array.from({ length: refused }, () => "EMSGSIZE"),
      );
      t.equal(subject.drops.length, 3 + refused);
      await subject.port.close();
      await closePeer(peer);
    });

    await t.test(
      "closed in the middle of a batch: silence, no error, and the address is free again",
      async (t) => {
        const subject = await openSubject();
        const peer = await openPeer();
        const { port } = subject.port;
        subject.handle = () => {
          subject.port.send(Buffer.from("last"), 4, address, peer.address().port);
          void subject.port.close();
        };
        const got = once(peer, "message");
        for (let index = 0; index < 50; index++) peer.send(`datagram ${index}`, port, address);
        t.equal(String((await got)[0]), "last", "what was under way was sent");
        await nextTurn();
        t.equal(subject.seen.length, 1);
        t.same(subject.errors, []);
        const again = await openSubject(undefined, port);
        t.equal(again.port.port, port);
        await t.rejects(openSubject(undefined, port), { code: "EADDRINUSE" }, "and taken only once");
        await again.port.close();
        await closePeer(peer);
      },
    );

    await t.test("an address that is not ours is refused", async (t) => {
      const foreign = family === 4 ? "192.0.2.1" : "2001:db8::1";
      const handlers = { datagram: () => undefined, dropped: () => undefined, error: () => undefined };
      await t.rejects(open(foreign, 0, handlers), { code: "EADDRNOTAVAIL" });
    });

    await t.test("promises and ticks that a handler queues run before the next event", async (t) => {
      const subject = await openSubject();
      const peer = await openPeer();
      const order: string[] = [];
      subject.handle = () => {
        process.nextTick(() => order.push("tick"));
        queueMicrotask(() => order.push("microtask"));
        setImmediate(() => order.push("immediate"));
      };
      peer.send("go", subject.port.port, address);
      await until(() => order.length === 3);
      t.same(order, ["tick", "microtask", "immediate"]);
      await subject.port.close();
      await closePeer(peer);
    });

    await t.test("under a flood timers, HTTP and other ports go on", async (t) => {
      const [subject, other] = [await openSubject(), await openSubject()];
      const [peer, friend] = [await openPeer(), await openPeer()];
      const server = createServer((_request, response) => void response.end("fine"));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const bound = server.address();
      if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
      let isFlooding = true;
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      // Never empty: every datagram is answered with itself, to the same port.
      subject.handle = (bytes) => {
        if (isFlooding) subject.port.send(bytes, bytes.length, address, subject.port.port);
      };
      for (let index = 0; index < 200; index++)
        peer.send(Buffer.alloc(400, index), subject.port.port, address);
      await until(() => subject.seen.length > 1000);
      const statuses: (number | undefined)[] = [];
      for (let index = 0; index < 5; index++) {
        const [answer] = await once(get(`http://127.0.0.1:${bound.port}/`, { agent: false }), "response");
        statuses.push(answer.statusCode);
        answer.resume();
        friend.send("hello", other.port.port, address);
        await until(() => other.seen.length > index);
      }
      t.same(statuses, [200, 200, 200, 200, 200]);
      await until(() => ticks >= 20);
      isFlooding = false;
      t.ok(subject.seen.length > 1000);
      clearInterval(timer);
      server.close();
      await Promise.all([subject.port.close(), other.port.close()]);
      await Promise.all([closePeer(peer), closePeer(friend)]);
    });
  });
}
