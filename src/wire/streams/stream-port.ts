// TCP and TLS ports: accepts and opens connections, and sends messages over them.
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Millis } from "../../domain/time.ts";
import type { StreamLimits } from "../../config/load-static.ts";
import type { TlsMaterial } from "../../config/sigwall/tls-files.ts";
import type { DeliveryFailure, StreamPeer } from "../../proxy/connection-events.ts";
import type { StreamCounters, TlsRefusal } from "../../observe/stream-counters.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import { createConnection, type Connection, type ConnectionHandlers, type Peer } from "./connection.ts";
import { createOutgoing } from "./outgoing.ts";
import { createSocketCount } from "./socket-count.ts";
import { createTlsSide, provenNames, tlsCauseOf } from "./tls-side.ts";

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
  /** Tells whether a peer is known. */
  readonly isWelcome: (peer: StreamPeer) => boolean;
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
  const count = createSocketCount(limits.connections, limits.perSource);
  const connections = new Map<string, Connection>();
  const mostUnread = limits.unreadMegabytes * 1024 * 1024;
  let held = 0;
  let unread = 0;
  let swept = 0;
  let isClosed = false;

  const connectionHandlers: ConnectionHandlers = {
    message: handlers.message,
    unframed: handlers.unframed,
    hold(octets) {
      held += octets;
      return held <= MOST_HELD;
    },
    wait(octets) {
      unread += octets;
      counters.unread += octets;
      if (octets > 0 && unread > mostUnread) closeSlowest();
    },
    closed(connection, reason) {
      counters.open--;
      counters.closed[reason]++;
      const key = keyOf(connection.address, connection.port);
      if (connections.get(key) === connection) connections.delete(key);
    },
  };

  /**
   * Closes the connection with most unread octets, not the one just written to, which may read
   * well.
   */
  function closeSlowest(): void {
    let slowest: Connection | undefined;
    for (const connection of connections.values())
      if (slowest === undefined || connection.unread > slowest.unread) slowest = connection;
    slowest?.close("memory");
  }

  function take(socket: Socket, peer: Peer): Connection {
    counters.open++;
    const connection = createConnection(socket, peer, times, connectionHandlers);
    connections.set(keyOf(peer.address, peer.port), connection);
    return connection;
  }

  function refuse(socket: Socket): void {
    counters.results.refused++;
    socket.on("error", () => undefined);
    socket.destroy();
  }

  function accept(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    const isKnown =
      address !== undefined &&
      port !== undefined &&
      !isClosed &&
      count.hasRoom(address) &&
      // Unknown peers don't get as far as a handshake.
      handlers.isWelcome({ address, port, names: tls === undefined ? NO_NAMES : undefined });
    if (!isKnown) {
      if (tls !== undefined && address !== undefined && count.hasRoom(address))
        tell(socket, "stranger", "no trunk is at this address");
      refuse(socket);
      return;
    }
    count.keep(socket, address);
    if (tls !== undefined) {
      tls.accept(socket);
      return;
    }
    counters.results.accepted++;
    take(socket, { address, port, names: NO_NAMES });
  }

  function acceptSecured(socket: TLSSocket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    const { names } = provenNames(socket);
    if (address === undefined || port === undefined || !handlers.isWelcome({ address, port, names })) {
      refuse(socket);
      tellSecured(socket, names);
      return;
    }
    socket.on("error", () => undefined);
    counters.results.accepted++;
    take(socket, { address, port, names });
  }

  function tell(socket: Socket, cause: TlsRefusal, why: string): void {
    counters.tlsRefused[cause]++;
    const { remoteAddress: address = "unknown", remotePort: port = 0 } = socket;
    handlers.tlsRefused?.(formatEndpoint({ address, port }), cause, why);
  }

  /** Tells why a peer whose handshake succeeded is no peer of ours. */
  function tellSecured(socket: TLSSocket, names: readonly string[]): void {
    if (socket.authorized) {
      const words = names.length === 0 ? "no name that counts" : names.slice(0, MOST_NAMES).join(" ");
      tell(socket, "wrong-name", `the certificate proves ${words}`);
    } else if (socket.getPeerX509Certificate() === undefined)
      tell(socket, "no-certificate", "the peer showed no certificate");
    else tell(socket, "untrusted", String(socket.authorizationError));
  }

  const tls =
    options.tls === undefined
      ? undefined
      : createTlsSide(options.tls, times.message, {
          secured: acceptSecured,
          failed(socket, cause, why) {
            counters.results.refused++;
            tell(socket, cause, why);
          },
        });

  function dial(
    address: string,
    port: number,
    reached: (names: readonly string[]) => void,
  ): Socket | undefined {
    if (isClosed || !count.hasRoom(address)) return undefined;
    const place = isAny(local) ? { host: address, port } : { host: address, port, localAddress: local };
    if (tls === undefined) {
      const socket = connect({ ...place, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE });
      count.keep(socket, address);
      socket.once("connect", () => reached(NO_NAMES));
      return socket;
    }
    const socket = tls.connect(place);
    count.keep(socket, address);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE);
    socket.once("secureConnect", () => {
      const { names, addresses } = provenNames(socket);
      if (handlers.isMeant({ address, port, names }, addresses)) reached(names);
      else {
        tellSecured(socket, names);
        socket.destroy();
      }
    });
    socket.once("error", (error: Error) => {
      const cause = tlsCauseOf(error);
      // A connection that was refused or timed out is no matter of TLS.
      const isOfTls = "library" in error || cause !== "handshake";
      if (isOfTls) tell(socket, cause, error.message);
    });
    return socket;
  }

  const outgoing = createOutgoing({
    dial,
    reached(socket, peer, waiting) {
      counters.results.connected++;
      const connection = take(socket, peer);
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

  function sweep(): void {
    for (const connection of connections.values()) {
      // A reload may have removed the trunk.
      if (handlers.isWelcome(connection)) connection.check(swept);
      else connection.close("policy");
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
      for (const socket of count.sockets) {
        closed.push(new Promise((resolve) => socket.once("close", () => resolve())));
        socket.destroySoon();
      }
      const last = setTimeout(() => {
        for (const socket of count.sockets) socket.destroy();
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

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}
