// How many blocks of evidence a trunk may write: beyond its budget one gap a second says how many are missing.
import { formatLineTime } from "../lines/line-time.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";

/** The budget of each trunk. */
export interface TrunkBudget {
  /** Blocks in a second. The depth of the bucket is one second's worth. */
  readonly blocksPerSecond: number;
  /** In units of 1024² octets, for each day of UTC. */
  readonly megabytesPerDay: number;
}

/** Blocks of one trunk that were not written within one second. */
export interface BudgetGap {
  readonly trunk: TrunkId;
  /** Of the first and of the last of them, on the wall clock. */
  readonly from: Millis;
  readonly to: Millis;
  readonly lost: number;
  /** How many of each reason. */
  readonly reasons: Readonly<Partial<Record<ReasonCode, number>>>;
  readonly why: "blocks-per-second" | "megabytes-per-day";
}

interface Account {
  tokens: number;
  /** When tokens were given last. */
  filled: Millis;
  day: number;
  octets: number;
  gap:
    | {
        from: Millis;
        to: Millis;
        lost: number;
        reasons: Partial<Record<ReasonCode, number>>;
        why: BudgetGap["why"];
      }
    | undefined;
}

const DAY: Millis = 86_400_000;
const SECOND: Millis = 1000;

/** The budgets of all trunks. Time is the wall clock of the events. */
export interface EvidenceBudget {
  /**
   * Takes room for a block of `octets`.
   * @returns false when the trunk has no room: the block is counted into the gap of this second
   */
  readonly take: (trunk: TrunkId, octets: number, reason: ReasonCode, at: Millis) => boolean;
  /** @returns the gaps that are a second old, in the order of trunks; each is given once */
  readonly due: (at: Millis) => readonly BudgetGap[];
  /** @returns all gaps, for the end of the process */
  readonly rest: () => readonly BudgetGap[];
}

/** Creates budgets. Invariant: one account for each trunk of a policy; trunks come from the policy alone. */
export function createEvidenceBudget({ blocksPerSecond, megabytesPerDay }: TrunkBudget): EvidenceBudget {
  const accounts = new Map<TrunkId, Account>();
  const mostOctets = megabytesPerDay * 2 ** 20;

  function accountOf(trunk: TrunkId, at: Millis): Account {
    let account = accounts.get(trunk);
    if (account === undefined) {
      account = { tokens: blocksPerSecond, filled: at, day: -1, octets: 0, gap: undefined };
      accounts.set(trunk, account);
    }
    // A clock that steps back gives nothing and takes nothing.
    const passed = Math.max(0, at - account.filled);
    account.tokens = Math.min(blocksPerSecond, account.tokens + (passed * blocksPerSecond) / SECOND);
    account.filled = at;
    const day = Math.floor(at / DAY);
    if (day !== account.day) {
      account.day = day;
      account.octets = 0;
    }
    return account;
  }

  function take(trunk: TrunkId, octets: number, reason: ReasonCode, at: Millis): boolean {
    const account = accountOf(trunk, at);
    const why =
      account.octets + octets > mostOctets
        ? "megabytes-per-day"
        : account.tokens < 1
          ? "blocks-per-second"
          : undefined;
    if (why === undefined) {
      account.tokens -= 1;
      account.octets += octets;
      return true;
    }
    const gap = (account.gap ??= { from: at, to: at, lost: 0, reasons: {}, why });
    gap.to = Math.max(gap.to, at);
    gap.lost += 1;
    gap.reasons[reason] = (gap.reasons[reason] ?? 0) + 1;
    return false;
  }

  function give(isDue: (gap: NonNullable<Account["gap"]>) => boolean): readonly BudgetGap[] {
    const gaps: BudgetGap[] = [];
    for (const [trunk, account] of accounts) {
      if (account.gap === undefined || !isDue(account.gap)) continue;
      gaps.push({ trunk, ...account.gap });
      account.gap = undefined;
    }
    return gaps;
  }

  return {
    take,
    due: (at) => give(({ from }) => Math.abs(at - from) >= SECOND),
    rest: () => give(() => true),
  };
}

/** The gap line of a gap, as a leaf and a record line have it. */
export function budgetGapLine(gap: BudgetGap, node: string): string {
  const { trunk, from, to, lost, reasons, why } = gap;
  return JSON.stringify({
    record: "gap",
    time: formatLineTime(to),
    node,
    from: formatLineTime(from),
    to: formatLineTime(to),
    lost,
    why: `evidence-budget: ${why}`,
    trunk,
    reasons,
  });
}
