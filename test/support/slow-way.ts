import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Buffer } from "node:buffer";

/** A way to a TCP server that holds what passes. */
export interface SlowWay {
  readonly port: number;
  /** How long octets are held from now on, each way. Milliseconds. */
  hold: (milliseconds: number) => void;
  /** Passes nothing on, and keeps the connections. */
  cut: (isCut: boolean) => void;
  readonly close: () => void;
}

export async function openSlowWay(port: number): Promise<SlowWay> {
  let held = 0;
  let isCut = false;
  const sockets = new Set<Socket>();
  const pass =
    (to: Socket) =>
    (octets: Buffer): void => {
      if (isCut) return;
      if (held === 0) to.write(octets);
      else setTimeout(() => to.writable && to.write(octets), held);
    };
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("data", pass(other));
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
  return {
    port: bound.port,
    hold: (milliseconds) => void (held = milliseconds),
    cut: (cut) => void (isCut = cut),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
