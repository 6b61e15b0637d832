import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { Certificate } from "../support/certificates.ts";

/** Debian's SIPp has no TLS: what it says over TCP goes on by TLS, octet for octet, and back. */
export interface TlsPipe {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** What the end with TLS shows, and whom it believes. */
export interface Credentials {
  readonly own: Certificate;
  readonly authority: Certificate;
}

/** One end of the pipe's way, a literal address. */
interface End {
  readonly address: string;
  readonly port: number;
}

/** Takes connections of a SIPp at `address`, each of which goes on to `filter()` by TLS from there. */
export function openCallerPipe(
  address: string,
  filter: () => End,
  credentials: Credentials,
): Promise<TlsPipe> {
  const sockets = new Set<Socket>();
  const server = createServer((plain) => {
    const { address: host, port } = filter();
    // Whose certificate does not hold the address is not connected to, by Node's own rules.
    const place = { host, port, localAddress: address };
    join(sockets, plain, connectTls({ ...place, ...tlsOf(credentials) }));
  });
  return open(server, address, sockets);
}

/** Takes connections by TLS at `address` from who shows a certificate; each goes on to the SIPp that listens on `port` there. */
export function openCalledPipe(address: string, port: number, credentials: Credentials): Promise<TlsPipe> {
  const sockets = new Set<Socket>();
  const options = { ...tlsOf(credentials), requestCert: true, rejectUnauthorized: true };
  const server = createTlsServer(options, (secured) =>
    join(sockets, secured, connect({ host: address, port })),
  );
  return open(server, address, sockets);
}

function tlsOf({ own, authority }: Credentials): { cert: Buffer; key: Buffer; ca: Buffer } {
  return { cert: own.certificate, key: own.key, ca: authority.certificate };
}

/** What comes on either goes out on the other; the end of one is the end of both. */
function join(sockets: Set<Socket>, one: Socket, other: Socket): void {
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      sockets.delete(socket);
      peer.destroySoon();
    });
    socket.pipe(peer);
  }
}

async function open(server: Server, address: string, sockets: ReadonlySet<Socket>): Promise<TlsPipe> {
  server.listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
