// One TCP or TLS connection: cuts what arrives into SIP messages and sends what is written.
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Millis } from "../../domain/time.ts";
import type { ClosingReason } from "../../observe/stream-counters.ts";
import { createSipFramer } from "../../sip/framer.ts";
import { CR } from "../../sip/octet.ts";
import { engineNow } from "../kernel/clock.ts";

/** The peer of a connection. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** Names that its certificate proves, in lower case. Empty over TCP. */
  readonly names: readonly string[];
}

/** One TCP or TLS connection that carries SIP messages. */
export interface Connection extends Peer {
  /** When something last arrived. */
  readonly heardAt: Millis;
  /** Sends bytes. The connection keeps them; the caller must not change them afterwards. */
  write(bytes: Buffer): void;
  /**
   * Closes the connection when its peer has been silent, or has taken too long over one message.
   */
  check(now: Millis): void;
  close(reason: ClosingReason): void;
}

/** What a connection calls. */
export interface ConnectionHandlers {
  /** Takes a message. The bytes are valid only during the call. */
  readonly message: (bytes: Buffer, peer: Peer) => void;
  /** Takes bytes that can't be cut into messages, and why. The connection ends after it. */
  readonly unframed: (bytes: Buffer, why: string, peer: Peer) => void;
  /** Called with the octets by which an unfinished message has grown. It may close any connection. */
  readonly hold: (octets: number) => void;
  /** Called with the octets by which unread data has grown. It may close any connection. */
  readonly wait: (octets: number) => void;
  /** Called once, with the connection that must not be used any more. */
  readonly closed: (connection: Connection, reason: ClosingReason) => void;
}

/** How long a connection may take. */
export interface ConnectionTimes {
  /** Time without anything received. */
  readonly idle: Millis;
  /** Time for one whole message, from its first byte. */
  readonly message: Millis;
}

/** At most this many messages of one connection are taken before others have their turn. */
const MOST_IN_TURN = 16;
/** At most this many octets wait for a peer that does not read. */
const MOST_UNREAD = 1024 * 1024;
/**
 * At most this many octets are still sent when the connection ends and they are no longer counted:
 * an answer or two.
 */
const MOST_LAST_WORDS = 16 * 1024;
/** Time that a peer has to read these last octets. */
const PARTING: Millis = 2000;

const CRLF = Buffer.from("\r\n");

/**
 * Makes a connection on an open socket. It cuts what arrives into messages, a few at a time, and
 * sends what is written.
 */
export function createConnection(
  socket: Socket,
  peer: Peer,
  times: ConnectionTimes,
  handlers: ConnectionHandlers,
): Connection {
  const framer = createSipFramer();
  let lastHeard = engineNow();
  /** When the first byte of the unfinished message arrived. */
  let begun: Millis | undefined;
  let held = 0;
  let unread = 0;
  let isPaused = false;
  let isOver = false;

  const finish = (reason: ClosingReason): void => {
    if (isOver) return;
    isOver = true;
    handlers.hold(-held);
    held = 0;
    handlers.wait(-unread);
    unread = 0;
    handlers.closed(connection, reason);
  };

  /** Counts unread octets. Called after every write, and when the kernel has taken it. */
  const weigh = (): void => {
    if (isOver) return;
    const grown = socket.writableLength - unread;
    unread += grown;
    if (grown !== 0) handlers.wait(grown);
    if (unread > MOST_UNREAD) connection.close("slow-reader");
  };

  const connection: Connection = {
    ...peer,
    get heardAt() {
      return lastHeard;
    },
    write(bytes) {
      if (isOver) return;
      socket.write(bytes, weigh);
      weigh();
    },
    check(now) {
      if (begun !== undefined && now - begun > times.message) connection.close("incomplete");
      else if (now - lastHeard > times.idle) connection.close("idle");
    },
    close(reason) {
      finish(reason);
      socket.destroy();
    },
  };

  /** Ends the connection: nothing more can be read, but written answers shall still arrive. */
  const part = (reason: ClosingReason): void => {
    finish(reason);
    if (socket.writableLength > MOST_LAST_WORDS) {
      socket.destroy();
      return;
    }
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), PARTING).unref();
  };

  const settle = (): void => {
    const rest = framer.rest();
    // A line break between messages begins no message.
    if (rest.length === 0 || rest[0] === CR) begun = undefined;
    else begun ??= engineNow();
    const grown = rest.length - held;
    held = rest.length;
    if (grown !== 0) handlers.hold(grown);
    if (isOver || !isPaused) return;
    isPaused = false;
    socket.resume();
  };

  const drain = (): void => {
    for (let taken = 0; taken < MOST_IN_TURN; taken++) {
      if (isOver) return;
      const event = framer.next();
      if (event === undefined) {
        settle();
        return;
      }
      if (event.kind === "message") {
        begun = undefined;
        handlers.message(event.bytes, connection);
      } else if (event.kind === "ping") connection.write(CRLF);
      else {
        handlers.unframed(event.bytes, event.why, connection);
        part("framing");
        return;
      }
    }
    isPaused = true;
    socket.pause();
    setImmediate(drain);
  };

  socket.on("data", (bytes: Buffer) => {
    if (isOver) return;
    lastHeard = engineNow();
    framer.push(bytes);
    drain();
  });
  socket.on("close", () => finish("peer"));
  return connection;
}
