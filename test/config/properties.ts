import * as fc from "fast-check";
import tap from "tap";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import type { ConfigIssue } from "../../src/config/yaml/issue.ts";
import { loadStatic } from "../../src/config/load-static.ts";
import { readNumberList } from "../../src/config/lists/number-list.ts";
import { reviewPolicy } from "../../src/config/review/review.ts";
import { filesOf, soundLists, soundPolicy } from "./files.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";

const seed = 20261122;
const calendar = createCalendar("Asia/Shanghai");

/** A place in a text that has it: lines and columns from 1, no line behind the last one. */
function assertPlaces(issues: readonly ConfigIssue[], texts: Readonly<Record<string, string>>): void {
  for (const { file, line, column, message } of issues) {
    const lines = (texts[file] ?? "").split("\n").length;
    if (line < 1 || line > lines || column < 1)
      throw new Error(`${file}:${line}:${column} of ${lines} lines: ${message}`);
  }
}

function load(texts: Readonly<Record<string, string>>): boolean {
  const { policy, material, issues } = loadPolicy(filesOf(texts), "policy.yaml", ["udp:127.0.0.1:5060"]);
  assertPlaces(issues, texts);
  if (policy === undefined) {
    if (!issues.some((issue) => issue.severity === "error")) throw new Error("refused without an error");
    return false;
  }
  if (material === undefined) throw new Error("a policy without material");
  assertPlaces(reviewPolicy(policy, material, [], 1_795_305_600_000), texts);
  policy.matchTrunk("udp:127.0.0.1:5060", "127.0.0.1", 5061);
  return true;
}

/** A text with a few pieces of it removed, doubled or replaced by something else. */
function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(text.length),
    length: fc.nat(3),
    insert: fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom(
        "null",
        "[]",
        "{}",
        "- ",
        "\n",
        ": ",
        "&a ",
        "*a",
        "!!x ",
        "__proto__",
        "1e9",
        "..",
        "*",
        ",",
        '"',
      ),
    ),
  });
  return fc
    .array(edit, { minLength: 1, maxLength: 2 })
    .map((edits) =>
      edits.reduce(
        (changed, { at, length, insert }) => changed.slice(0, at) + insert + changed.slice(at + length),
        text,
      ),
    );
}

void tap.test("whatever is in the files, the answer is a policy or issues with places", async (t) => {
  const runs = { seed, numRuns: 300 };
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 200 }),
      (text) => void load({ ...soundLists, "policy.yaml": text }),
    ),
    runs,
  );
  let loaded = 0;
  fc.assert(
    fc.property(mutated(soundPolicy), mutated(soundLists["acme.csv"]), fc.boolean(), (policy, list, both) => {
      if (load({ ...soundLists, "policy.yaml": policy, ...(both && { "acme.csv": list }) })) loaded += 1;
    }),
    runs,
  );
  t.ok(loaded > 0 && loaded < 300, `${loaded} of 300 mutations were harmless`);
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom("trunks", "lessees", "lists", "specialUsers", "rules", "tables", "home"),
      (value, key) => {
        const text = `${JSON.stringify({ version: 1, [key]: value })}\n`;
        load({ "policy.yaml": text });
      },
    ),
    runs,
  );
});

void tap.test("whatever is in a list, the answer is a list or issues with places", async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const { list, issues } = readNumberList(
        "l.csv",
        new TextEncoder().encode(`number,note\n${text}`),
        calendar,
        "86",
      );
      if ((list === undefined) !== issues.some((issue) => issue.severity === "error"))
        throw new Error("list and errors");
    }),
    { seed, numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { list, issues } = readNumberList("l.csv", bytes, calendar, "86");
      if (list === undefined && issues.length === 0) throw new Error("refused without an issue");
    }),
    { seed, numRuns: 500 },
  );
  t.pass();
});

void tap.test("whatever is in sigwall.yaml", async (t) => {
  const text = "engine: embedded\nlisten: [udp:127.0.0.1:5060]\nadmin: 127.0.0.1:9464\npolicy: policy.yaml\n";
  fc.assert(
    fc.property(mutated(text), (changed) => {
      const { config, issues } = loadStatic(filesOf({ "sigwall.yaml": changed }), "sigwall.yaml");
      assertPlaces(issues, { "sigwall.yaml": changed });
      if (config === undefined && issues.length === 0) throw new Error("refused without an issue");
    }),
    { seed, numRuns: 500 },
  );
  t.pass();
});
