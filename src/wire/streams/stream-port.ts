// TCP and TLS ports: accepts and opens connections, and sends messages over them.
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Millis } from "../../domain/time.ts";
import { NEXT_HOP, STRANGER } from "../../domain/trunk.ts";
import type { StreamLimits } from "../../config/load-static.ts";
import type { TlsMaterial } from "../../config/sigwall/tls-files.ts";
import type { DeliveryFailure, StreamPeer } from "../../proxy/connection-events.ts";
import type { StreamCounters, TlsRefusal } from "../../observe/stream-counters.ts";
import type { Endpoint } from "../../net/address.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import { createFairRoom, largestOf } from "../../state/fair-room.ts";
import { createConnection, type Connection, type ConnectionHandlers, type Peer } from "./connection.ts";
import { createOutgoing } from "./outgoing.ts";
import { createPlaces, type Place } from "./places.ts";
import { createTlsSide, provenNames, tlsCauseOf, tlsWordsOf } from "./tls-side.ts";

/** A TCP or TLS port: all that the engine knows of connections. */
export interface StreamPort {
  readonly address: string;
  readonly port: number;
  /**
   * Sends the first `length` bytes over the open connection to that remote port, or over a new one.
   * The bytes are copied.
   * @returns true, as the caller may always reuse its buffer
   */
  send(bytes: Buffer, length: number, address: string, port: number): boolean;
  /**
   * Returns the names that a connected peer proves.
   * @returns undefined when it is not connected
   */
  namesOf(address: string, port: number): readonly string[] | undefined;
  /** Closes connections that have waited too long. Called ten times a second. */
  tick(now: Millis): void;
  /** Uses other certificates for new connections. Throws when they are unusable. */
  renew(material: TlsMaterial): void;
  close(): Promise<void>;
}

/** What a TCP or TLS port calls and asks. */
export interface StreamHandlers {
  /** Takes a message. The bytes are valid only during the call. */
  readonly message: ConnectionHandlers["message"];
  readonly unframed: ConnectionHandlers["unframed"];
  /** Takes a message that no connection could carry, and why. Never called within `send`. */
  readonly undelivered: (bytes: Buffer, address: string, port: number, why: DeliveryFailure) => void;
  /** Tells whose a peer is, as the proxy does; undefined: it is not known. */
  readonly ownerOf: (peer: StreamPeer) => string | undefined;
  /** Tells whether our own connection to this place leads to a next hop. */
  readonly isHop: (address: string, port: number) => boolean;
  /**
   * Tells whether a TLS peer that we connected to is the intended one. `addresses`: those in its
   * certificate.
   */
  readonly isMeant: (peer: Peer, addresses: readonly string[]) => boolean;
  readonly error: (error: Error) => void;
  /** Takes a TLS connection that came to nothing, of a peer (`192.0.2.1:5061`), and why. */
  readonly tlsRefused?: ((peer: string, cause: TlsRefusal, why: string) => void) | undefined;
}

/** How a TCP or TLS port is opened. */
export interface StreamOptions {
  readonly address: string;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls: TlsMaterial | undefined;
  readonly limits: StreamLimits;
  readonly counters: StreamCounters;
}

/** At most this many octets of unfinished messages, of all connections together. */
const MOST_HELD = 64 * 1024 * 1024;
const SWEEP: Millis = 1000;
/** Time that connections have to send the rest when the port closes. */
const PARTING: Millis = 500;
const KEEP_ALIVE: Millis = 30_000;
/** At most this many names of a certificate are told. */
const MOST_NAMES = 4;
const NO_NAMES: readonly string[] = [];

