// Compares two policies in the words of the business: numbers, trunks, modes and rules, not lines of files.
import { ruleIds } from "../../domain/rule-id.ts";
import { differenceOf } from "../../numbering/lists/difference.ts";
import { createNumberSetBuilder } from "../../numbering/number-set-builder.ts";
import type { PolicyMaterial } from "../load-policy.ts";
import type { TrunkPlan } from "../policy/build-policy.ts";
import type { LoadedList } from "../policy/list-loading.ts";
import { isMapping } from "../yaml/schema-issues.ts";
import { compareMarks } from "./same-marks.ts";
import { describeDifference } from "./number-words.ts";
import { changesOf, describeValue, type ValueChange } from "./value-changes.ts";

/** One thing that has changed. */
export interface PolicyChange {
  /** `lessee bank`, `list police`, `trunk gw-2`, `rule hidden-caller`, `special user …`, `policy`. */
  readonly about: string;
  readonly text: string;
}

/** Everything that differs, lessees first. Empty: both policies judge alike. */
export function comparePolicies(before: PolicyMaterial, after: PolicyMaterial): readonly PolicyChange[] {
  return [
    ...compareLists(before, after),
    ...compareTrunks(before, after),
    ...compareRules(before.plans, after.plans),
    ...compareRest(before, after),
  ];
}

const noNumbers = createNumberSetBuilder().build();

/** Numbers of lessees and of lists, whatever the files are called. */
function compareLists(before: PolicyMaterial, after: PolicyMaterial): readonly PolicyChange[] {
  const old = byName(before.lists);
  const young = byName(after.lists);
  return namesOf(old, young).flatMap((about) => {
    const [was, is] = [old.get(about), young.get(about)];
    const words = describeDifference(
      differenceOf(was?.read.numbers ?? noNumbers, is?.read.numbers ?? noNumbers, compareMarks(was, is)),
    );
    const state = was === undefined ? ["new"] : is === undefined ? ["gone"] : [];
    const kind =
      was !== undefined && is !== undefined && was.kind !== is.kind ? [`kind ${was.kind} → ${is.kind}`] : [];
    const all = [...state, ...kind, ...words];
    return all.length === 0 ? [] : [{ about, text: all.join(", ") }];
  });
}

function byName(lists: readonly LoadedList[]): ReadonlyMap<string, LoadedList> {
  return new Map(lists.map((list) => [`${list.kind === "lessee" ? "lessee" : "list"} ${list.id}`, list]));
}

/** What trunks and lessees are told in the file. Their rules and numbers are compared apart. */
function compareTrunks(before: PolicyMaterial, after: PolicyMaterial): readonly PolicyChange[] {
  const kinds = [
    ["trunk", "trunks", ["id", "rules"]],
    ["lessee", "lessees", ["id", "numbers"]],
  ] as const;
  return kinds.flatMap(([kind, key, apart]) => {
    const old = entriesOf(before, key, kind);
    const young = entriesOf(after, key, kind);
    return namesOf(old, young).flatMap((about): readonly PolicyChange[] => {
      const [was, is] = [old.get(about), young.get(about)];
      if (was === undefined || is === undefined) {
        // A lessee that is new or gone is told by its numbers.
        if (kind === "lessee") return [];
        return [{ about, text: was === undefined ? `new, ${describeTrunk(is)}` : "gone" }];
      }
      const changes = changesOf(was, is).filter(({ path }) => !apart.some((name) => isBelow(path, name)));
      return changes.map((change) => ({ about, text: describeChange(change) }));
    });
  });
}

function describeTrunk(entry: Readonly<Record<string, unknown>> | undefined): string {
  const lessee = entry?.["lessee"];
  return `side ${describeValue(entry?.["side"])}${lessee === undefined ? "" : `, lessee ${describeValue(lessee)}`}`;
}

/** What the rules of each trunk are in the end, wherever the file says so. Trunks with the same change stand together. */
function compareRules(before: readonly TrunkPlan[], after: readonly TrunkPlan[]): readonly PolicyChange[] {
  const old = new Map(before.map((plan) => [plan.trunk.id, plan.chain]));
  const trunksOf = new Map<string, string[]>();
  for (const { trunk, chain } of after) {
    const was = old.get(trunk.id);
    if (was === undefined || trunk.side === "core") continue;
    for (const id of ruleIds) {
      const changes = changesOf(
        { mode: was[id].mode, ...asMap(was[id].options) },
        { mode: chain[id].mode, ...asMap(chain[id].options) },
      );
      for (const change of changes) {
        const key = `${id}\n${describeChange(change)}`;
        trunksOf.set(key, [...(trunksOf.get(key) ?? []), trunk.id]);
      }
    }
  }
  return [...trunksOf].map(([key, trunks]) => {
    const [id = "", text = ""] = key.split("\n");
    return { about: `rule ${id}`, text: `${text} on ${describeTrunks(trunks)}` };
  });
}

const MOST_NAMED = 5;

function describeTrunks(trunks: readonly string[]): string {
  const named = trunks.slice(0, MOST_NAMED).join(", ");
  return trunks.length > MOST_NAMED ? `${named} and ${trunks.length - MOST_NAMED} more trunks` : named;
}

function compareRest(before: PolicyMaterial, after: PolicyMaterial): readonly PolicyChange[] {
  const apart = ["trunks", "lessees", "rules", "specialUsers"];
  const [was, is] = [asMap(before.file.source.value), asMap(after.file.source.value)];
  const special = compareSpecialUsers(before, after);
  const rest = changesOf(was, is).filter(
    ({ path }) =>
      !apart.some((name) => isBelow(path, name)) && !/^lists\.[^.]+(?:$|\.(?:file|kind)$)/u.test(path),
  );
  return [...special, ...rest.map((change) => ({ about: "policy", text: describeChange(change) }))];
}

function compareSpecialUsers(before: PolicyMaterial, after: PolicyMaterial): readonly PolicyChange[] {
  const old = specialUsersOf(before);
  const young = specialUsersOf(after);
  return namesOf(old, young).flatMap((about): readonly PolicyChange[] => {
    const [was, is] = [old.get(about), young.get(about)];
    if (was === undefined) return [{ about, text: `new, until ${describeValue(is?.["until"])}` }];
    if (is === undefined) return [{ about, text: "gone" }];
    return changesOf(was, is).map((change) => ({ about, text: describeChange(change) }));
  });
}

function specialUsersOf({ file }: PolicyMaterial): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  return new Map(
    file.specialUsers.map(({ value }) => [`special user ${value.number} on ${value.trunk}`, asMap(value)]),
  );
}

function entriesOf(
  { file }: PolicyMaterial,
  key: "trunks" | "lessees",
  kind: string,
): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const written = asMap(file.source.value)[key];
  const entries = Array.isArray(written) ? written.map(asMap) : [];
  return new Map(entries.map((entry) => [`${kind} ${describeValue(entry["id"])}`, entry]));
}

function describeChange({ path, before, after }: ValueChange): string {
  return `${path} ${describeValue(before)} → ${describeValue(after)}`;
}

function namesOf(old: ReadonlyMap<string, unknown>, young: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...old.keys(), ...young.keys()])];
}

function isBelow(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name}.`);
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}
