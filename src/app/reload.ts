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

/** What came of a reload. After a failed one the policy before it is still in force. */
export interface ReloadOutcome {
  readonly result: "ok" | "failed";
  /** Revision of the policy that is in force now. */
  readonly revision: string;
  /** Revision before. */
  readonly previous: string;
  readonly issues: readonly ConfigIssue[];
}

export interface ReloadParts {
  readonly configPath: string;
  /** What the program was started with; a change of it needs a restart. */
  readonly running: StaticConfig;
  readonly files: TrackedFiles;
  /** Reads the configuration, in a thread of its own. */
  readonly read: (request: ReadRequest) => Promise<ReadReply>;
  readonly current: () => Policy;
  /** Puts a policy in force, one reference, and the certificates that were read with it. */
  readonly swap: (policy: Policy, tls: TlsMaterial | undefined) => void;
  /** Told of every outcome, with what asked for it. */
  readonly done: (outcome: ReloadOutcome, causes: readonly string[]) => void;
  /** An error of our own while loading. */
  readonly fault: (error: unknown) => void;
}

export interface Reloader {
  /** Reloads soon. Requests that come before that share one reload and its outcome. */
  readonly request: (cause: string) => Promise<ReloadOutcome>;
  /** True while files are being read: whether they have changed since is seen when that is done. */
  readonly isReading: () => boolean;
  /** What is under way comes to nothing, and nobody is told. */
  readonly close: () => void;
}

/** Longest turn of the call thread that compiling takes. Milliseconds. */
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
      // Or the same files would be read again at once, to the same end.
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
  /** In force now; undefined: the one before is. */
  readonly policy: Policy | undefined;
  readonly issues: readonly ConfigIssue[];
}

/** Compiles between the messages of calls. */
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
