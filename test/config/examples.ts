import tap from "tap";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFromDisk } from "../../src/app/read-file.ts";
import { policyJsonSchema } from "../../src/config/policy/policy-schema.ts";
import { staticJsonSchema } from "../../src/config/sigwall/static-schema.ts";
import { loadStatic } from "../../src/config/load-static.ts";
import { reviewPolicy } from "../../src/config/review/review.ts";
import { isMapping } from "../../src/config/yaml/schema-issues.ts";
import type { ReadFile } from "../../src/config/yaml/config-files.ts";
import { readYaml } from "../../src/config/yaml/yaml-source.ts";
import { shipped } from "../support/shipped.ts";
import { printed } from "./files.ts";
import { type LoadedPolicy, loadPolicy } from "../../src/config/load-policy.ts";

const now = Date.parse("2026-11-22T00:00:00Z");

/** Reads files of `config/`, but lists as they are shipped. */
const withShippedLists: ReadFile = (path) =>
  readFromDisk(path.replace(/^config\/lists\//, `${shipped}/lists/`));

function load(path: string, read = readFromDisk): LoadedPolicy & { readonly findings: readonly string[] } {
  const { config, issues: staticIssues } = loadStatic(read, path);
  if (config === undefined) throw new Error(printed(staticIssues).join("\n"));
  const listeners = config.listen.map(({ id }) => id);
  const loaded = loadPolicy(read, config.policy, listeners, config.engine);
  const { policy, material, issues } = loaded;
  const findings =
    policy === undefined || material === undefined ? [] : reviewPolicy(policy, material, listeners, now);
  return { ...loaded, findings: printed([...staticIssues, ...issues, ...findings]) };
}

void tap.test("the files of the contract load as they are", async (t) => {
  const { policy, findings } = load("test/config/contract/sigwall.yaml");
  t.equal(findings.length, 1);
  t.match(
    findings[0],
    /^test\/config\/contract\/policy\.yaml:8:5 trunks\[0\]\.match: warning: on udp:127\.0\.0\.1:5060 /u,
  );
  t.strictSame(
    policy?.trunks.map(({ trunk }) => [trunk.id, trunk.side, trunk.fallback]),
    [
      ["core", "core", "accept"],
      ["bj-lease-01", "lessee", "reject"],
      ["intl-hk-01", "international", "accept"],
    ],
  );
  t.match(policy?.lists, [
    { id: "jinghua-bank", rows: 4, numbers: 202, prefixes: 0 },
    { id: "police", rows: 2, numbers: 101 },
  ]);
  t.equal(policy?.matchTrunk("udp:127.0.0.1:5060", "127.0.0.1", 5061)?.trunk.id, "bj-lease-01");
  t.equal(policy?.isNextHop("127.0.0.1", 5090), true);
});

void tap.test("the copy of the contract's files is still the contract", async (t) => {
  const shared = "../shared/contract";
  if (!existsSync(shared)) {
    t.pass("contract", { skip: "it is not beside this repository: nothing to compare with" });
    return;
  }
  for (const file of ["sigwall.yaml", "policy.yaml", "lists/jinghua-bank.csv", "lists/police.csv"]) {
    t.equal(
      readFileSync(join("test/config/contract", file), "utf8"),
      readFileSync(join(shared, file), "utf8"),
      file,
    );
  }
});

void tap.test("the example is free of findings", async (t) => {
  const { policy, findings } = load(join(shipped, "sigwall.yaml"));
  t.strictSame(findings, []);
  t.strictSame(policy?.trunks.map(({ trunk }) => trunk.side).toSorted(), [
    "core",
    "international",
    "lessee",
    "national",
  ]);
});

void tap.test("the example by drachtio loads, and says what is refused there", async (t) => {
  const { policy, findings } = load(join(shipped, "drachtio.yaml"));
  t.ok(policy);
  t.ok(findings.length > 0);
  for (const finding of findings)
    t.match(finding, "warning: engine drachtio can't remove display names", finding);
});

const examples = [
  "sigwall.yaml",
  "drachtio.yaml",
  "policy.yaml",
  ...["lists", "calendars"].flatMap((folder) =>
    readdirSync(join(shipped, folder)).map((name) => `${folder}/${name}`),
  ),
];

void tap.test("config/ loads, whatever its operator has made of it", async (t) => {
  for (const file of ["config/sigwall.yaml", "config/drachtio.yaml"]) {
    const { config, issues } = loadStatic(readFromDisk, file);
    const loaded =
      config === undefined
        ? undefined
        : loadPolicy(
            readFromDisk,
            config.policy,
            config.listen.map(({ id }) => id),
            config.engine,
          );
    const errors = [...issues, ...(loaded?.issues ?? [])].filter(({ severity }) => severity === "error");
    t.same(printed(errors), [], `${file} and what it names can't be loaded: the issues say what to mend`);
    t.ok(loaded?.policy, `${file}: there is a policy`);
  }
});

void tap.test("config/ is as shipped (--update takes the copy of the tests from it)", async (t) => {
  for (const name of examples) {
    const [file, copy] = [join("config", name), join(shipped, name)];
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    if (process.argv.includes("--update")) writeFileSync(copy, text);
    if (text === readFileSync(copy, "utf8")) t.pass(file);
    else t.pass(file, { skip: `edited: it is not ${copy}, which the other tests use` });
  }
});

void tap.test(
  "the reference loads, and only says what isn't enforced yet, or is another engine's",
  async (t) => {
    const { policy, findings } = load("config/reference-sigwall.yaml", withShippedLists);
    t.ok(policy);
    t.ok(findings.length > 0);
    for (const finding of findings)
      t.match(
        finding,
        /warning: (?:(?:accepted, )?not enforced yet|has no effect: (?:only `engine: \w+` reads this section|the engine carries SIP)|has point codes, which no SIP message|ends on 2026-10-10|on udp:|udp:127\.0\.0\.1:5060 and udp)/,
        finding,
      );
  },
);

/** Every key of a schema as a path; list elements and free names are "*". */
function* keysOf(schema: unknown, path: string): Generator<string> {
  if (!isMapping(schema)) return;
  if (isMapping(schema["properties"])) {
    for (const [key, inner] of Object.entries(schema["properties"])) {
      // A key that nothing may stand under is there for its message alone.
      if (isMapping(inner) && inner["not"] !== undefined) continue;
      yield `${path}.${key}`;
      yield* keysOf(inner, `${path}.${key}`);
    }
  }
  if (Array.isArray(schema["anyOf"])) for (const form of schema["anyOf"]) yield* keysOf(form, path);
  yield* keysOf(schema["items"], `${path}.*`);
  yield* keysOf(schema["additionalProperties"], `${path}.*`);
}

/** Every key that a document writes, in the same form: once with its own names, once with "*" for them. */
function* writtenKeys(value: unknown, path: string): Generator<string> {
  if (Array.isArray(value)) for (const element of value) yield* writtenKeys(element, `${path}.*`);
  if (!isMapping(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    yield `${path}.${key}`;
    yield* writtenKeys(inner, `${path}.${key}`);
    yield* writtenKeys(inner, `${path}.*`);
  }
}

/** Keys of 0.1.0 that `tables.calls` stands for: accepted, and no longer written. */
const merged: ReadonlySet<string> = new Set(
  ["ledger", "recentCalls", "failovers", "circuits", "transactions"].map((key) => `.tables.${key}`),
);

/** Keys that exclude a key that is written: a comment of the reference writes them. */
const excluded: ReadonlySet<string> = new Set([".redis.url"]);

void tap.test("the reference writes every key", async (t) => {
  for (const [file, schema] of [
    ["config/reference-sigwall.yaml", staticJsonSchema],
    ["config/reference.yaml", policyJsonSchema],
  ] as const) {
    const text = readFileSync(file, "utf8");
    const written = new Set(writtenKeys(readYaml(file, readFileSync(file)).value, ""));
    // What a trunk may write over a rule is what the global rules may write: one place documents it.
    const known = [...keysOf(schema, "")].filter(
      (key) => !key.startsWith(".trunks.*.rules.") && !merged.has(key),
    );
    t.ok(known.length >= 8, `${file}: a schema has keys`);
    for (const key of known) {
      const commented = `\n  # ${key.slice(key.lastIndexOf(".") + 1)}: `;
      t.ok(written.has(key) || (excluded.has(key) && text.includes(commented)), `${file}${key}`);
    }
  }
});

void tap.test("the published JSON Schemas are those of the code (--update writes them)", async (t) => {
  for (const [file, schema] of [
    ["config/sigwall.schema.json", staticJsonSchema],
    ["config/policy.schema.json", policyJsonSchema],
  ] as const) {
    const text = `${JSON.stringify(schema, undefined, 2)}\n`;
    if (process.argv.includes("--update")) writeFileSync(file, text);
    t.equal(readFileSync(file, "utf8"), text, file);
  }
});

void tap.test("every YAML file in config/ names its schema", async (t) => {
  for (const file of [
    ...["sigwall", "drachtio", "policy"].map((name) => join(shipped, `${name}.yaml`)),
    ...["reference-sigwall", "reference"].map((name) => `config/${name}.yaml`),
  ]) {
    const [first = ""] = readFileSync(file, "utf8").split("\n", 1);
    const schema = first.startsWith("# yaml-language-server: $schema=") ? first.slice(32) : "";
    t.ok(existsSync(join("config", schema)) && schema.endsWith(".schema.json"), `${file}: ${schema}`);
  }
});
