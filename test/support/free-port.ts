import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** A UDP port at which nobody listens: it was free a moment ago. */
export async function freePort(address: string): Promise<number> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** The same for TCP. */
export async function freeStreamPort(address: string): Promise<number> {
  const server = createServer();
  server.listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  server.close();
  await once(server, "close");
  if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
  return bound.port;
}
