import { once } from "node:events";
import { connect } from "node:net";

/** Asks a drachtio server over its control protocol where it takes SIP over UDP. */
export async function askSipAddress(server: {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}): Promise<{ readonly address: string; readonly port: number }> {
  const socket = connect(server.port, server.host);
  const order = `1|authenticate|${server.secret}|`;
  socket.write(`${order.length}#${order}`);
  const [bytes] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  const match = /udp\/([\d.]+):(\d+)/.exec(bytes.toString("latin1"));
  if (match === null) throw new Error(`no UDP address in ${bytes.toString("latin1")}`);
  return { address: match[1] ?? "", port: Number(match[2]) };
}
