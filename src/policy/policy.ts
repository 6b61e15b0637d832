// The policy in force, compiled and immutable: what every call attempt is judged and routed by.
import type { PolicyRevision } from "../domain/decision.ts";
import type { LineId, PlacedOrder } from "../domain/line-state.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk, TrunkId } from "../domain/trunk.ts";
import type { MatchEntry, RoutingLabel } from "./trunk-match.ts";
import type { Screen } from "../screening/chain/screen.ts";
import type { MarketingPolicy } from "../screening/rule.ts";
import type { DetectorSettings } from "../screening/detectors/detector.ts";

/** A trunk with its compiled chain of rules. */
export interface TrunkPolicy {
  readonly trunk: Trunk;
  readonly screen: Screen;
  /** Whether a call may pass with its calling number withheld. */
  readonly mayWithhold: boolean;
}

/** The capacity of every bounded table, in entries unless said otherwise. */
export interface TableSizes {
  /** Calls that are remembered, from their first message to their end. */
  readonly calls: number;
  /** Octets that all calls together may keep for a BYE of our own. */
  readonly callBytes: number;
  /** Calling numbers whose attempts are counted. */
  readonly callers: number;
  /** Pairs of limit and number that are counted for limits by contract. */
  readonly subjects: number;
  /** Sources whose trunk is remembered. */
  readonly sources: number;
  /** Calls that may repeat without paying their limits again. */
  readonly recentCalls: number;
  /** SS7 circuits of one linkset with a call or a refusal in progress. */
  readonly circuits: number;
  /** Transactions between a stream and a datagram hop, of each kind. */
  readonly transactions: number;
}

/** How the filter finds out which next hops are up. Times are in milliseconds. */
export interface NextHopHealth {
  /** Whether the filter probes next hops with OPTIONS. */
  readonly probes: boolean;
  /** Between two probes of a next hop. */
  readonly interval: Millis;
  /** How long a probe, or the INVITEs of calls, may stay unanswered. */
  readonly timeout: Millis;
  /** Misses in a row after which a next hop is down. */
  readonly missesUntilDown: number;
  /** Answers in a row after which a next hop that was down is up. */
  readonly answersUntilUp: number;
  /** The longest interval between two probes of a next hop that is down. */
  readonly longestInterval: Millis;
  /** The longest time for which a Retry-After is heeded; 0: never. */
  readonly longestRest: Millis;
}

/** When an overloaded filter sheds new calls; `judging/overload.ts` applies it. */
export interface OverloadLimits {
  readonly mode: "enforce" | "off";
  /** Share of the time, 0 to 1, in which the call thread may be busy before new calls are shed. */
  readonly busyRatio: number;
  /** How late a due timer may run before new calls are shed, in milliseconds. */
  readonly lateMilliseconds: number;
  /**
   * Retry-After of a 503 with reason `overload`, in seconds (RFC 3261 section 20.33). The header
   * field is left out when undefined.
   */
  readonly retryAfterSeconds: number | undefined;
}

/** Summary of one loaded list, for metrics and `check`. */
export interface ListSummary {
  /** Id of the list, or of the lessee whose numbers it holds. Invariant: unique among both. */
  readonly id: string;
  readonly kind: "lessee" | "police" | "deny" | "shutdown" | "trusted" | "score" | "do-not-call";
  readonly file: string;
  /** Hash of the text of the list, short. */
  readonly fingerprint: string;
  /** Rows of the file: each exact number, range or prefix is one. */
  readonly rows: number;
  readonly exact: number;
  readonly ranges: number;
  /** Prefixes of which the plan does not say how many numbers they are. */
  readonly prefixes: number;
  /** Exact numbers, the numbers inside the ranges, and those behind prefixes with numbers of one length. */
  readonly numbers: number;
}

/** What an order can stop: a trunk, or a lessee with all of its trunks. */
export interface PolicyLine {
  readonly id: LineId;
  /** The order of the policy file, whether it is in force yet or not. Undefined: the file says nothing of the line. */
  readonly placed: PlacedOrder | undefined;
  /** The trunks whose calls it stops; never one of side core, which is not screened. */
  readonly trunks: readonly TrunkId[];
}

/** The compiled policy. Invariant: immutable; a reload replaces the whole object. */
export interface Policy {
  readonly revision: PolicyRevision;
  readonly trunks: readonly TrunkPolicy[];
  readonly tables: TableSizes;
  readonly overload: OverloadLimits;
  readonly detectors: DetectorSettings;
  /** What is asked of marketing. Undefined: no trunk has calls of that kind. */
  readonly marketing: MarketingPolicy | undefined;
  readonly lists: readonly ListSummary[];
  /** Every trunk but those of side core, then every lessee. */
  readonly lines: readonly PolicyLine[];
  /** Time zone of all dates of the policy. */
  readonly timeZone: string;
  readonly nextHopHealth: NextHopHealth;
  /**
   * Finds the trunk that a message comes from. Work and memory are bounded whatever the peer sends.
   *
   * @param listener canonical id of the listener that took the message ("udp:127.0.0.1:5060")
   * @param address source address, a literal without brackets
   * @param port source port
   * @param names names that the certificate of a TLS peer proves
   * @param label routing label of an SS7 message
   * @returns undefined for a source that no trunk claims
   */
  readonly matchTrunk: (
    listener: string,
    address: string,
    port: number,
    names?: readonly string[],
    label?: RoutingLabel,
  ) => TrunkPolicy | undefined;
  /**
   * Finds every trunk that an address may belong to, whatever its ports, names and labels. For peers that are set up:
   * the work grows with the trunks.
   */
  readonly trunksAt: (listener: string, address: string) => readonly TrunkPolicy[];
  readonly trunkById: (id: string) => TrunkPolicy | undefined;
  /** Lists the ways in which messages of a trunk are recognised. Empty for an unknown trunk. For commands only. */
  readonly matchesOf: (id: string) => readonly MatchEntry<TrunkPolicy>[];
  /**
   * Tells whether a literal address and port belong to a next hop of the policy. Host names are
   * resolved elsewhere (`routing/next-hops.ts`) and are not known here.
   *
   * @param port any port of that address when undefined
   */
  readonly isNextHop: (address: string, port?: number) => boolean;
}

/** Longest time that a call may stand whose trunk has left the policy. Milliseconds. */
const LONGEST_CALL: Millis = 12 * 3_600_000;

/** Returns the longest time that a call of a trunk may stand without its end being seen. Milliseconds. */
export function longestCallOf({ trunkById }: Policy, trunk: TrunkId): Millis {
  return trunkById(trunk)?.trunk.longestCall ?? LONGEST_CALL;
}
