// Reloads the policy: reads it in another thread, compiles it, and swaps it in one step.
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { compileInSteps } from "../config/policy/build-policy.ts";
import type { CustodyList, CustodyNote } from "../config/change/custody.ts";
import type { ConfigIssue } from "../config/yaml/issue.ts";
import type { StaticConfig } from "../config/load-static.ts";
import { unpackPolicy, type PolicyParcel } from "../config/policy/policy-transfer.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import { issueOf, ReadingFailure, type ReadReply, type ReadRequest } from "./policy-reading.ts";
import type { TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { HeldLists } from "./lists/held-lists.ts";
import type { FileStamps } from "./tracked-files.ts";
import type { ReloadRehearsal } from "./children/reload-rehearsal.ts";
import type { PolicyPlace } from "../records/policies/policy-keeping.ts";

/** The outcome of a reload. After one that failed or was refused, the former policy stays in force. */
export interface ReloadOutcome {
  /** `refused`: nothing is wrong with the files, and more verdicts would change than may. */
  readonly result: "ok" | "failed" | "refused";
  /** Revision of the policy that is in force now. */
  readonly revision: string;
  /** Revision before the reload. */
  readonly previous: string;
  readonly issues: readonly ConfigIssue[];
  /** What a rehearsal has found, where the reload has a bound and the policy is another one. */
  readonly rehearsal?: ReloadRehearsal & { readonly maxChanges: number };
}

/** How a reload is asked for. */
export interface ReloadWish {
  /** More verdicts than these must not change. Undefined: as {@link ReloadParts.maxChanges} says. */
  readonly maxChanges?: number | undefined;
}

export interface ReloadParts {
  readonly configPath: string;
  /** The static configuration that the program was started with. A change of it needs a restart. */
  readonly running: StaticConfig;
  /** Reads the configuration, in a thread of its own. */
  readonly read: (request: ReadRequest) => Promise<ReadReply>;
  readonly current: () => Policy;
  /** Puts a policy in force by one reference, with the certificates that were read with it. */
  readonly swap: (policy: Policy, tls: TlsMaterial | undefined) => void;
  /**
   * Takes every outcome, what asked for the reload, and the files as they were read. Without `stamps` the reading
   * failed as a whole: the same files in the same state would fail again.
   */
  readonly done: (outcome: ReloadOutcome, causes: readonly string[], stamps: FileStamps | undefined) => void;
  /** Takes each trunk of a policy that is about to come into force, between the messages of calls. */
  readonly compiled?: (trunk: TrunkPolicy) => void;
  /** Runs a step that may take long, such as the compiling of one list. The watchdog does not count its time. */
  readonly unwatched: <Result>(step: () => Result) => Result;
  /** The lists in force, for the reading. Left out: all lists are read. */
  readonly held?: () => HeldLists;
  /** Takes the lists of a policy that has come into force. */
  readonly took?: (held: HeldLists) => void;
  /** The bound of every reload that is asked for without one. Left out: there is none, and nothing is rehearsed. */
  readonly maxChanges?: number | undefined;
  /** Rehearses the files as they are. Resolves with a text that says why that can't be done. */
  readonly rehearse?: () => Promise<ReloadRehearsal | string>;
  /** The lists in custody of the policy in force. Left out: they are not known. */
  readonly custody?: readonly CustodyList[] | undefined;
  /** Takes what is to be recorded of numbers that left lists, or were to leave them. */
  readonly noted?: (notes: readonly CustodyNote[]) => void;
  /** Where policies are kept. Left out: nowhere. */
  readonly keep?: PolicyPlace | undefined;
  /** A policy could not be kept, and comes into force all the same: an alarm, and a gap in the records. */
  readonly unkept?: (revision: string, why: string) => void;
  /** An error of our own while loading. */
  readonly fault: (error: unknown) => void;
}

export interface Reloader {
  /** Reloads soon. Requests with the same bound that come before the reload begins share it and its outcome. */
  readonly request: (cause: string, wish?: ReloadWish) => Promise<ReloadOutcome>;
  /** True while files are being read. A change during the reading is noticed at its end. */
  readonly isReading: () => boolean;
  /** Gives up a reload that is under way. Its outcome is not told. */
  readonly close: () => void;
}

/** Longest part of a turn of the call thread that compiling takes. Milliseconds. */
const longestTurn = 1;

/** Files that change during every rehearsal are not tried for ever. */
const mostRehearsals = 3;

/** Reads, compiles and swaps the policy; any failure keeps the one in force. One reload at a time. */
export function createReloader(parts: ReloadParts): Reloader {
  const { configPath, running, read, current } = parts;
  let next:
    | {
        readonly causes: string[];
        readonly bound: number | undefined;
        readonly outcome: Promise<ReloadOutcome>;
      }
    | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isReading = false;
  let isClosed = false;
  let { custody } = parts;

  /** Reads the files, and keeps the policy where it may come into force. */
  function readFiles(more: Pick<ReadRequest, "keep" | "keepOnly" | "held">): Promise<ReadReply> {
    const { fingerprint } = running;
    return read({ configPath, fingerprint, tables: current().tables, custody, ...more });
  }

  /** Puts what was read in force. */
  async function take(reply: ReadReply): Promise<Replacement> {
    const { parcel, tls, issues, stamps } = reply;
    const policy = parcel === undefined ? undefined : await compile(parcel, parts);
    if (policy !== undefined && !isClosed) {
      if (reply.unkept !== undefined) parts.unkept?.(policy.revision, reply.unkept);
      parts.swap(policy, tls);
      if (reply.held !== undefined) parts.took?.(reply.held);
      custody = reply.custody;
    }
    if (!isClosed && (parcel === undefined || policy !== undefined)) parts.noted?.(reply.notes ?? []);
    return { policy, issues, stamps };
  }

  /**
   * Reads the files without keeping them, rehearses them, and reads them again to take them. Invariant: what comes into
   * force has the revision that was rehearsed.
   */
  async function takeWithin(maxChanges: number): Promise<Replacement> {
    let held = parts.held?.();
    let stamps: FileStamps | undefined;
    const refuse = (why: string, rehearsal?: ReloadRehearsal): Replacement => ({
      policy: undefined,
      stamps,
      issues: [issueOf(configPath, `${why}; nothing was reloaded`)],
      isRefused: true,
      rehearsal: rehearsal && { ...rehearsal, maxChanges },
    });
    for (let tried = 0; tried < mostRehearsals; tried++) {
      if (isClosed) break;
      const first = await readFiles({ held });
      // The files as they were before the rehearsal: a change during it is noticed at its end.
      ({ stamps } = first);
      held = first.held ?? held;
      if (first.parcel === undefined) return take(first);
      const { revision } = first.parcel;
      let found: ReloadRehearsal | undefined;
      if (revision !== current().revision) {
        const rehearsed = (await parts.rehearse?.()) ?? "there is nothing to rehearse with";
        if (typeof rehearsed === "string") return refuse(`the reload can't be rehearsed: ${rehearsed}`);
        if (rehearsed.revision !== revision) continue;
        found = rehearsed;
        if (found.changed > maxChanges) {
          const of = `${found.changed} of ${found.attempts} recorded verdicts`;
          return refuse(`${of} would change, more than ${maxChanges}`, found);
        }
      }
      const reply = await readFiles({ keep: parts.keep, keepOnly: revision, held });
      ({ stamps } = reply);
      if (reply.parcel === undefined || reply.parcel.revision === revision)
        return { ...(await take(reply)), rehearsal: found && { ...found, maxChanges } };
    }
    return refuse("the files changed again and again while they were rehearsed");
  }

  async function replacePolicy(bound: number | undefined): Promise<Replacement> {
    let stamps: FileStamps | undefined;
    try {
      if (bound !== undefined) return await takeWithin(bound);
      const reply = await readFiles({ keep: parts.keep, held: parts.held?.() });
      stamps = reply.stamps;
      return await take(reply);
    } catch (error) {
      if (error instanceof ReadingFailure) return { policy: undefined, issues: [error.issue], stamps };
      if (!isClosed) parts.fault(error);
      const message = "internal fault while loading; see the log";
      return { policy: undefined, issues: [issueOf(running.policy, message)], stamps };
    }
  }

  async function reload(causes: readonly string[], bound: number | undefined): Promise<ReloadOutcome> {
    await last;
    await nextTurn();
    if (next?.causes === causes) next = undefined;
    const previous = current();
    isReading = true;
    const { policy, issues, stamps, isRefused = false, rehearsal } = await replacePolicy(bound);
    isReading = false;
    const { revision } = policy ?? previous;
    const result = policy !== undefined ? "ok" : isRefused ? "refused" : "failed";
    const outcome: ReloadOutcome = {
      result,
      revision,
      previous: previous.revision,
      issues,
      ...(rehearsal === undefined ? {} : { rehearsal }),
    };
    if (!isClosed) parts.done(outcome, causes, stamps);
    return outcome;
  }

  return {
    request(cause, { maxChanges: bound = parts.maxChanges } = {}) {
      if (next === undefined || next.bound !== bound) {
        const causes: string[] = [];
        const outcome = reload(causes, bound);
        next = { causes, bound, outcome };
        // A reload that fails must not fail the next one.
        last = outcome.catch(parts.fault);
      }
      next.causes.push(cause);
      return next.outcome;
    },
    isReading: () => isReading,
    close() {
      isClosed = true;
    },
  };
}

interface Replacement {
  /** The policy that was put in force; undefined: the former one stays. */
  readonly policy: Policy | undefined;
  readonly stamps: FileStamps | undefined;
  readonly issues: readonly ConfigIssue[];
  /** True when the files are sound and the reload was refused all the same. */
  readonly isRefused?: boolean;
  readonly rehearsal?: ReloadOutcome["rehearsal"] | undefined;
}

/** Compiles in slices, between the messages of calls. */
async function compile(parcel: PolicyParcel, { unwatched, compiled }: ReloadParts): Promise<Policy> {
  const steps = unwatched(() => compileInSteps(unpackPolicy(parcel)));
  for (;;) {
    const until = performance.now() + longestTurn;
    while (performance.now() < until) {
      const { done, value } = unwatched(() => steps.next());
      if (done === true) return value;
      if (value !== undefined) compiled?.(value);
    }
    await nextTurn();
  }
}
