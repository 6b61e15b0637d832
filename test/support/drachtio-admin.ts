import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Asks a drachtio server over its control protocol where it takes SIP over UDP. */
export async function askSipAddress(server: {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}): Promise<{ readonly address: string; readonly port: number }> {
  const socket = connect(server.port, server.host);
  const order = `1|authenticate|${server.secret}|`;
  socket.write(`${order.length}#${order}`);
  socket.setEncoding("latin1");
  const [text] = await once(socket, "data");
  socket.destroy();
  const match = /udp\/([\d.]+):(\d+)/.exec(String(text));
  if (match === null) throw new Error(`no UDP address in ${String(text)}`);
  return { address: match[1] ?? "", port: Number(match[2]) };
}

/** Another application at the same server, as anybody can be who reaches its admin port: it takes calls and says nothing. */
export async function openThief({
  host,
  adminPort,
}: {
  readonly host: string;
  readonly adminPort: number;
}): Promise<Socket> {
  const socket = connect(adminPort, host);
  const order = "thief|route|invite";
  socket.write(`${order.length}#${order}`);
  await once(socket, "data");
  return socket;
}
