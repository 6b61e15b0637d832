// The capacities of the bounded tables: one for calls, whatever older files say of its parts.
import type { TableSizes } from "../../policy/policy.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { Source } from "../yaml/yaml-source.ts";
import type { TablesEntry } from "./policy-schema.ts";

const DEFAULT_CALLS = 262_144;

/** Keys of 0.1.0 that `calls` stands for. */
const merged = ["ledger", "recentCalls", "failovers", "circuits", "transactions"] as const;

/** Circuits of one pair of associations: a fraction of all calls. */
const CALLS_PER_CIRCUIT = 4;
/** Requests between a stream and datagrams, likewise. */
const CALLS_PER_TRANSACTION = 8;

/** Returns the sizes. Without `calls`, the largest of the older keys or the default holds, whichever is more. */
export function readTableSizes(entry: TablesEntry): TableSizes {
  const older = merged.flatMap((key) => entry[key] ?? []);
  const calls = entry.calls ?? Math.max(DEFAULT_CALLS, ...older);
  const { callBytes, callers, subjects, sources } = entry;
  return {
    calls,
    callBytes,
    callers,
    subjects,
    sources,
    recentCalls: calls,
    circuits: Math.ceil(calls / CALLS_PER_CIRCUIT),
    transactions: Math.ceil(calls / CALLS_PER_TRANSACTION),
  };
}

/** Notes older keys. */
export function findMergedSizes(source: Source, entry: TablesEntry): readonly ConfigIssue[] {
  const { calls } = readTableSizes(entry);
  return merged.flatMap((key) =>
    entry[key] === undefined
      ? []
      : [
          source.issueAt(
            ["tables", key],
            `"${key}" is part of "calls" since 0.2.0; ${calls} calls are remembered. Write "calls" instead`,
            "warning",
          ),
        ],
  );
}
