// The messages between the call thread and the admin thread. Invariant: each of them can be cloned.
import type { Endpoint } from "../../net/address.ts";
import type { AdminPair } from "../../config/sigwall/admin-schema.ts";
import type { FiguresPart } from "../../observe/figures.ts";
import type { LogEntry, LogLevel } from "../../observe/log.ts";
import type { LineAnswer, LineRequest } from "../lines/line-request.ts";
import type {
  QuarantineAnswer,
  QuarantinePage,
  QuarantineRequest,
} from "../quarantine/quarantine-request.ts";
import type { TurnCells } from "../threads/call-thread-turns.ts";

/** What the admin thread is started with. */
export interface AdminThreadData {
  readonly thread: "admin";
  readonly log: LogTarget;
  readonly turns: TurnCells;
  readonly progress: ProgressCells;
}

/** Where the log goes. */
export interface LogTarget {
  readonly level: LogLevel;
  readonly fd: number;
  /** The time zone of lines for people. Undefined: JSON lines, in UTC. */
  readonly timeZone: string | undefined;
}

/** Shared memory with the progress of the log. The call thread reads it without asking the admin thread. */
export type ProgressCells = Int32Array<SharedArrayBuffer>;
/** Entries taken from messages, modulo 2^32. */
export const TAKEN = 0;
/** 1 when everything is written and the log is closed. */
export const CLOSED = 1;
export const PROGRESS_CELLS = 2;

/** How the admin address is served beside its first endpoint. */
export interface AdminAccess {
  /** Further endpoints. */
  readonly more: readonly Endpoint[];
  /** Names that Host may have. */
  readonly hosts: readonly string[];
  /** Undefined: HTTP. */
  readonly pair: AdminPair | undefined;
  /** Path of the Unix socket. Undefined: there is none. */
  readonly socket: string | undefined;
}

/** HTTP at one endpoint, under its address. */
export const PLAIN_ACCESS: AdminAccess = { more: [], hosts: [], pair: undefined, socket: undefined };

/** The outcome of a reload. */
export interface ReloadAnswer {
  readonly result: "ok" | "failed";
}

/** From the call thread to the admin thread. */
export type ToAdmin =
  | { readonly kind: "log"; readonly entries: readonly LogEntry[]; readonly lost: number }
  /** Opens the admin address; answered by `listening` or `unbound`. */
  | { readonly kind: "listen"; readonly endpoint: Endpoint; readonly access: AdminAccess }
  /** A part of the figures of a scrape. `part` is undefined when the figures can't be read; the log says why. */
  | {
      readonly kind: "figures";
      readonly scrape: number;
      readonly part: FiguresPart | undefined;
      readonly isLast: boolean;
    }
  /** Undefined: the reload failed by a fault of our own. */
  | { readonly kind: "reloaded"; readonly request: number; readonly answer: ReloadAnswer | undefined }
  /** Undefined: the order failed by a fault of our own. */
  | { readonly kind: "lineAnswered"; readonly request: number; readonly answer: LineAnswer | undefined }
  /** Undefined: the order failed by a fault of our own. */
  | {
      readonly kind: "quarantineAnswered";
      readonly request: number;
      readonly answer: QuarantineAnswer | undefined;
    }
  /** A part of the list. Undefined: there is no quarantine. */
  | { readonly kind: "quarantineListed"; readonly request: number; readonly page: QuarantinePage | undefined }
  /** Closes the admin address; answered by `unlistened`. */
  | { readonly kind: "unlisten" }
  /** Writes out the log and closes it; answered by `closed`, and by {@link CLOSED}. */
  | { readonly kind: "close" };

/** From the admin thread to the call thread. */
export type FromAdmin =
  | { readonly kind: "listening"; readonly endpoint: Endpoint }
  | { readonly kind: "unbound"; readonly message: string; readonly code: string | undefined }
  | { readonly kind: "unlistened" }
  | { readonly kind: "closed" }
  | { readonly kind: "scrape"; readonly scrape: number }
  | { readonly kind: "reload"; readonly request: number }
  | { readonly kind: "line"; readonly request: number; readonly line: LineRequest }
  | { readonly kind: "quarantine"; readonly request: number; readonly order: QuarantineRequest }
  | { readonly kind: "quarantineList"; readonly request: number; readonly from: number }
  /** The Unix socket can't be opened. The addresses are open all the same. */
  | { readonly kind: "socketRefused"; readonly message: string }
  /** An error of our own in the admin thread. */
  | { readonly kind: "fault"; readonly stack: string };
