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
import type { PolicyPlace } from "../records/policies/policy-keeping.ts";

/** The outcome of a reload. After a failed reload the former policy stays in force. */
export interface ReloadOutcome {
  readonly result: "ok" | "failed";
  /** Revision of the policy that is in force now. */
  readonly revision: string;
  /** Revision before the reload. */
  readonly previous: string;
  readonly issues: readonly ConfigIssue[];
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
  /** Reloads soon. Requests that come before the reload begins share it and its outcome. */
  readonly request: (cause: string) => Promise<ReloadOutcome>;
  /** True while files are being read. A change during the reading is noticed at its end. */
  readonly isReading: () => boolean;
  /** Gives up a reload that is under way. Its outcome is not told. */
  readonly close: () => void;
}

/** Longest part of a turn of the call thread that compiling takes. Milliseconds. */
const longestTurn = 1;

/** Reads, compiles and swaps the policy; any failure keeps the one in force. One reload at a time. */
export function createReloader(parts: ReloadParts): Reloader {
  const { configPath, running, read, current } = parts;
  let next: { readonly causes: string[]; readonly outcome: Promise<ReloadOutcome> } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isReading = false;
  let isClosed = false;
  let { custody } = parts;

  async function replacePolicy(): Promise<Replacement> {
    let stamps: FileStamps | undefined;
    try {
      const { fingerprint } = running;
      const reply = await read({
        configPath,
        fingerprint,
        tables: current().tables,
        keep: parts.keep,
        held: parts.held?.(),
        custody,
      });
      stamps = reply.stamps;
      const { parcel, tls, issues } = reply;
      const policy = parcel === undefined ? undefined : await compile(parcel, parts);
      if (policy !== undefined && !isClosed) {
        if (reply.unkept !== undefined) parts.unkept?.(policy.revision, reply.unkept);
        parts.swap(policy, tls);
        if (reply.held !== undefined) parts.took?.(reply.held);
        custody = reply.custody;
      }
      if (!isClosed && (parcel === undefined || policy !== undefined)) parts.noted?.(reply.notes ?? []);
      return { policy, issues, stamps };
    } catch (error) {
      if (error instanceof ReadingFailure) return { policy: undefined, issues: [error.issue], stamps };
      if (!isClosed) parts.fault(error);
      const message = "internal fault while loading; see the log";
      return { policy: undefined, issues: [issueOf(running.policy, message)], stamps };
    }
  }

  async function reload(causes: readonly string[]): Promise<ReloadOutcome> {
    await last;
    await nextTurn();
    next = undefined;
    const previous = current();
    isReading = true;
    const { policy, issues, stamps } = await replacePolicy();
    isReading = false;
    const { revision } = policy ?? previous;
    const result = policy === undefined ? "failed" : "ok";
    const outcome: ReloadOutcome = { result, revision, previous: previous.revision, issues };
    if (!isClosed) parts.done(outcome, causes, stamps);
    return outcome;
  }

  return {
    request(cause) {
      if (next === undefined) {
        const causes: string[] = [];
        const outcome = reload(causes);
        next = { causes, outcome };
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
