import type { PolicyRevision } from "../domain/decision.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { PointCodes } from "./trunk-match.ts";
import type { Screen } from "../screening/chain/screen.ts";

/** A trunk and its compiled chain of rules. */
export interface TrunkPolicy {
  readonly trunk: Trunk;
  readonly screen: Screen;
  /** True: a call may pass without its caller's number. */
  readonly mayWithhold: boolean;
}

/** Capacity of every bounded table, in entries. */
export interface TableSizes {
  /** Decisions kept for 64·T1, so that a repeat gets the same answer. */
  readonly ledger: number;
  /** Calling numbers whose attempts are counted. */
  readonly callers: number;
  /** Calls that may repeat without spending a token. */
  readonly recentCalls: number;
  /** Sources whose trunk is remembered. */
  readonly sources: number;
  /** Calls that may still go to another next hop. */
  readonly failovers: number;
  /** Circuits of SS7 with a call or a refusal under way. */
  readonly circuits: number;
  /** Transactions between a stream and a datagram hop, of each kind. */
  readonly transactions: number;
}

/** How the state of next hops is found. Times in milliseconds. */
export interface NextHopHealth {
  /** True: next hops are asked by OPTIONS. */
  readonly probes: boolean;
  readonly interval: Millis;
  readonly timeout: Millis;
  readonly missesUntilDown: number;
  readonly answersUntilUp: number;
  /** The longest interval of one that is down. */
  readonly longestInterval: Millis;
}

/** When the filter protects itself: see `relay/overload.ts`. */
export interface OverloadLimits {
  readonly mode: "enforce" | "off";
  /** Share of the time, 0 to 1, in which the thread may be at work before new calls are shed. */
  readonly busyRatio: number;
  /** How late what is due may be. */
  readonly lateMilliseconds: number;
  /** Retry-After of a 503 with reason `overload` (RFC 3261 section 20.33); undefined: none is sent. */
  readonly retryAfterSeconds: number | undefined;
}

/** One list that was loaded, for metrics and `check`. */
export interface ListSummary {
  /** Id of the list, or of the lessee whose numbers it holds; unique among both. */
  readonly id: string;
  readonly kind: "lessee" | "police" | "deny";
  readonly file: string;
  /** Rows: exact numbers, ranges and prefixes each count one. */
  readonly rows: number;
  readonly exact: number;
  readonly ranges: number;
  readonly prefixes: number;
  /** Exact numbers and the numbers of the ranges; a prefix has no number of its own. */
  readonly numbers: number;
}

/** The compiled policy: immutable, swapped as one reference. */
export interface Policy {
  readonly revision: PolicyRevision;
  readonly trunks: readonly TrunkPolicy[];
  readonly tables: TableSizes;
  readonly overload: OverloadLimits;
  readonly lists: readonly ListSummary[];
  readonly nextHopHealth: NextHopHealth;
  /**
   * The trunk of a source. `listener` is the canonical id of a listener ("udp:127.0.0.1:5060"), `address` a literal without brackets,
   * `names` what a TLS peer's certificate proves, `codes` the label of an SS7 message. Bounded work and memory whatever the peer sends.
   */
  readonly matchTrunk: (
    listener: string,
    address: string,
    port: number,
    names?: readonly string[],
    codes?: PointCodes,
  ) => TrunkPolicy | undefined;
  readonly trunkById: (id: string) => TrunkPolicy | undefined;
  /**
   * True when a trunk sends its accepted calls to this literal address and port; without a port, to any port there. Names are the
   * proxy's to know.
   */
  readonly isNextHop: (address: string, port?: number) => boolean;
}
