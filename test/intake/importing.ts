import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { importFile, type ImportOptions } from "../../src/cli/intake/import.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-import-"));
const at = (name: string): string => join(folder, name);
t.teardown(() => rmSync(folder, { recursive: true }));

const list = "number,valid_to,note\n+8657187000000..+8657187000009,,switchboard\n057187000020,2027-01-01,\n";
writeFileSync(at("bank.csv"), list);
writeFileSync(at("risk.csv"), "number,score\n+8613900000000,0.8\n");
writeFileSync(at("police.csv"), "number\n+8613800138000\n");
writeFileSync(
  at("policy.yaml"),
  [
    "version: 1",
    "trunks: [{ id: a, side: lessee, lessee: bank, match: { addresses: [192.0.2.1] } }]",
    "lessees: [{ id: bank, numbers: bank.csv }]",
    "lists: { police: { kind: police, file: police.csv }, risk: { kind: score, file: risk.csv, threshold: 0.75 } }",
  ].join("\n"),
);
writeFileSync(at("sigwall.yaml"), "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n");

async function run(
  text: string,
  options: Partial<ImportOptions> = {},
): Promise<{ readonly code: number; readonly out: string; readonly said: string }> {
  writeFileSync(at("sheet.csv"), text);
  let [out, said] = ["", ""];
  const code = await importFile(
    { file: at("sheet.csv"), config: at("sigwall.yaml"), ...options },
    {
      stdout: { write: (piece: string) => (out += piece) },
      stderr: { write: (piece: string) => (said += piece) },
    },
  );
  return { code, out, said: said.replaceAll(`${folder}/`, "") };
}

void t.test("a sheet becomes a list, and is compared with the one in force", async (t) => {
  const { code, out, said } = await run(
    "号码;失效日期\n057187000000-057187000004;\n057187000020;2028/1/1\n057187000030;\n",
    { lessee: "bank" },
  );
  t.equal(code, 0);
  t.equal(out, "number,valid_to\n057187000000..057187000004,\n057187000020,2028-01-01\n057187000030,\n");
  t.equal(
    said,
    [
      "sheet.csv (UTF-8, semicolons): 3 rows of numbers",
      "  1 × range written as A..B (2:1)",
      "  1 × day written as 2027-06-30 (3:2)",
      "  beside bank.csv, which is in force:",
      "    1 number more (+8657187000030)",
      "    5 numbers less (+8657187000005..+8657187000009)",
      "    1 number with other dates or rights",
      "",
    ].join("\n"),
  );
});

void t.test("rows are added to the list in force; the file keeps its permissions", async (t) => {
  writeFileSync(at("copy.csv"), list);
  chmodSync(at("copy.csv"), 0o640);
  const { code, said } = await run("号码\n057187000030\n", {
    lessee: "bank",
    add: true,
    out: at("copy.csv"),
  });
  t.equal(code, 0);
  t.equal(readFileSync(at("copy.csv"), "utf8"), `${list}057187000030,,\n`);
  t.equal(statSync(at("copy.csv")).mode & 0o777, 0o640);
  t.match(said, /1 number more \(\+8657187000030\)\n/);
  t.match(said, /written to copy\.csv/);
});

void t.test("numbers that the list has already are told, in any spelling", async (t) => {
  const { code, out, said } = await run(
    "号码\n057187000003\n0571-87000004\n+8657187000030\n057187000009-057187000012\n",
    {
      lessee: "bank",
      add: true,
    },
  );
  t.equal(code, 0, said);
  t.equal(out, `${list}+8657187000030,,\n057187000009..057187000012,,\n`);
  t.match(said, /2 × row left out, the list has its numbers already \(2:1 in line 2, 3:1 in line 2\)/);
  t.match(said, /1 × row that repeats numbers of the list, which says the same of them \(5:1 in line 2\)/);
  t.match(said, /4 numbers more \(\+8657187000010\.\.\+8657187000012, \+8657187000030\)/);
});

void t.test("nothing is written where a cell can't be taken", async (t) => {
  const refused = await run("号码\n1.08E+11\n057187000030\n", { out: at("none.csv") });
  t.equal(refused.code, 1);
  t.match(refused.said, /sheet\.csv:2:1: not a number: "1\.08E\+11"; a spreadsheet has shortened it/);
  t.match(refused.said, /1 cell can't be taken: nothing was written/);
  t.throws(() => statSync(at("none.csv")));
  const twice = await run("号码,失效日期\n057187000020,2029-01-01\n", { lessee: "bank", add: true });
  t.equal(twice.code, 1);
  t.match(twice.said, /stands in line 3 of the list already, with other cells \(valid_to\); change it there/);
  t.equal(twice.out, "");
});

void t.test("the further column of a list is taken too: scores", async (t) => {
  const { code, out, said } = await run("号码,风险分值\n13900000000,0.9\n13900000001,0.5\n", {
    list: "risk",
  });
  t.equal(code, 0, said);
  t.equal(out, "number,score\n13900000000,0.9\n13900000001,0.5\n");
  t.match(said, /1 number more \(\+8613900000001\)\n {4}1 number with other dates or rights/);
  const refused = await run("号码,分值\n13900000000,90\n", { list: "risk" });
  t.equal(refused.code, 1);
  t.match(refused.said, /sheet\.csv:2:2: "90" is not a score from 0 to 1/);
  const added = await run("号码,分值\n13900000002,0.6\n", { list: "risk", add: true });
  t.equal(added.out, "number,score\n+8613900000000,0.8\n13900000002,0.6\n");
});

void t.test("trunks that the lessee has not are told before the list is in force", async (t) => {
  const refused = await run("号码,中继\n057187000030,a\n057187000031,b\n", { lessee: "bank" });
  t.equal(refused.code, 1);
  t.match(refused.said, /sheet\.csv:3:2: unknown trunk "b"/);
  t.notMatch(refused.said, /sheet\.csv:2/);
  const taken = await run("号码,中继\n057187000030,a\n057187000031,\n", { lessee: "bank" });
  t.equal(taken.out, "number,trunk\n057187000030,a\n057187000031,\n", taken.said);
});

void t.test("what can't be asked for", async (t) => {
  const rows: readonly (readonly [
    name: string,
    options: Partial<ImportOptions>,
    code: number,
    said: RegExp,
  ])[] = [
    ["no such file", { file: at("missing.csv") }, 2, /can't read missing\.csv: no such file/],
    ["no such lessee", { lessee: "bnk" }, 2, /has no lessee "bnk"/],
    ["a list under --lessee", { lessee: "police" }, 2, /has no lessee "police"/],
    ["no such list", { list: "bank" }, 2, /has no list "bank"/],
    ["both", { lessee: "bank", list: "police" }, 2, /not both/],
    ["nothing to add to", { add: true }, 2, /--add needs/],
    ["no configuration", { lessee: "bank", config: at("none.yaml") }, 2, /none\.yaml/],
    ["a folder as output", { out: folder }, 2, /can't write/],
  ];
  for (const [name, options, code, said] of rows) {
    const told = await run("number\n057187000030\n", options);
    t.equal(told.code, code, name);
    t.match(told.said, said, name);
  }
  const lost = await run("号码,valid_until\n057187000030,2025-01-01\n");
  t.match(lost.said, /^sigwall import: sheet\.csv:1:2: what stands in/, "file, line and column");
  const plain = await run("number\n057187000030\n", { list: "police" });
  t.match(plain.said, /1 number less \(\+8613800138000\)/, "a list of the policy");
});
