// Opens connections to peers that have none, and keeps the messages that wait for them.
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Millis } from "../../domain/time.ts";
import type { DeliveryFailure } from "../../proxy/connection-events.ts";
import { engineNow } from "../kernel/clock.ts";
import { createBackOff } from "./back-off.ts";
import type { Peer } from "./connection.ts";

/**
 * At most this many connections are being opened at one time, and this many to one address: a peer
 * writes any port it likes into its Via.
 */
const MOST_ATTEMPTS = 64;
const MOST_AT_ADDRESS = 8;
/** At most this many octets wait for one of them. */
const MOST_WAITING = 512 * 1024;
const CONNECT_TIMEOUT: Millis = 4000;

/** Errors that tell about our own system and nothing about the peer. */
const OWN_ERRORS: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"]);

/** Connects to peers without open connection, and keeps the messages that wait for them. */
export interface Outgoing {
  /** Takes a message for a peer and keeps its bytes; the caller must not change them afterwards. */
  send(bytes: Buffer, address: string, port: number): void;
  /** Gives up connections that take too long. */
  tick(now: Millis): void;
}

/** What {@link createOutgoing} is made of. */
export interface OutgoingParts {
  /**
   * Opens a socket, which calls `reached` with the peer's names once it may be used.
   * @returns undefined when there is no room
   */
  readonly dial: (
    address: string,
    port: number,
    reached: (names: readonly string[]) => void,
  ) => Socket | undefined;
  readonly reached: (socket: Socket, peer: Peer, waiting: readonly Buffer[]) => void;
  readonly failed: () => void;
  /** Takes a message that could not be sent, and why. May be called within `send`. */
  readonly undelivered: (bytes: Buffer, address: string, port: number, why: DeliveryFailure) => void;
}

/** A connection that is being opened, and the messages that wait for it. */
interface Attempt {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly since: Millis;
  readonly waiting: Buffer[];
  socket: Socket | undefined;
  octets: number;
  failure: DeliveryFailure;
}

/** Makes the connecting side of a port, without open attempts. */
export function createOutgoing({ dial, reached, failed, undelivered }: OutgoingParts): Outgoing {
  const attempts = new Map<string, Attempt>();
  const backOff = createBackOff();

  const hasRoom = (address: string): boolean => {
    if (attempts.size >= MOST_ATTEMPTS) return false;
    let there = 0;
    for (const attempt of attempts.values()) if (attempt.address === address) there++;
    return there < MOST_AT_ADDRESS;
  };

  /**
   * Ends an attempt.
   * @returns true only the first time: an attempt ends in one way
   */
  const end = (attempt: Attempt): boolean =>
    attempts.get(attempt.key) === attempt && attempts.delete(attempt.key);

  const fail = (attempt: Attempt): void => {
    if (!end(attempt)) return;
    failed();
    backOff.failed(attempt.key, engineNow());
    attempt.socket?.destroy();
    for (const bytes of attempt.waiting) undelivered(bytes, attempt.address, attempt.port, attempt.failure);
  };

  const begin = (key: string, address: string, port: number): Attempt | DeliveryFailure => {
    const since = engineNow();
    if (backOff.isBlocked(key, since)) return "back-off";
    if (!hasRoom(address)) return "no-room";
    const attempt: Attempt = {
      key,
      address,
      port,
      since,
      waiting: [],
      socket: undefined,
      octets: 0,
      failure: "unreached",
    };
    const socket = dial(address, port, (names) => {
      if (!end(attempt) || attempt.socket === undefined) return;
      backOff.succeeded(key);
      reached(attempt.socket, { address, port, names }, attempt.waiting);
    });
    if (socket === undefined) return "no-room";
    attempt.socket = socket;
    attempts.set(key, attempt);
    socket.once("error", (error) => {
      if ("code" in error && OWN_ERRORS.has(error.code)) attempt.failure = "no-room";
    });
    socket.once("close", () => fail(attempt));
    return attempt;
  };

  return {
    send(bytes, address, port) {
      const key = `${address} ${port}`;
      const attempt = attempts.get(key) ?? begin(key, address, port);
      if (typeof attempt === "string") {
        undelivered(bytes, address, port, attempt);
        return;
      }
      // A retransmission of a waiting message (RFC 3261 section 17.1.1.2): a stream carries each
      // message once.
      if (attempt.waiting.some((waiting) => waiting.equals(bytes))) return;
      if (attempt.octets + bytes.length > MOST_WAITING) {
        undelivered(bytes, address, port, "no-room");
        return;
      }
      attempt.waiting.push(bytes);
      attempt.octets += bytes.length;
    },
    tick(now) {
      for (const attempt of attempts.values()) if (now - attempt.since > CONNECT_TIMEOUT) fail(attempt);
    },
  };
}
