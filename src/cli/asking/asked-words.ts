// Finds words that no record can have: a question with a slip would look like "nobody".
import { reasonCodes } from "../../domain/reason.ts";
import { ruleIds } from "../../domain/rule-id.ts";
import { verdictKinds } from "../../domain/decision.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { isMapping, valueAt } from "../../config/yaml/schema-issues.ts";
import { suggest } from "../../config/yaml/suggestion.ts";
import { readYaml } from "../../config/yaml/yaml-source.ts";
import { readParty } from "../../records/asking/record-filter.ts";

/** What was asked for by name. */
export interface AskedWords {
  readonly caller?: string | undefined;
  readonly called?: string | undefined;
  readonly trunk?: string | undefined;
  readonly lessee?: string | undefined;
  readonly reason?: string | undefined;
  readonly rule?: string | undefined;
  readonly verdict?: string | undefined;
  readonly shadow?: string | undefined;
  /** Kinds of lines; empty: calls and requests. */
  readonly kinds: readonly string[];
}

/** Who decides beside the rules. */
const deciders: readonly string[] = [...ruleIds, "default", "exception", "protocol"];
const kinds: readonly string[] = [
  "decided",
  "request",
  "ended",
  "moved",
  "policy",
  "order",
  "gap",
  "shed",
  "access",
  "deleted",
  "list",
  "finding",
];
/** Lines whose `reason` is a reason code. The reason of an order is a text of people. */
const judged: ReadonlySet<string> = new Set(["decided", "request", "shed"]);

/** @returns what is wrong with a closed word, and what was probably meant; undefined: nothing is */
export function refuseWords({ reason, rule, verdict, shadow, kinds: asked }: AskedWords): string | undefined {
  const isJudged = asked.every((kind) => judged.has(kind));
  const checks: readonly (readonly [
    option: string,
    word: string | undefined,
    known: readonly string[],
    what: string,
  ])[] = [
    ["--reason", isJudged ? reason : undefined, reasonCodes, "reason code; docs/reasons.md has them all"],
    ["--rule", isJudged ? rule : undefined, deciders, `rule; expected one of ${deciders.join(", ")}`],
    [
      "--verdict",
      isJudged ? verdict : undefined,
      verdictKinds,
      `verdict; expected one of ${verdictKinds.join(", ")}`,
    ],
    ["--shadow", shadow, [...ruleIds, ...reasonCodes], "rule and no reason code"],
  ];
  for (const [option, word, known, what] of checks) {
    if (word === undefined || known.includes(word)) continue;
    const meant = suggest(word.replaceAll("_", "-"), known);
    return meant === ""
      ? `${option} "${word}" is no ${what}`
      : `${option} "${word}" is no ${what.split(";")[0] ?? ""}${meant}`;
  }
  return undefined;
}

/**
 * Says of names that were not found why that may be. They may be of the past, so that they are no mistakes.
 *
 * @param policy path of the policy of today, where there is one
 */
export function doubtNames(
  { trunk, lessee, caller, called, kinds: asked }: AskedWords,
  policy: string | undefined,
  readFile: ReadFile,
): readonly string[] {
  const doubts: string[] = [];
  for (const [what, key, word] of [
    ["trunk", "trunks", trunk],
    ["lessee", "lessees", lessee],
  ] as const) {
    if (word === undefined) continue;
    const known = namesInPolicy(policy, key, readFile);
    if (known !== undefined && !known.includes(word))
      doubts.push(`the policy of today has no ${what} "${word}"${suggest(word, known)}`);
  }
  for (const [option, text] of [
    ["--caller", caller],
    ["--called", called],
  ] as const)
    if (text !== undefined && readParty(text).kind === "raw")
      doubts.push(`${option} "${text}" is no number: calls whose message has this text were looked for`);
  for (const kind of asked)
    if (!kinds.includes(kind)) doubts.push(`no lines are of the kind "${kind}"${suggest(kind, kinds)}`);
  return doubts;
}

function namesInPolicy(
  policy: string | undefined,
  key: "trunks" | "lessees",
  readFile: ReadFile,
): readonly string[] | undefined {
  if (policy === undefined) return undefined;
  const read = readFile(policy);
  if ("error" in read) return undefined;
  const entries = valueAt(readYaml(policy, read.bytes).value, [key]);
  if (!Array.isArray(entries)) return undefined;
  return entries.flatMap((entry: unknown) =>
    isMapping(entry) && typeof entry["id"] === "string" ? [entry["id"]] : [],
  );
}
