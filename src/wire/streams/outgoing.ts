// Opens connections to peers that have none, and keeps the messages that wait for them.
import type { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import { NEXT_HOP } from "../../domain/trunk.ts";
import type { DeliveryFailure } from "../../proxy/connection-events.ts";
import { createFairRoom, firstOf } from "../../state/fair-room.ts";
import { engineNow } from "../kernel/clock.ts";
import { createBackOff } from "./back-off.ts";
import type { Peer } from "./connection.ts";
import type { Place } from "./places.ts";

/**
 * At most this many connections are being opened at one time, and this many to one address: a peer
 * writes any port it likes into its Via. Those to next hops come on top of that.
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
  /** Whose the peer is: a trunk, {@link NEXT_HOP} or a stranger. */
  readonly ownerOf: (address: string, port: number) => string;
  /**
   * Begins a connection, which calls `reached` with the peer's names once it may be used. A next hop always has room.
   * @returns undefined when there is no room
   */
  readonly dial: (
    address: string,
    port: number,
    owner: string,
    reached: (names: readonly string[]) => void,
  ) => Place | undefined;
  readonly reached: (place: Place, peer: Peer, waiting: readonly Buffer[]) => void;
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
  place: Place | undefined;
  octets: number;
  failure: DeliveryFailure;
}

/** Makes the connecting side of a port, without open attempts. */
export function createOutgoing({ ownerOf, dial, reached, failed, undelivered }: OutgoingParts): Outgoing {
  const attempts = new Map<string, Attempt>();
  const backOff = createBackOff();
  const room = createFairRoom<Attempt>({
    most: MOST_ATTEMPTS,
    choose: firstOf,
    giveUp(attempt) {
      attempt.failure = "no-room";
      fail(attempt);
    },
  });

  const hasRoom = (address: string, owner: string): boolean => {
    let there = 0;
    for (const attempt of attempts.values()) if (attempt.address === address) there++;
    return there < MOST_AT_ADDRESS && room.makeRoom(owner, 1);
  };

  /**
   * Ends an attempt.
   * @returns true only the first time: an attempt ends in one way
   */
  const end = (attempt: Attempt): boolean => {
    if (attempts.get(attempt.key) !== attempt) return false;
    room.leave(attempt);
    return attempts.delete(attempt.key);
  };

  function fail(attempt: Attempt): void {
    if (!end(attempt)) return;
    failed();
    backOff.failed(attempt.key, engineNow());
    attempt.place?.socket.destroy();
    for (const bytes of attempt.waiting) undelivered(bytes, attempt.address, attempt.port, attempt.failure);
  }

  const begin = (key: string, address: string, port: number): Attempt | DeliveryFailure => {
    const since = engineNow();
    if (backOff.isBlocked(key, since)) return "back-off";
    const owner = ownerOf(address, port);
    if (owner !== NEXT_HOP && !hasRoom(address, owner)) return "no-room";
    const attempt: Attempt = {
      key,
      address,
      port,
      since,
      waiting: [],
      place: undefined,
      octets: 0,
      failure: "unreached",
    };
    const place = dial(address, port, owner, (names) => {
      if (!end(attempt) || attempt.place === undefined) return;
      backOff.succeeded(key);
      reached(attempt.place, { address, port, names }, attempt.waiting);
    });
    if (place === undefined) return "no-room";
    attempt.place = place;
    attempts.set(key, attempt);
    if (owner !== NEXT_HOP) room.hold(attempt, owner, 1);
    const { socket } = place;
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
