// Counts the open sockets of a listener, as a whole and by remote address.
import type { Socket } from "node:net";

/** The open sockets of a listener, limited as a whole and by remote address. */
export interface SocketCount {
  readonly sockets: ReadonlySet<Socket>;
  hasRoom(address: string): boolean;
  /**
   * Counts a socket until it is closed. Its errors end in its close, so nothing else needs to
   * listen for them.
   */
  keep(socket: Socket, address: string): void;
}

/** Makes an empty count. `most` sockets in all, `mostBySource` from one address. */
export function createSocketCount(most: number, mostBySource: number): SocketCount {
  const sockets = new Set<Socket>();
  const bySource = new Map<string, number>();
  return {
    sockets,
    hasRoom: (address) => sockets.size < most && (bySource.get(address) ?? 0) < mostBySource,
    keep(socket, address) {
      sockets.add(socket);
      bySource.set(address, (bySource.get(address) ?? 0) + 1);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        sockets.delete(socket);
        const left = (bySource.get(address) ?? 1) - 1;
        if (left > 0) bySource.set(address, left);
        else bySource.delete(address);
      });
    },
  };
}
