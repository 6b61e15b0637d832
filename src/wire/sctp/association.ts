import type { Buffer } from "node:buffer";

/** Who an association is with, and from where. */
export interface AssociationEnds {
  readonly address: string;
  readonly port: number;
  readonly localPort: number;
}

/** One association that carries M3UA, by SCTP or TCP. */
export interface Association extends AssociationEnds {
  /** Sends one message by a stream, or keeps a copy until there is room; the bytes are the caller's again. */
  send(stream: number, bytes: Buffer): void;
  /** True while something waits for room: whoever sends should not take more for it. */
  readonly isCongested: boolean;
  /** Takes messages, or leaves them to the peer's patience. */
  read(wanted: boolean): void;
  /** Ends it at once, what waits included; `closed` is not told. */
  close(): void;
}

export interface AssociationHandlers {
  /** One message; the bytes are valid during the call only. */
  readonly message: (stream: number, bytes: Buffer) => void;
  /** There is room again. */
  readonly drained: () => void;
  /** It is over, in words why. Told once. */
  readonly closed: (why: string) => void;
}

/** An association that has come up; nothing is read before `read(true)`. `open` is called once. */
export interface PendingAssociation extends AssociationEnds {
  open(handlers: AssociationHandlers): Association;
  /** Not wanted. */
  refuse(): void;
}

/** A place where peers connect. */
export interface AssociationServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What M3UA travels on. */
export interface SignallingTransport {
  /** Rejects when it can't listen. */
  listen(
    address: string,
    port: number,
    accepted: (pending: PendingAssociation) => void,
    failed: (error: Error) => void,
  ): Promise<AssociationServer>;
  /** Connects from a local address (and port, unless it is 0). Returns what gives it up. */
  connect(
    local: { readonly address: string; readonly port: number },
    remote: { readonly address: string; readonly port: number },
    done: (outcome: PendingAssociation | Error) => void,
  ): () => void;
}

/** Octets that may wait for a peer that takes none; beyond them the association ends. */
export const MOST_WAITING = 4 * 1024 * 1024;

/** Octets of one message (RFC 4666 sets no limit; protocol data of MTP3 have 272). */
export const LONGEST_MESSAGE = 65_536;