/** Listens on a literal address; port 0 takes any free port. Rejects when it can't. */
export async function openStreamPort(options: StreamOptions, handlers: StreamHandlers): Promise<StreamPort> {
  const { address: local, limits, counters } = options;
  const times = { idle: limits.idleSeconds * 1000, message: limits.messageSeconds * 1000 };
  const places = createPlaces({
    most: limits.connections,
    mostBySource: limits.perSource,
    giveUp({ connection, socket }) {
      if (connection === undefined) socket.destroy();
      else connection.close("share");
    },
  });
  const connections = new Map<string, Connection>();
  /** The connections that take messages, and their places. */
  const standing = new Map<Connection, Place>();
  /** The places of sockets that have begun a handshake, by remote address and port. */
  const securing = new Map<string, Place>();
  const held = createFairRoom({ most: MOST_HELD, choose: largestOf, giveUp: forgo });
  const unread = createFairRoom({
    most: limits.unreadMegabytes * 1024 * 1024,
    choose: largestOf,
    giveUp: forgo,
  });
  let swept = 0;
  let isClosed = false;

  /** Begins to take messages from the peer in a place. Its owner pays for what is kept for it here. */
  function take(place: Place, socket: Socket, peer: Peer): Connection {
    counters.open++;
    const key = keyOf(peer.address, peer.port);
    const connection: Connection = createConnection(socket, peer, times, {
      message: handlers.message,
      unframed: handlers.unframed,
      hold: (octets) => held.hold(connection, place.owner, octets),
      wait(octets) {
        counters.unread += octets;
        unread.hold(connection, place.owner, octets);
      },
      closed(_connection, reason) {
        counters.open--;
        counters.closed[reason]++;
        standing.delete(connection);
        if (connections.get(key) === connection) connections.delete(key);
      },
    });
    place.connection = connection;
    standing.set(connection, place);
    connections.set(key, connection);
    return connection;
  }

  function refuse(socket: Socket): void {
    counters.results.refused++;
    socket.on("error", () => undefined);
    socket.destroy();
  }

  function accept(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined || isClosed) {
      refuse(socket);
      return;
    }
    // Unknown peers don't get as far as a handshake.
    const owner = handlers.ownerOf({ address, port, names: tls === undefined ? NO_NAMES : undefined });
    if (owner === undefined && tls !== undefined)
      tell({ address, port }, "stranger", "no trunk is at this address");
    if (owner === undefined || !places.makeRoom(address, owner)) {
      refuse(socket);
      return;
    }
    const place = places.keep(socket, address, owner);
    if (tls !== undefined) {
      const key = keyOf(address, port);
      securing.set(key, place);
      socket.once("close", () => securing.get(key) === place && securing.delete(key));
      tls.accept(socket);
      return;
    }
    counters.results.accepted++;
    take(place, socket, { address, port, names: NO_NAMES });
  }

  function acceptSecured(socket: TLSSocket): void {
    const { remoteAddress: address = "", remotePort: port = 0 } = socket;
    const { names } = provenNames(socket);
    const place = securing.get(keyOf(address, port));
    const owner = handlers.ownerOf({ address, port, names });
    if (place === undefined || owner === undefined) {
      refuse(socket);
      tellSecured(socket, { address, port }, names);
      return;
    }
    socket.on("error", () => undefined);
    counters.results.accepted++;
    places.move(place, owner);
    take(place, socket, { address, port, names });
  }

  function tell(peer: Endpoint, cause: TlsRefusal, why: string): void {
    counters.tlsRefused[cause]++;
    handlers.tlsRefused?.(formatEndpoint(peer), cause, why);
  }

  /** Tells why a peer whose handshake succeeded is no peer of ours. */
  function tellSecured(socket: TLSSocket, peer: Endpoint, names: readonly string[]): void {
    if (socket.authorized) {
      const words = names.length === 0 ? "no name that counts" : names.slice(0, MOST_NAMES).join(" ");
      tell(peer, "wrong-name", `the certificate proves ${words}`);
    } else if (socket.getPeerX509Certificate() === undefined)
      tell(peer, "no-certificate", "the peer showed no certificate");
    else tell(peer, "untrusted", String(socket.authorizationError));
  }

  const tls =
    options.tls === undefined
      ? undefined
      : createTlsSide(options.tls, times.message, {
          secured: acceptSecured,
          failed(socket, cause, why) {
            counters.results.refused++;
            const { remoteAddress: address = "unknown", remotePort: port = 0 } = socket;
            tell({ address, port }, cause, why);
          },
        });

  /** Gives our own connection a place; next hops need none. */
  function keep(socket: Socket, address: string, owner: string): Place {
    return owner === NEXT_HOP ? places.keepOwn(socket, address) : places.keep(socket, address, owner);
  }

  const outgoing = createOutgoing({
    ownerOf: (address, port) =>
      ownerOfOwn({ address, port, names: tls === undefined ? NO_NAMES : undefined }),
    dial(address, port, owner, reached) {
      if (isClosed || (owner !== NEXT_HOP && !places.makeRoom(address, owner))) return undefined;
      const to = isAny(local) ? { host: address, port } : { host: address, port, localAddress: local };
      if (tls === undefined) {
        const socket = connect({ ...to, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE });
        const place = keep(socket, address, owner);
        socket.once("connect", () => reached(NO_NAMES));
        return place;
      }
      const socket = tls.connect(to);
      const place = keep(socket, address, owner);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE);
      socket.once("secureConnect", () => {
        const { names, addresses } = provenNames(socket);
        if (handlers.isMeant({ address, port, names }, addresses)) reached(names);
        else {
          tellSecured(socket, { address, port }, names);
          socket.destroy();
        }
      });
      socket.once("error", (error: Error) => {
        const cause = tlsCauseOf(error);
        // A connection that was refused or timed out is no matter of TLS.
        const isOfTls = "library" in error || cause !== "handshake";
        if (isOfTls) tell({ address, port }, cause, tlsWordsOf(error));
      });
      return place;
    },
    reached(place, peer, waiting) {
      counters.results.connected++;
      const connection = take(place, place.socket, peer);
      for (const bytes of waiting) connection.write(bytes);
    },
    failed: () => void counters.results.failed++,
    undelivered(bytes, address, port, why) {
      counters.undelivered++;
      setImmediate(() => {
        if (!isClosed) handlers.undelivered(bytes, address, port, why);
      });
    },
  });

  /** Whose peer is at the other end of our own connection. A place that a Via names may be nobody's. */
  function ownerOfOwn(peer: StreamPeer): string {
    return handlers.isHop(peer.address, peer.port) ? NEXT_HOP : (handlers.ownerOf(peer) ?? STRANGER);
  }

  function sweep(): void {
    for (const [connection, place] of standing) {
      const owner = handlers.ownerOf(connection);
      // A reload may have removed the trunk, or given its address to another one.
      if (owner === undefined) {
        connection.close("policy");
        continue;
      }
      if (!place.isOwn && owner !== place.owner) {
        places.move(place, owner);
        held.move(connection, owner);
        unread.move(connection, owner);
      }
      connection.check(swept);
    }
  }

  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE }, accept);
  const port = await listen(server, local, options.port);
  server.on("error", handlers.error);
  return {
    address: local,
    port,
    send(bytes, length, address, remotePort) {
      const own = Buffer.from(bytes.subarray(0, length));
      const connection = connections.get(keyOf(address, remotePort));
      if (connection === undefined) outgoing.send(own, address, remotePort);
      else connection.write(own);
      return true;
    },
    namesOf: (address, remotePort) => connections.get(keyOf(address, remotePort))?.names,
    tick(now) {
      if (now - swept < SWEEP) return;
      swept = now;
      outgoing.tick(now);
      sweep();
    },
    renew: (material) => tls?.renew(material),
    async close() {
      isClosed = true;
      const closed = [new Promise<void>((resolve) => server.close(() => resolve()))];
      for (const socket of places.sockets) {
        closed.push(new Promise((resolve) => socket.once("close", () => resolve())));
        socket.destroySoon();
      }
      const last = setTimeout(() => {
        for (const socket of places.sockets) socket.destroy();
      }, PARTING);
      await Promise.all(closed);
      clearTimeout(last);
    },
  };
}

/** Listens and resolves with the bound port. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, ipv6Only: host.includes(":") }, () => {
      server.off("error", reject);
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    });
  });
}

/** Ends a connection because all together hold too much. */
function forgo(connection: Connection): void {
  connection.close("memory");
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}
