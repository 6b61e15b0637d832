// What M3UA travels on: associations, their ends and their bounds, by SCTP or TCP.
import type { Buffer } from "node:buffer";
import type { Endpoint } from "../../net/address.ts";

/** The peer of an association and the local port. */
export interface AssociationEnds {
  /**
   * The address that the peer is known by: the first of its proved addresses that is expected, else
   * the one that it came from.
   */
  readonly address: string;
  readonly port: number;
  readonly localPort: number;
  /**
   * Asks the peer for a sign of life. Calls `done` once: with false at once when the association
   * ends, else after 2 seconds with whether the peer still has this association.
   */
  readonly testLife: (done: (isAlive: boolean) => void) => void;
}

/** One association that carries M3UA, by SCTP or TCP. */
export interface Association extends AssociationEnds {
  /**
   * Sends one message on a stream, or keeps a copy until there is room. The caller may reuse the
   * bytes afterwards.
   */
  send(stream: number, bytes: Buffer): void;
  /**
   * Whether messages wait for room. While it is true, callers should not take more messages for
   * this association.
   */
  readonly isCongested: boolean;
  /** Starts or stops reading. While reading is stopped, messages wait at the peer. */
  read(wanted: boolean): void;
  /** Ends the association at once and drops waiting messages. `closed` is not called. */
  close(): void;
}

/** What an association calls. */
export interface AssociationHandlers {
  /** Takes one message. The bytes are valid only during the call. */
  readonly message: (stream: number, bytes: Buffer) => void;
  /** Called when there is room again. */
  readonly drained: () => void;
  /** Called once when the association has ended; `why` in words. */
  readonly closed: (why: string) => void;
  /**
   * Called once, in place of `closed`, when the peer has restarted the association: it has lost its
   * state and goes on with the new one (RFC 9260 section 5.2).
   */
  readonly restarted: (renewed: PendingAssociation) => void;
  /** Takes what an operator should know of an association that goes on. */
  readonly noted?: (note: AssociationNote) => void;
}

/** What happened to an association that goes on. */
export type AssociationNote =
  /**
   * The path to an address of the peer is down, is up again, or has gone with the association while
   * it was down.
   */
  | { readonly kind: "path"; readonly address: string; readonly state: "down" | "up" | "gone" }
  /** The peer's association lacks an address that is expected: there is no path to it. */
  | { readonly kind: "missing"; readonly address: string }
  /** A message had its payload protocol identifier in the octet order of the host. It was read. */
  | { readonly kind: "host-order" }
  /** A message had the payload protocol identifier of another protocol. It was not read. */
  | { readonly kind: "foreign"; readonly identifier: number };

/** An association that has come up. Nothing is read before `read(true)`. */
export interface PendingAssociation extends AssociationEnds {
  /** Takes the association. Called at most once. */
  open(handlers: AssociationHandlers): Association;
  /** Ends the association, because nobody wants it. */
  refuse(): void;
}

/** A local address where peers connect. */
export interface AssociationServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A transport for M3UA. */
export interface SignallingTransport {
  /** Listens on local addresses. Rejects when it can't. */
  listen(
    place: ListeningPlace,
    accepted: (pending: PendingAssociation) => void,
    failed: (error: Error) => void,
  ): Promise<AssociationServer>;
  /**
   * Connects from local addresses to a peer by any of its addresses; local port 0 takes any free
   * port. TCP uses the first address of each list.
   * @returns a function that gives up the attempt
   */
  connect(
    locals: EndpointList,
    remotes: EndpointList,
    done: (outcome: PendingAssociation | Error) => void,
  ): () => void;
}

/** At least one address; all have one port. */
export type EndpointList = readonly [Endpoint, ...Endpoint[]];

/** Where peers connect, and who is expected there. */
export interface ListeningPlace {
  /** TCP listens on the first. */
  readonly locals: EndpointList;
  /** The addresses of the peer that is expected. Others are handed over too, by their own address. */
  readonly remotes: readonly Endpoint[];
}

/** At most this many octets wait for a peer that takes none. Beyond, the association ends. */
export const MOST_WAITING = 4 * 1024 * 1024;

/**
 * At most this many octets in one message. RFC 4666 sets no limit; MTP3 user data have at most 272
 * octets.
 */
export const LONGEST_MESSAGE = 65_536;
