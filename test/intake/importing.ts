import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
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
      "  1 × day written as YYYY-MM-DD (3:2)",
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

void t.test("a list is not written over where numbers of it would go", async (t) => {
  const out = at("in-force.csv");
  const rows: readonly (readonly [
    name: string,
    sheet: string,
    options: Partial<ImportOptions>,
    code: number,
    said: RegExp,
  ])[] = [
    [
      "eleven numbers would go",
      "号码\n057187000030\n",
      { lessee: "bank" },
      1,
      /in-force\.csv would lose numbers: 11 numbers less \(.*\)\. Nothing was written; --add keeps them and puts the new rows behind, --replace lets them go/,
    ],
    [
      "without --lessee",
      "号码\n057187000030\n",
      {},
      1,
      /11 numbers less.*--add with --lessee or --list keeps them/,
    ],
    [
      "one number would go",
      "号码\n057187000000-057187000009\n",
      { lessee: "bank" },
      1,
      /1 number less \(\+8657187000020\)/,
    ],
    ["all of them stay", "号码\n057187000000-057187000020\n", { lessee: "bank" }, 0, /written to/],
    ["--add", "号码\n057187000030\n", { lessee: "bank", add: true }, 0, /written to/],
    [
      "--replace",
      "号码\n057187000030\n",
      { lessee: "bank", replace: true },
      0,
      /11 numbers less[^]*written to/,
    ],
  ];
  for (const [name, sheet, options, code, said] of rows) {
    writeFileSync(out, list);
    const ran = await run(sheet, { ...options, out });
    t.equal(ran.code, code, name);
    t.match(ran.said, said, name);
    t.equal(readFileSync(out, "utf8") === list, code === 1, name);
  }
  writeFileSync(out, "no list at all\n");
  const strange = await run("号码\n057187000030\n", { out });
  t.equal(strange.code, 1);
  t.match(strange.said, /in-force\.csv is there and is no list that can be read .*--replace writes over it/);
  t.equal(readFileSync(out, "utf8"), "no list at all\n");
  writeFileSync(out, "");
  t.equal((await run("号码\n057187000030\n", { out })).code, 0, "an empty file has nothing to lose");
});

void t.test("a figure of a month stands in one file", async (t) => {
  mkdirSync(at("monthly"));
  const [one, other] = [at("monthly/2026-10.csv"), at("monthly/again.csv")];
  const first =
    "月份,类别,项目,数量\n2026-10,非实名,固话,12\n2026-10,查处人员,代理商,3\n2026-10,查处人员,员工,\n";
  const monthly = { kind: "monthly" } as const;
  const written = await run(first, { ...monthly, out: one });
  t.equal(written.code, 0, written.said);
  t.match(written.said, /: 3 figures|: 2 figures\n {2}1 empty cell: not imported, which is not 0/);
  const again = "月份,类别,项目,数量\n2026-10,查处人员,代理商,4\n2026-10,查处人员,员工,1\n";
  const twice = await run(again, { ...monthly, out: other });
  t.equal(twice.code, 1);
  t.match(
    twice.said,
    /2026-10\.csv:3 has 2026-10 persons 代理商 already: the report would find the figure twice\. Nothing was written; --replace takes its place/,
  );
  t.notOk(existsSync(other));
  t.equal(
    (await run(again, { ...monthly, out: at("elsewhere.csv") })).code,
    1,
    "beside the configuration too",
  );
  const over = await run(again, { ...monthly, out: one });
  t.equal(over.code, 1);
  t.match(over.said, /2026-10\.csv:2 has 2026-10 unregistered 固话, and the new table has not: it would go/);
  const replaced = await run(again, { ...monthly, out: other, replace: true });
  t.equal(replaced.code, 0, replaced.said);
  t.match(replaced.said, /1 figure taken out of monthly\/2026-10\.csv/);
  t.equal(
    readFileSync(one, "utf8"),
    "month,head,item,count\n2026-10,unregistered,固话,12\n2026-10,persons,员工,\n",
  );
  const same = await run(again.replace(",4", ",5"), { ...monthly, out: other });
  t.equal(same.code, 0, "a corrected figure in its own file");
  const last = await run("月份,类别,项目,数量\n2026-10,非实名,固话,13\n", {
    ...monthly,
    out: at("monthly/z.csv"),
    replace: true,
  });
  t.equal(last.code, 0, last.said);
  t.equal(readFileSync(one, "utf8"), "month,head,item,count\n2026-10,persons,员工,\n");
});

void t.test("a header that is nearly right, and figures without --kind monthly", async (t) => {
  const rows: readonly (readonly [text: string, said: RegExp])[] = [
    [
      "号马,失效日期\n057187000030,2028-01-01\n",
      /no row has a column "number" \(号码\); did you mean "号码" by "号马"\? The header has 号马, 失效日期/,
    ],
    ["登记表\n号马,失效日期\n057187000030,\n", /did you mean "号码" by "号马"/],
    ["numbr,note\n057187000030,\n", /did you mean "number" by "numbr"/],
    ["客户,失效日期\n京华,2028-01-01\n", /the header has 客户, 失效日期/],
    ["月份,类别,数量\n2026-10,非实名,3\n", /these are figures of a month: import them with --kind monthly/],
    ["057187000030\n", /the first row is a number already/],
  ];
  for (const [text, said] of rows) {
    const ran = await run(text);
    t.equal(ran.code, 1, text);
    t.match(ran.said, said, text);
  }
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
    ["no such lessee", { lessee: "bnk" }, 2, /has no lessee "bnk"; did you mean "bank"\?/],
    ["a lessee like no other", { lessee: "xyzzy" }, 2, /has no lessee "xyzzy"; it has bank/],
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
