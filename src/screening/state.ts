// What the rules remember from call to call, in bounded tables.
import type { CallAttempt } from "../domain/attempt.ts";
import type { RuleId } from "../domain/rule-id.ts";
import type { Millis, WallClock } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { type CallBacks, createCallBacks } from "../state/frequency/call-backs.ts";
import { createFrequencyCounts, type FrequencyCounts } from "../state/frequency/frequency-counts.ts";
import { createSecondWindow, type SecondWindow } from "../state/second-window.ts";
import { type AnsweredPairs, createAnsweredPairs } from "../state/quarantine/answered-pairs.ts";
import { createQuarantineTable, type QuarantineTable } from "../state/quarantine/quarantine-table.ts";
import { createSlidingWindow, type SlidingWindow } from "../state/sliding-window.ts";
import { createTokenBuckets, type TokenBuckets } from "../state/token-bucket.ts";
import { createEmergencyParties, type EmergencyParties } from "./emergency-parties.ts";
import type { CommandedLines } from "./line-orders.ts";
import { createOverlapDialling, type OverlapDialling } from "./overlap-dialling.ts";
import { createRecentCalls, type RecentCalls } from "./recent-calls.ts";

/** Callers of emergency calls that are counted at one time. Each is counted for one second. */
const EMERGENCY_CALLERS = 4096;

/** Cells that say who answered whom, for each subject of the tables. */
const ANSWERED_CELLS = 16;

/** The capacity of each bounded table of the rules, in entries. */
export interface ScreeningSizes {
  /** The calling numbers whose attempts are counted. */
  readonly callers: number;
  /** The calls that may repeat without spending. */
  readonly recentCalls: number;
  /** The pairs of limit and number that are counted for limits by contract. */
  readonly subjects: number;
}

export type TableName = keyof ScreeningSizes;

/**
 * Says that a table had no room for the call. The screen turns this into the trunk's exception
 * policy.
 */
export interface TableFull {
  readonly kind: "table-full";
  readonly table: TableName;
}

/** The channels of trunks. The engine that carries the calls puts its own count in. */
export interface Channels {
  of: (trunk: TrunkId) => number;
}

/** The lines that are stopped by order. Who keeps the orders puts the answer in; nobody does: no line is stopped. */
export interface StoppedLines {
  /** @param at on the wall clock */
  isStopped: (trunk: TrunkId, at: Millis) => boolean;
}

/** Whether calls can be recorded. The running filter puts its records in. */
export interface Recording {
  /** True while new calls of a trunk are to be refused, because nobody could tell of them. */
  isFull: (trunk: TrunkId) => boolean;
}

/** The attempt that has paid the limits of its trunk last: other nodes count it too. */
export interface PaidCall {
  attempt: CallAttempt | undefined;
  /** True while a call is counted that another node has let go on. */
  isElsewhere: boolean;
}

/** A row of the list of the lessee whose call is judged; -1: none. Every judgement begins with none. */
export interface ListedRow {
  row: number;
}

/**
 * What rules remember from call to call. It outlives the policy: a reload resets no counter and no
 * window.
 */
export interface ScreeningState {
  /** How the wall clock of attempts stands to the clock of {@link timeOf}. The engine keeps it up to date. */
  readonly wall: WallClock;
  readonly callRate: TokenBuckets;
  /** The rate of MESSAGE requests, by trunk. */
  readonly messageRate: TokenBuckets;
  readonly callerAttempts: SlidingWindow;
  readonly recentCalls: RecentCalls;
  /** Calls by limit of a contract and number. */
  readonly frequency: FrequencyCounts;
  readonly emergencyParties: EmergencyParties;
  /** Whose calls are refused or marked by a finding or an order. */
  readonly quarantine: QuarantineTable;
  /** Who answered whom in the last 30 days. */
  readonly answered: AnsweredPairs;
  /** Who has called which marketing lessee. */
  readonly callBacks: CallBacks;
  /** The rate of emergency calls, by trunk and by caller. */
  readonly emergencyRate: TokenBuckets;
  readonly emergencyCallers: SecondWindow;
  /** The calls that wait for more digits. */
  readonly overlaps: OverlapDialling;
  /** Channels that calls hold now. The engine that carries the calls counts them. */
  readonly channels: Channels;
  /** The orders that were given by command. */
  readonly lineOrders: CommandedLines;
  /** Asked where a call that stands is to go on: a change of its session, or a refresh. */
  readonly lines: StoppedLines;
  readonly recording: Recording;
  /** The row by which `caller-authentication` has accepted the call that is judged. */
  readonly listed: ListedRow;
  readonly paid: PaidCall;
  /** How often a call met each table full, since start. */
  readonly tableFull: Record<TableName, number>;
  /** How often each rule threw, since start. It is always a fault of our own. */
  readonly ruleFaults: Record<RuleId, number>;
  /** The newest fault, for the log. */
  lastFault: { readonly rule: RuleId; readonly error: unknown } | undefined;
}

/** The time of an attempt for windows and buckets: on the engine's clock, which nobody can set. */
export function timeOf(attempt: CallAttempt, { wall }: Pick<ScreeningState, "wall">): Millis {
  return attempt.at - wall.ahead;
}

export function createScreeningState(sizes: ScreeningSizes): ScreeningState {
  const wall: WallClock = { ahead: 0 };
  return {
    wall,
    callRate: createTokenBuckets(),
    messageRate: createTokenBuckets(),
    callerAttempts: createSlidingWindow(sizes.callers),
    recentCalls: createRecentCalls(sizes.recentCalls, wall),
    frequency: createFrequencyCounts(sizes.subjects),
    emergencyParties: createEmergencyParties(),
    quarantine: createQuarantineTable(),
    answered: createAnsweredPairs(sizes.subjects * ANSWERED_CELLS),
    callBacks: createCallBacks(),
    emergencyRate: createTokenBuckets(),
    emergencyCallers: createSecondWindow(EMERGENCY_CALLERS),
    overlaps: createOverlapDialling(sizes.recentCalls, wall),
    channels: { of: () => 0 },
    lineOrders: { orders: new Map() },
    lines: { isStopped: () => false },
    recording: { isFull: () => false },
    listed: { row: -1 },
    paid: { attempt: undefined, isElsewhere: false },
    tableFull: { callers: 0, recentCalls: 0, subjects: 0 },
    ruleFaults: createFaultCounters(),
    lastFault: undefined,
  };
}

function createFaultCounters(): Record<RuleId, number> {
  return {
    emergency: 0,
    "line-state": 0,
    "hidden-caller": 0,
    "caller-form": 0,
    bodies: 0,
    "cli-conflict": 0,
    "display-name": 0,
    "home-cli-from-abroad": 0,
    "number-class": 0,
    "diversion-licence": 0,
    "deny-lists": 0,
    "caller-authentication": 0,
    "do-not-call": 0,
    marketing: 0,
    quarantine: 0,
    "call-frequency": 0,
    "call-rate": 0,
    channels: 0,
  };
}
