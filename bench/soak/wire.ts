/** What carries the soak's messages, in the plainest way: UDP, TCP or TLS; nothing of the filter measures itself. */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { Certificate } from "../../test/support/certificates.ts";

export const transports = ["udp", "tcp", "tls"] as const;
export type Transport = (typeof transports)[number];

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Certificate and authority of both ends; needed for TLS only. */
export interface Identity {
  readonly own: Pick<Certificate, "certificate" | "key">;
  readonly authority: Pick<Certificate, "certificate">;
}

/** One end of the way to a target. */
export interface Wire {
  readonly own: Place;
  readonly send: (text: string) => void;
  readonly close: () => void;
}

const udp = {
  type: "udp4",
  recvBufferSize: 4 << 20,
  // Its look-up answers at once, so that nothing is sent a turn later.
  lookup: (host: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, host, 4),
} as const;

/** Opens a socket at `address`, or a connection from there. Everything that comes back is heard. */
export async function openWire(
  transport: Transport,
  address: string,
  target: Place,
  heard: (text: string) => void,
  identity: Identity | undefined,
): Promise<Wire> {
  if (transport === "udp") {
    const socket = createSocket(udp);
    await bind(socket, 0, address);
    socket.on("message", (bytes) => heard(bytes.toString("latin1")));
    return {
      own: { address, port: socket.address().port },
      send: (text) => socket.send(text, target.port, target.address),
      close: () => socket.close(),
    };
  }
  const to = { host: target.address, port: target.port, localAddress: address };
  const socket = transport === "tcp" ? connect(to) : connectTls({ ...to, ...credentials(identity) });
  await once(socket, transport === "tcp" ? "connect" : "secureConnect");
  // TLS does not take it from the options.
  socket.setNoDelay(true);
  hear(socket, heard);
  return {
    own: { address, port: socket.localPort ?? 0 },
    send: (text) => socket.write(text, "latin1"),
    close: () => socket.destroy(),
  };
}

/** Listens at `place`. Answers go back where the request came from. */
export async function serveWire(
  transport: Transport,
  { address, port }: Place,
  heard: (text: string, answer: (text: string) => void) => void,
  identity: Identity | undefined,
): Promise<void> {
  if (transport === "udp") {
    const socket = createSocket(udp);
    socket.on("message", (bytes, peer) =>
      heard(bytes.toString("latin1"), (text) => socket.send(text, peer.port, peer.address)),
    );
    await bind(socket, port, address);
    return;
  }
  const accept = (socket: Socket): void => {
    socket.setNoDelay(true);
    hear(socket, (text) => heard(text, (answer) => socket.write(answer, "latin1")));
  };
  const server: Server =
    transport === "tcp"
      ? createServer(accept)
      : createTlsServer({ ...credentials(identity), requestCert: true }, accept);
  server.listen(port, address);
  await once(server, "listening");
}

/** The look-up answers at once, so that the socket listens before `once` could wait for it. */
function bind(socket: DatagramSocket, port: number, address: string): Promise<void> {
  return new Promise((listening) => socket.bind(port, address, listening));
}

function credentials(identity: Identity | undefined): {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  readonly checkServerIdentity: () => undefined;
} {
  if (identity === undefined) throw new Error("TLS needs certificates");
  const { own, authority } = identity;
  return {
    cert: own.certificate,
    key: own.key,
    ca: authority.certificate,
    checkServerIdentity: () => undefined,
  };
}

const END = "\r\n\r\n";

/** Cuts what a stream brings into messages. None in the soak has a body. */
function hear(socket: Socket, heard: (text: string) => void): void {
  let text = "";
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    let from = 0;
    for (let end = text.indexOf(END); end >= 0; end = text.indexOf(END, from)) {
      heard(text.slice(from, end + END.length));
      from = end + END.length;
    }
    text = text.slice(from);
  });
}
