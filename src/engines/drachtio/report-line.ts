// The connection for the reports (CDR) of a drachtio server, without drachtio-srf.
import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { createFrameReader, type FrameHandlers } from "./frames.ts";
import { part, type DrachtioServer } from "./place.ts";

export interface ReportHandlers extends Pick<FrameHandlers, "reported"> {
  /** The server reports from now on. */
  readonly ready: () => void;
  /** The connection is gone, or could not be had; told once. */
  readonly lost: (why: string) => void;
  /** What came makes no sense; `lost` follows. */
  readonly fault: (error: unknown) => void;
}

/** A connection for reports alone. */
export interface ReportLine {
  /** Asks the server for a sign of life. */
  ping(answered: () => void): void;
  /** Asks for no more reports, and calls back when none will come. */
  retire(done: () => void): void;
  /** Parts with the server; nothing is told any more. */
  close(): void;
}

/** How long reports may wait to be read, with others that come meanwhile. Milliseconds. */
const GATHERING = 10;
/** Octets that are read at once. */
const MOST_AT_ONCE = 262_144;

/**
 * Takes a server's reports (CDR) over a connection of their own, without drachtio-srf. An accepted call has six, nobody waits for
 * them, and waking for each would cost as much as all else that is done for the call: read some milliseconds later they come in heaps,
 * which the package has no way to ask for. Calls don't queue behind them either: the server mixes up the frames of a connection
 * that it can't write at once.
 */
export function openReports(
  { host, port, secret, tls }: DrachtioServer,
  handlers: ReportHandlers,
): ReportLine {
  const frames = createFrameReader({ frame: takeAnswer, reported: handlers.reported });
  /** Who waits for the answer to an order, by its number. */
  const waiting = new Map<string, (words: readonly string[]) => void>();
  let orders = 0;
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
    const id = String(++orders);
    const text = `${id}|${order}`;
    waiting.set(id, answered);
    socket.write(`${Buffer.byteLength(text)}#${text}`);
  }

  function takeAnswer(text: string): void {
    const [, , id = "", ...words] = text.split("|");
    waiting.get(id)?.(words);
    waiting.delete(id);
  }

  function register(): void {
    send(`authenticate|${secret}|`, ([verdict]) => {
      if (verdict !== "OK") return lose("the secret was refused");
      for (const event of ["attempt", "start"]) send(`route|cdr:${event}`, () => undefined);
      send("route|cdr:stop", handlers.ready);
    });
  }

  /** Reads what has come, and lets more come together. False: nothing is read until then. */
  function take(count: number, buffer: Uint8Array): boolean {
    if (isLost) return true;
    try {
      // The buffer is used again.
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
    // The server takes the client off every list, whatever verb is named.
    retire: (done) => send("remove_route|cdr:stop", done),
    close,
  };
}
