import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { SipTransport } from "../../src/domain/trunk.ts";
import type { Certificate } from "./certificates.ts";

/** Where a peer sends to. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** What a peer's messages travel on, in the plainest way, so that nothing of the filter tests itself. */
export interface Wire {
  readonly transport: SipTransport;
  readonly port: number;
  send(message: string, to: Place): void;
  close(): Promise<void>;
}

export type Heard = (message: string) => void;

/** Certificate and authority of a TLS peer. */
export interface Identity {
  readonly own: Certificate;
  readonly authority: Certificate;
}

/** Opens a socket of a transport at `address`; `identity` is for TLS. */
export function openWire(
  transport: SipTransport,
  address: string,
  heard: Heard,
  identity?: Identity,
): Promise<Wire> {
  return transport === "udp" ? openDatagrams(address, heard) : openStream(address, heard, identity);
}

async function openDatagrams(address: string, heard: Heard): Promise<Wire> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  await new Promise<void>((bound) => socket.bind(0, address, bound));
  socket.on("message", (bytes) => heard(bytes.toString("latin1")));
  return {
    transport: "udp",
    port: socket.address().port,
    send: (message, to) => socket.send(Buffer.from(message, "latin1"), to.port, to.address),
    close: () => new Promise((closed) => socket.close(() => closed())),
  };
}

function branchOf(message: string): string {
  return /;branch=([^;,\s]+)/u.exec(message)?.[1] ?? "";
}

/** Listens and connects: requests go by a connection of its own, answers go back where the request came from (RFC 3261 section 18). */
async function openStream(address: string, heard: Heard, identity: Identity | undefined): Promise<Wire> {
  const sockets = new Set<Socket>();
  const asked = new Map<string, Socket>();
  let towards: Socket | undefined;
  const credentials =
    identity === undefined
      ? undefined
      : { cert: identity.own.certificate, key: identity.own.key, ca: identity.authority.certificate };

  function follow(socket: Socket): Socket {
    sockets.add(socket);
    let text = "";
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      if (towards === socket) towards = undefined;
    });
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      for (let message = next(); message !== ""; message = next()) {
        if (!message.startsWith("SIP/2.0")) asked.set(branchOf(message), socket);
        heard(message);
      }
    });
    function next(): string {
      text = text.replace(/^(?:\r\n)+/u, "");
      const head = text.indexOf("\r\n\r\n") + 4;
      const length = Number(/\r\n(?:content-length|l)\s*:\s*(\d+)/iu.exec(text.slice(0, head))?.[1] ?? 0);
      if (head < 4 || text.length < head + length) return "";
      const message = text.slice(0, head + length);
      text = text.slice(head + length);
      return message;
    }
    return socket;
  }

  const server: Server =
    credentials === undefined
      ? createServer(follow)
      : createTlsServer({ ...credentials, requestCert: true, rejectUnauthorized: true }, follow);
  await new Promise<void>((bound) => server.listen(0, address, bound));
  const bound = server.address();
  return {
    transport: identity === undefined ? "tcp" : "tls",
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    send(message, to) {
      const answered = message.startsWith("SIP/2.0") ? asked.get(branchOf(message)) : undefined;
      if (answered === undefined || answered.destroyed) {
        const place = { host: to.address, port: to.port, localAddress: address };
        towards ??= follow(
          credentials === undefined
            ? connect(place)
            : connectTls({ ...place, ...credentials, checkServerIdentity: () => undefined }),
        );
      }
      (answered?.destroyed === false ? answered : towards)?.write(message, "latin1");
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
