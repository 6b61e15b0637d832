// Reads policy.yaml by its schema, part by part, so that one bad part hides no other issue.
import { findMergedSizes, readTableSizes } from "./table-sizes.ts";
import type { z } from "zod";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { policyJsonSchema } from "./policy-schema.ts";
import { nextHopHealthSchema, type NextHopHealthEntry } from "./next-hop.ts";
import {
  lesseeSchema,
  overloadSchema,
  policySchema,
  specialUserSchema,
  tablesSchema,
  timeZoneSchema,
  trunkSchema,
} from "./policy-schema.ts";
import { listSchema, type PolicyList } from "./keys/list-schema.ts";
import type { LesseeEntry, SpecialUserEntry, TrunkEntry } from "./policy-schema.ts";
import { explainIssues, isMapping, valueAt } from "../yaml/schema-issues.ts";
import type { OverloadLimits, TableSizes } from "../../policy/policy.ts";
import type { DetectorSettings } from "../../screening/detectors/detector.ts";
import { type MarketingEntry, marketingSchema } from "./keys/marketing-schema.ts";
import { readDetectors } from "./keys/detectors-schema.ts";
import type { Source } from "../yaml/yaml-source.ts";

/** A part of the file and its place. */
export interface Placed<Value> {
  readonly path: Path;
  readonly value: Value;
}

/**
 * The sound parts of a `policy.yaml`, also when others have errors, so that all issues come at
 * once.
 */
export interface PolicyFile {
  readonly source: Source;
  /** Country code of bare numbers. */
  readonly homeCountry: string;
  readonly timeZone: string;
  readonly trunks: readonly Placed<TrunkEntry>[];
  readonly lessees: readonly Placed<LesseeEntry>[];
  readonly lists: readonly Placed<PolicyList & { readonly id: string }>[];
  readonly specialUsers: readonly Placed<SpecialUserEntry>[];
  /** The global `rules`, as written. */
  readonly rules: unknown;
  readonly nextHopHealth: NextHopHealthEntry;
  readonly tables: TableSizes;
  readonly overload: OverloadLimits;
  readonly detectors: DetectorSettings;
  readonly marketing: MarketingEntry;
}

/** Reads the parts of a policy file. Parts with errors are left out and reported in `issues`. */
export function readPolicyFile(source: Source): {
  readonly file: PolicyFile;
  readonly issues: readonly ConfigIssue[];
} {
  const { value } = source;
  const whole = policySchema.safeParse(value);
  const lists = valueAt(value, ["lists"]);
  const tables = tablesSchema.safeParse(valueAt(value, ["tables"])).data ?? tablesSchema.parse({});
  const file: PolicyFile = {
    source,
    homeCountry: "86",
    timeZone: timeZoneSchema.safeParse(valueAt(value, ["timeZone"])).data ?? "Asia/Shanghai",
    trunks: readEach(value, "trunks", trunkSchema).map(({ path, value: trunk }) => ({
      path,
      value: { ...trunk, rules: valueAt(value, [...path, "rules"]) },
    })),
    lessees: readEach(value, "lessees", lesseeSchema),
    lists: Object.entries(isMapping(lists) ? lists : {}).flatMap(([id, entry]) => {
      const read = listSchema.safeParse(entry);
      return read.success ? [{ path: ["lists", id], value: { ...read.data, id } }] : [];
    }),
    specialUsers: readEach(value, "specialUsers", specialUserSchema),
    rules: valueAt(value, ["rules"]),
    nextHopHealth:
      nextHopHealthSchema.safeParse(valueAt(value, ["nextHopHealth"])).data ?? nextHopHealthSchema.parse({}),
    tables: readTableSizes(tables),
    overload: readOverload(valueAt(value, ["overload"])),
    detectors: readDetectors(valueAt(value, ["detectors"])),
    marketing: marketingSchema.safeParse(valueAt(value, ["marketing"])).data ?? marketingSchema.parse({}),
  };
  const mistakes = whole.success ? [] : explainIssues(whole.error, source, policyJsonSchema);
  return { file, issues: [...mistakes, ...findMergedSizes(source, tables)] };
}

function readOverload(written: unknown): OverloadLimits {
  const { retryAfterSeconds, ...limits } = overloadSchema.safeParse(written).data ?? overloadSchema.parse({});
  return { ...limits, retryAfterSeconds };
}

/**
 * Lists the ids written under `key`, also those of entries with other errors. A reference to such
 * an entry is no second error.
 */
export function writtenIds(source: Source, key: "trunks" | "lessees"): readonly string[] {
  const entries = valueAt(source.value, [key]);
  if (!Array.isArray(entries)) return [];
  return entries.map((entry) => valueAt(entry, ["id"])).filter((id) => typeof id === "string");
}

function readEach<Value>(root: unknown, key: string, schema: z.ZodType<Value>): readonly Placed<Value>[] {
  const entries = valueAt(root, [key]);
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry, index) => {
    const read = schema.safeParse(entry);
    return read.success ? [{ path: [key, index], value: read.data }] : [];
  });
}
