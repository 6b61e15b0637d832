// Reloads the policy: reads it in another thread, compiles it, and swaps it in one step.
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { compileInSteps } from "../config/policy/build-policy.ts";
import type { ConfigIssue } from "../config/yaml/issue.ts";
import type { StaticConfig } from "../config/load-static.ts";
import { unpackPolicy, type PolicyParcel } from "../config/policy/policy-transfer.ts";
import type { Policy } from "../policy/policy.ts";
import { issueOf, type ReadReply, type ReadRequest } from "./policy-reading.ts";
import type { TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { TrackedFiles } from "./tracked-files.ts";

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
  readonly files: TrackedFiles;
  /** Reads the configuration, in a thread of its own. */
  readonly read: (request: ReadRequest) => Promise<ReadReply>;
  readonly current: () => Policy;
  /** Puts a policy in force by one reference, with the certificates that were read with it. */
  readonly swap: (policy: Policy, tls: TlsMaterial | undefined) => void;
  /** Takes every outcome, and what asked for the reload. */
  readonly done: (outcome: ReloadOutcome, causes: readonly string[]) => void;
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
  const { configPath, running, files, read, current } = parts;
  let next: { readonly causes: string[]; readonly outcome: Promise<ReloadOutcome> } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isReading = false;
  let isClosed = false;

  async function replacePolicy(): Promise<Replacement> {
    try {
      const { fingerprint } = running;
      const { parcel, tls, issues, stamps } = await read({
        configPath,
        fingerprint,
        tables: current().tables,
      });
      files.replace(stamps);
      const policy = parcel === undefined ? undefined : await compile(parcel);
      if (policy !== undefined && !isClosed) parts.swap(policy, tls);
      return { policy, issues };
    } catch (error) {
      if (!isClosed) parts.fault(error);
      // Otherwise the same files would be read again at once, with the same result.
      files.refresh();
      const message = "internal fault while loading; see the log";
      return { policy: undefined, issues: [issueOf(running.policy, message)] };
    }
  }

  async function reload(causes: readonly string[]): Promise<ReloadOutcome> {
    await last;
    await nextTurn();
    next = undefined;
    const previous = current();
    isReading = true;
    const { policy, issues } = await replacePolicy();
    isReading = false;
    const { revision } = policy ?? previous;
    const result = policy === undefined ? "failed" : "ok";
    const outcome: ReloadOutcome = { result, revision, previous: previous.revision, issues };
    if (!isClosed) parts.done(outcome, causes);
    return outcome;
  }

  return {
    request(cause) {
      if (next === undefined) {
        const causes: string[] = [];
        const outcome = reload(causes);
        next = { causes, outcome };
        last = outcome;
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
  readonly issues: readonly ConfigIssue[];
}

/** Compiles in slices, between the messages of calls. */
async function compile(parcel: PolicyParcel): Promise<Policy> {
  const steps = compileInSteps(unpackPolicy(parcel));
  for (;;) {
    const until = performance.now() + longestTurn;
    while (performance.now() < until) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
    await nextTurn();
  }
}
