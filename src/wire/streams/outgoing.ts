import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Millis } from "../../domain/time.ts";
import type { DeliveryFailure } from "../../proxy/connection-events.ts";
import { createBackOff } from "./back-off.ts";
import type { Peer } from "./connection.ts";

/** Connections that may be on their way at one time; of these, to one address, since a peer writes what port it likes into its Via. */
const MOST_ATTEMPTS = 64;
const MOST_AT_ADDRESS = 8;
/** Octets that may wait for one of them. */
const MOST_WAITING = 512 * 1024;
const CONNECT_TIMEOUT: Millis = 4000;

/** Errors that say something about our own system, nothing about the peer. */
const OWN_ERRORS: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"]);

/** Connects to peers that have no connection open, with what waits for them. */
export interface Outgoing {
  /** Takes a message for a peer, in memory that nobody changes from now on. */
  send(bytes: Buffer, address: string, port: number): void;
  /** Gives up what takes too long. */
  tick(now: Millis): void;
}

export interface OutgoingParts {
  /** Opens a socket, which calls `reached` with the peer's names once it may be used; undefined: there is no room. */
  readonly dial: (
    address: string,
    port: number,
    reached: (names: readonly string[]) => void,
  ) => Socket | undefined;
  readonly reached: (socket: Socket, peer: Peer, waiting: readonly Buffer[]) => void;
  readonly failed: () => void;
  /** A message that could not be sent, and why; may be called within `send`. */
  readonly undelivered: (bytes: Buffer, address: string, port: number, why: DeliveryFailure) => void;
}

/** A connection on its way, and what waits for it. */
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

export function createOutgoing({ dial, reached, failed, undelivered }: OutgoingParts): Outgoing {
  const attempts = new Map<string, Attempt>();
  const backOff = createBackOff();

  const hasRoom = (address: string): boolean => {
    if (attempts.size >= MOST_ATTEMPTS) return false;
    let there = 0;
    for (const attempt of attempts.values()) if (attempt.address === address) there++;
    return there < MOST_AT_ADDRESS;
  };

  /** True once: an attempt ends in one way only. */
  const end = (attempt: Attempt): boolean =>
    attempts.get(attempt.key) === attempt && attempts.delete(attempt.key);

  const fail = (attempt: Attempt): void => {
    if (!end(attempt)) return;
    failed();
    backOff.failed(attempt.key, Date.now());
    attempt.socket?.destroy();
    for (const bytes of attempt.waiting) undelivered(bytes, attempt.address, attempt.port, attempt.failure);
  };

  const begin = (key: string, address: string, port: number): Attempt | DeliveryFailure => {
    const since = Date.now();
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
      // A repeat of what waits already (RFC 3261 section 17.1.1.2): a stream says everything once.
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
