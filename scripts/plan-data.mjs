/**
 * Turns the numbering plans in data/*.csv into the compact tables of src/numbering/*.data.ts.
 *
 *   node scripts/plan-data.mjs            writes the tables
 *   node scripts/plan-data.mjs --verify   exits 1 when a table differs from what the CSV files say
 */
import { readFileSync, writeFileSync } from "node:fs";
import papaparse from "papaparse";

const PRINT_WIDTH = 110;
const root = new URL("../", import.meta.url);

function readRows(file) {
  const { data, errors } = papaparse.parse(readFileSync(new URL(file, root), "utf8"), {
    header: true,
    skipEmptyLines: true,
  });
  if (errors.length > 0) throw new Error(`${file}: ${JSON.stringify(errors[0])}`);
  return data;
}

/** Rows that share a key become one row; the order is that of first appearance. */
function groupPrefixes(entries) {
  const groups = new Map();
  for (const { key, prefix } of entries) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [prefix]);
    else group.push(prefix);
  }
  return [...groups];
}

function formatProperty(name, value) {
  const line = `    ${name}: ${value},`;
  return line.length <= PRINT_WIDTH ? line : `    ${name}:\n      ${value},`;
}

function formatLengths(lengths) {
  return `[${lengths.split("|").join(", ")}]`;
}

function formatCnPlan() {
  const rows = readRows("data/cn-numbering-plan.csv")
    // A withdrawn area code is unallocated: it must not make a number valid.
    .filter((row) => row.kind !== "fixed_area_withdrawn")
    .map((row) =>
      row.kind === "fixed_area"
        ? { key: `fixed/${row.subscriber_len}`, prefix: row.prefix }
        : { key: `${row.kind}/${row.nsn_len}`, prefix: row.prefix },
    );
  const groups = groupPrefixes(rows).map(([key, prefixes]) => {
    const [kind, lengths] = key.split("/");
    return [
      "  {",
      formatProperty("class", `"${kind}"`),
      formatProperty("lengths", formatLengths(lengths)),
      formatProperty("prefixes", `"${prefixes.join(" ")}"`),
      "  },",
    ].join("\n");
  });
  return `// Made by scripts/plan-data.mjs from data/cn-numbering-plan.csv; sources in NOTICE.
import type { NumberClass } from "../domain/number.ts";

/** Prefixes of one class that allow the same lengths. */
export interface PlanRow {
  readonly class: NumberClass;
  /** Digits of the subscriber number for class \`fixed\`, of the national significant number for all others. */
  readonly lengths: readonly number[];
  /** Separated by a space. */
  readonly prefixes: string;
}

/** The +86 plan: area codes, mobile blocks and nationwide codes. */
export const cnPlan: readonly PlanRow[] = [
${groups.join("\n")}
];
`;
}

function formatCountryCodes() {
  const rows = readRows("data/e164-country-codes.csv").map((row) => ({
    key: row.nsn_len_any,
    prefix: row.cc,
  }));
  const groups = groupPrefixes(rows).map(([lengths, codes]) =>
    [
      "  {",
      formatProperty("lengths", formatLengths(lengths)),
      formatProperty("codes", `"${codes.join(" ")}"`),
      "  },",
    ].join("\n"),
  );
  return `// Made by scripts/plan-data.mjs from data/e164-country-codes.csv; sources in NOTICE.

/** Country codes whose national numbers have the same possible lengths. */
export interface CountryCodeRow {
  /** Digits of the national significant number. */
  readonly lengths: readonly number[];
  /** Separated by a space. */
  readonly codes: string;
}

/** Assigned country codes (ITU-T E.164), global services and networks included. */
export const countryCodes: readonly CountryCodeRow[] = [
${groups.join("\n")}
];
`;
}

const tables = {
  "src/numbering/cn-plan.data.ts": formatCnPlan(),
  "src/numbering/e164.data.ts": formatCountryCodes(),
};

for (const [file, text] of Object.entries(tables)) {
  const url = new URL(file, root);
  if (!process.argv.includes("--verify")) {
    writeFileSync(url, text);
  } else if (readFileSync(url, "utf8") !== text) {
    console.error(`${file} differs from data/: run node scripts/plan-data.mjs`);
    process.exitCode = 1;
  }
}
