import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { readFromDisk } from "../../src/app/read-file.ts";
import { diffPolicies, type DiffOptions } from "../../src/cli/change/diff.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { keepPolicy } from "../../src/records/policies/policy-keeping.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-diff-"));
const at = (name: string): string => join(folder, name);
t.teardown(() => rmSync(folder, { recursive: true }));

writeFileSync(at("bank.csv"), "number\n+861087654321\n");
const policy = (mode: string): string =>
  [
    "version: 1",
    "trunks: [{ id: a, side: lessee, lessee: bank, match: { addresses: [192.0.2.1] } }]",
    "lessees: [{ id: bank, numbers: bank.csv }]",
    `rules: { hidden-caller: { mode: ${mode} } }`,
  ].join("\n");
writeFileSync(at("old.yaml"), policy("enforce"));
writeFileSync(at("new.yaml"), policy("monitor"));
writeFileSync(at("broken.yaml"), policy("on"));
writeFileSync(
  at("sigwall.yaml"),
  "listen: [udp:127.0.0.1:5060]\npolicy: new.yaml\nrecords: { folder: records }\n",
);
mkdirSync(at("records"));
const { material } = loadPolicy(readFromDisk, at("old.yaml"));
if (material === undefined) throw new Error("the example is wrong");
keepPolicy(
  { folder: at("policies"), node: "gw-a" },
  material,
  { engine: "embedded", listeners: [] },
  readFromDisk,
  Date.UTC(2026, 9, 1),
);

function run(before: string, after: string, more: Partial<DiffOptions> = {}) {
  let [out, said] = ["", ""];
  const code = diffPolicies(
    { before, after, config: at("sigwall.yaml"), records: [], json: false, ...more },
    {
      stdout: { write: (piece: string) => (out += piece) },
      stderr: { write: (piece: string) => (said += piece) },
      readFile: readFromDisk,
    },
  );
  return { code, out, said: said.replaceAll(`${folder}/`, "") };
}

const told = "rule hidden-caller: mode enforce → monitor on a\n";

void t.test("two files, a configuration, and a policy that was in force", (t) => {
  const rows: readonly (readonly [name: string, before: string, after: string, code: number, out: string])[] =
    [
      ["two policies", at("old.yaml"), at("new.yaml"), 1, told],
      ["a policy and a configuration", at("old.yaml"), at("sigwall.yaml"), 1, told],
      ["a revision and a configuration", material.revision, at("sigwall.yaml"), 1, told],
      ["the same", at("new.yaml"), at("sigwall.yaml"), 0, "both policies say the same\n"],
    ];
  for (const [name, before, after, code, out] of rows)
    t.same(run(before, after), { code, out, said: "" }, name);
  const { code, out } = run(at("old.yaml"), at("new.yaml"), { json: true });
  t.equal(code, 1);
  t.same(JSON.parse(out), { about: "rule hidden-caller", text: "mode enforce → monitor on a" });
  t.end();
});

void t.test("what can't be compared", (t) => {
  const rows: readonly (readonly [name: string, after: string, said: RegExp])[] = [
    ["no such file", at("none.yaml"), /can't read none\.yaml: no such file/],
    [
      "a policy with an error",
      at("broken.yaml"),
      /broken\.yaml has errors:\n.*broken\.yaml:4:\d+ rules\.hidden-caller\.mode/,
    ],
    [
      "a list",
      at("bank.csv"),
      /bank\.csv is a table; diff compares policies\. `sigwall import .*bank\.csv --lessee ID/,
    ],
    ["a revision that is not kept", "0123456789ab", /revision 0123456789ab is not kept in policies/],
  ];
  for (const [name, after, said] of rows) {
    const result = run(at("old.yaml"), after);
    t.equal(result.code, 2, name);
    t.match(result.said, said, name);
    t.equal(result.out, "", name);
  }
  t.end();
});
