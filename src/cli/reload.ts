import { hasErrors, type ConfigIssue } from "../config/issue.ts";
import { loadPolicy, loadStatic, type LoadedPolicy, type StaticConfig } from "../config/load.ts";
import type { Policy } from "../config/policy.ts";
import { loadTls, type TlsMaterial } from "../config/tls-files.ts";
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
}

/** Loads, compiles and swaps the policy; any failure keeps the one in force. */
export function createReloader(parts: ReloadParts): Reloader {
  let pending: { readonly causes: string[]; readonly outcome: Promise<ReloadOutcome> } | undefined;

  function reload(): ReloadOutcome {
    const previous = parts.current();
    parts.files.forget();
    const { policy, issues } = swapSafely(parts);
    const { revision } = policy ?? previous;
    return { result: policy === undefined ? "failed" : "ok", revision, previous: previous.revision, issues };
  }

  return {
    request(cause) {
      if (pending === undefined) {
        const causes: string[] = [];
        const outcome = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
          pending = undefined;
          const reached = reload();
          parts.done(reached, causes);
          return reached;
        });
        pending = { causes, outcome };
      }
      pending.causes.push(cause);
      return pending.outcome;
    },
  };
}

type Loaded = Pick<LoadedPolicy, "policy" | "issues"> & { readonly tls?: TlsMaterial | undefined };

function swapSafely(parts: ReloadParts): Loaded {
  try {
    const loaded = load(parts);
    if (loaded.policy !== undefined) parts.swap(loaded.policy, loaded.tls);
    return loaded;
  } catch (error) {
    parts.fault(error);
    return refuse(parts.running.policy, "internal fault while loading; see the log");
  }
}

function load({ configPath, running, files: { readFile }, current }: ReloadParts): Loaded {
  const { config, issues: staticIssues } = loadStatic(readFile, configPath);
  if (config === undefined) return { policy: undefined, issues: staticIssues };
  if (config.fingerprint !== running.fingerprint) {
    return refuse(
      configPath,
      "changed since the start; nothing was reloaded: restart to apply it, or put it back",
    );
  }
  const listeners = config.listen.map(({ id }) => id);
  const { policy, issues: policyIssues, material } = loadPolicy(readFile, config.policy, listeners);
  const certificates = config.tls === undefined ? undefined : loadTls(readFile, config.tls, Date.now());
  const issues = [...policyIssues, ...(certificates?.issues ?? [])];
  if (hasErrors(issues)) return { policy: undefined, issues };
  const tls = certificates?.material;
  if (policy === undefined || material === undefined || hasSameTables(policy, current()))
    return { policy, tls, issues };
  const message = "table sizes change with a restart; the running ones stay as they are";
  return { policy, tls, issues: [...issues, material.file.source.issueAt(["tables"], message, "warning")] };
}

function refuse(file: string, message: string): Loaded {
  return { policy: undefined, issues: [{ severity: "error", file, line: 1, column: 1, path: "", message }] };
}

function hasSameTables(a: Policy, b: Policy): boolean {
  return JSON.stringify(a.tables) === JSON.stringify(b.tables);
}
