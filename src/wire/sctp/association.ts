// What M3UA travels on: associations, their ends and their bounds, by SCTP or TCP.
import type { Buffer } from "node:buffer";

/** The peer of an association and the local port. */
export interface AssociationEnds {
  readonly address: string;
  readonly port: number;
  readonly localPort: number;
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
}

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
  /** Listens on a local address. Rejects when it can't. */
  listen(
    address: string,
    port: number,
    accepted: (pending: PendingAssociation) => void,
    failed: (error: Error) => void,
  ): Promise<AssociationServer>;
  /**
   * Connects from a local address; port 0 takes any free port.
   * @returns a function that gives up the attempt
   */
  connect(
    local: { readonly address: string; readonly port: number },
    remote: { readonly address: string; readonly port: number },
    done: (outcome: PendingAssociation | Error) => void,
  ): () => void;
}

/** At most this many octets wait for a peer that takes none. Beyond, the association ends. */
export const MOST_WAITING = 4 * 1024 * 1024;

/**
 * At most this many octets in one message. RFC 4666 sets no limit; MTP3 user data have at most 272
 * octets.
 */
export const LONGEST_MESSAGE = 65_536;
