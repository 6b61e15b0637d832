// The connection for the reports (CDR) of a drachtio server, without drachtio-srf.
import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { createFrameReader, type FrameHandlers } from "./frames.ts";
import { createOrderQueue } from "./order-queue.ts";
import { part, type DrachtioServer } from "./place.ts";

export interface ReportHandlers extends Pick<FrameHandlers, "reported"> {
  /** The server reports from now on. */
  readonly ready: () => void;
  /** The connection is lost or could not be made. Called once. */
  readonly lost: (why: string) => void;
  /** The server sent something that makes no sense. `lost` follows. */
  readonly fault: (error: unknown) => void;
}

/** A connection for reports alone. */
export interface ReportLine {
  /** Asks the server for a sign of life. */
  ping(answered: () => void): void;
  /** Brings what a server holds back, see {@link createOrderQueue}. */
  nudge(): void;
  /** Asks the server for no more reports. Calls back when none will come. */
  retire(done: () => void): void;
  /** Ends the connection. No handler is called afterwards. */
  close(): void;
}

/** How long reports wait to be read together with others. Milliseconds. */
const GATHERING = 10;
/** Octets that are read at once. */
const MOST_AT_ONCE = 262_144;

/**
 * Takes a server's reports (CDR) over a connection of their own, without drachtio-srf. An accepted call has six
 * reports, and nothing waits for them. Waking up for each one would cost as much as the rest of the call. Reports are
 * therefore read some milliseconds later, many at once; the package has no way to ask for that. Calls don't queue
 * behind reports either: the server mixes up the frames of a connection that it can't write at once.
 */
export function openReports(
  { host, port, secret, tls }: DrachtioServer,
  handlers: ReportHandlers,
): ReportLine {
  const orders = createOrderQueue((text) => socket.write(text));
  const frames = createFrameReader({ frame: (text) => orders.take(text), reported: handlers.reported });
  let given = 0;
  let isLost = false;
  let gathering: NodeJS.Timeout | undefined;
  const place = { host, port, onread: { buffer: Buffer.allocUnsafe(MOST_AT_ONCE), callback: take } };
  const secured = { ...place, ...tls };
  const socket: Socket = tls === undefined ? connectTcp(place) : connectTls(secured);
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  socket.on(tls === undefined ? "connect" : "secureConnect", register);
  socket.on("error", (error) => lose(error.message));
  socket.on("close", () => lose("the server closed the connection"));

  function lose(why: string): void {
    if (isLost) return;
    close();
    handlers.lost(why);
  }

  function close(): void {
    isLost = true;
    clearTimeout(gathering);
    part(socket);
  }

  function send(order: string, answered: (words: readonly string[]) => void): void {
    orders.give(String(++given), order, answered);
  }

  function register(): void {
    send(`authenticate|${secret}|`, ([verdict]) => {
      if (verdict !== "OK") return lose("the secret was refused");
      for (const event of ["attempt", "start"]) send(`route|cdr:${event}`, () => undefined);
      send("route|cdr:stop", handlers.ready);
    });
  }

  /**
   * Reads what has come, and pauses so that more reports come together.
   *
   * @returns false: nothing is read during the pause
   */
  function take(count: number, buffer: Uint8Array): boolean {
    if (isLost) return true;
    try {
      // A copy, since the buffer is used again.
      frames.read(Buffer.from(buffer.subarray(0, count)));
    } catch (error) {
      handlers.fault(error);
      lose("the server sent what can't be read");
      return true;
    }
    if (isLost) return true;
    gathering = setTimeout(() => socket.resume(), GATHERING);
    return false;
  }

  return {
    ping: (answered) => send("ping", answered),
    nudge: () => orders.nudge(),
    // The server removes the client from every list, whatever verb is named.
    retire: (done) => send("remove_route|cdr:stop", done),
    close,
  };
}
