import { Buffer } from "node:buffer";
import type { SipTransport } from "../../../src/domain/trunk.ts";
import { createSipFramer, type SipFramer } from "../../../src/sip/framer.ts";
import type { Sent } from "../../support/proxy.ts";
import { joinAddress, listenerFor, splitAddress, type StreamProxy } from "../../support/streams.ts";
import type { Random } from "../random.ts";

/** Carries what peers say: as a datagram, or in pieces over connections that begin, break and end. */
export interface Wires {
  /** Takes a message of the peer at "address:port"; returns what the proxy sent meanwhile. */
  say(from: string, bytes: Buffer): Sent[];
  /** Some time passes; what has no connection may find none. */
  pass(milliseconds: number): Sent[];
  /** Where everything that was ever said by a peer came from: "address:port". */
  readonly said: (from: string, message: Buffer) => void;
}

interface Stream {
  readonly framer: SipFramer;
  readonly from: string;
  waiting: Buffer;
}

/** Longest time that passes at once, in ticks of the engine: 32 s are 320 of them. */
const LONGEST = 2000;

/** `said` is told of every message as the proxy gets it: what a framer makes of pieces is a message of its own. */
export function createWires(
  proxy: StreamProxy,
  random: Random,
  said: (from: string, message: Buffer) => void,
): Wires {
  const streams = new Map<string, Stream>();
  /** The transport by which something was last heard from us at a place, so that answers come the same way. */
  const heardBy = new Map<string, SipTransport>();
  let nextPort = 40_000;

  function isOpen(transport: SipTransport, place: string): boolean {
    const { address } = splitAddress(place);
    return proxy.connections.has(`${listenerFor(transport, address).id} ${place}`);
  }

  /** A connection of this place: one that we opened to it, else one of its own, from a port of its own. */
  function streamOf(transport: "tcp" | "tls", place: string): Stream | undefined {
    const { address, port } = splitAddress(place);
    const listener = listenerFor(transport, address);
    const key = `${transport} ${place}`;
    const known = streams.get(key);
    if (known !== undefined && isOpen(transport, known.from)) return known;
    const from = isOpen(transport, place) || port >= 40_000 ? place : joinAddress(address, nextPort++);
    const peer = { address, port: splitAddress(from).port, names: [] };
    if (proxy.proxy.ownerOf(proxy.now, listener, peer) === undefined) return undefined;
    const stream = { framer: createSipFramer(), from, waiting: Buffer.alloc(0) };
    streams.set(key, stream);
    proxy.connections.set(`${listener.id} ${from}`, []);
    return stream;
  }

  function close(transport: "tcp" | "tls", stream: Stream): void {
    const { address } = splitAddress(stream.from);
    proxy.connections.delete(`${listenerFor(transport, address).id} ${stream.from}`);
    for (const [key, value] of streams) if (value === stream) streams.delete(key);
  }

  /** Hands over the next piece, of any length. */
  function feed(transport: "tcp" | "tls", stream: Stream, length: number): Sent[] {
    const { framer, from } = stream;
    const { address, port } = splitAddress(from);
    const sent: Sent[] = [];
    framer.push(Buffer.from(stream.waiting.subarray(0, length)));
    stream.waiting = stream.waiting.subarray(length);
    for (let event = framer.next(); event !== undefined; event = framer.next()) {
      if (event.kind === "ping") continue;
      said(from, event.bytes);
      if (event.kind === "message")
        sent.push(...proxy.receive(transport, from, event.bytes.toString("latin1")));
      else {
        const listener = listenerFor(transport, address);
        proxy.proxy.unframed(proxy.now, listener, { address, port, names: [] }, event.bytes, event.why);
        sent.push(...proxy.take());
        close(transport, stream);
      }
    }
    return sent;
  }

  /** What goes to a stream finds a connection, or none, or breaks the one it has. */
  function deliver(sent: readonly Sent[]): Sent[] {
    const back: Sent[] = [];
    for (const { listener, to, bytes } of sent) {
      const [transport] = listener.split(":");
      if (transport === "udp") heardBy.set(to, "udp");
      if (transport !== "tcp" && transport !== "tls") continue;
      const { address, port } = splitAddress(to);
      if (!isOpen(transport, to) && random.once(5)) {
        const why = random.pick(["unreached", "back-off", "no-room"] as const);
        proxy.proxy.undelivered(proxy.now, listenerFor(transport, address), address, port, bytes, why);
        back.push(...proxy.take());
      } else {
        heardBy.set(to, transport);
        proxy.connections.set(`${listener} ${to}`, []);
      }
    }
    return back;
  }

  /** What we sent, and what came of its not arriving. */
  function settle(sent: Sent[]): Sent[] {
    for (let last = sent, turns = 0; last.length > 0 && turns < 8; turns++) {
      last = deliver(last);
      sent.push(...last);
    }
    return sent;
  }

  return {
    said,
    say(from, bytes) {
      const { address, port } = splitAddress(from);
      const transport = heardBy.get(from) ?? random.pick(["udp", "udp", "tcp", "tls"] as const);
      if (transport === "udp") {
        said(from, bytes);
        proxy.proxy.handle(proxy.now, listenerFor("udp", address), address, port, bytes);
        return settle(proxy.take());
      }
      const stream = streamOf(transport, from);
      if (stream === undefined) return [];
      stream.waiting = Buffer.concat([stream.waiting, bytes]);
      const sent: Sent[] = [];
      // The rest, if any, comes with the next message of this peer.
      for (let pieces = 1 + random.below(5); pieces > 0 && stream.waiting.length > 0; pieces--) {
        const isLast = pieces === 1 && !random.once(4);
        sent.push(
          ...feed(
            transport,
            stream,
            isLast ? stream.waiting.length : 1 + random.below(stream.waiting.length),
          ),
        );
        if (!isOpen(transport, stream.from)) break;
      }
      if (random.once(30)) close(transport, stream);
      return settle(sent);
    },
    pass(milliseconds) {
      return settle(proxy.wait(Math.min(milliseconds, LONGEST)));
    },
  };
}
