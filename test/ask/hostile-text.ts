import { spawnSync } from "node:child_process";
import Papa from "papaparse";
import t from "tap";
import { alignRows, plain, plainJson, widthOf } from "../../src/cli/asking/plain-text.ts";
import { decided, ended, HOUR, openRecords, seal, search } from "../support/records-folder.ts";

const shown: readonly (readonly [text: string, plain: string])[] = [
  ["+861087654321", "+861087654321"],
  ["京华银行 é 𝒳", "京华银行 é 𝒳"],
  ["\u001b[31mred", "\\x1b[31mred"],
  ["a\u0000b\tc\r\nd\u007f\u0085\u009b", "a\\x00b\\x09c\\x0d\\x0ad\\x7f\\x85\\x9b"],
  ["12\u202e34\u2066\u200b\u061c\u2028\ufeff\u00ad", "12\\u202e34\\u2066\\u200b\\u061c\\u2028\\ufeff\\xad"],
  ["tag \u{e0041}", "tag \\u{e0041}"],
  ["half \ud800", "half \\ud800"],
];

void t.test("plain text: what could control a terminal or turn the writing is an escape", (t) => {
  for (const [text, expected] of shown) {
    t.equal(plain(text), expected);
    const json = plainJson({ text });
    t.equal(plain(json), json, `JSON of ${expected} is plain`);
    t.same(JSON.parse(json), { text }, "and means the same");
  }
  t.same(
    alignRows([
      ["京华", "x"],
      ["abc", "y"],
    ]),
    ["京华  x", "abc   y"],
  );
  t.equal(widthOf("a京"), 3);
  t.end();
});

const hostile = {
  callId: "=cmd|'/C calc'!A0\u001b]0;title\u0007",
  agent: "<script>alert(1)</script>",
  trunk: "lease\u001b[2J",
  calling: [
    { source: "from", raw: "\u202e4321\u001b[31m", why: "invalid", presentation: "allowed" },
    { source: "from\u0000", raw: `"${"x".repeat(300)}`, number: "+86\u200b1" },
  ],
  called: { raw: "\u2066<b>" },
  notice: "公\u009b31m",
};

for (const isSealed of [false, true])
  void t.test(`search: a hostile call stays text, ${isSealed ? "sealed" : "open"}`, async (t) => {
    const { records, write } = openRecords(t);
    write("2026-10-03/08-gw-a.ndjson", [decided(hostile)]);
    if (isSealed) await seal(records);
    const { out } = await search([records]);
    t.notMatch(out, /(?!\n)[\p{Cc}\p{Cf}]/u);
    t.equal(out.split("\n").length, 3, "one row");
    t.match(out, "lease\\x1b[2J");
    t.match(out, "\\u202e4321\\x1b[31m");
    const json = (await search([records], { json: true })).out;
    t.notMatch(json, /(?!\n)[\p{Cc}\p{Cf}]/u);
    t.match(JSON.parse(json), hostile, "every octet is there");
  });

/** What a spreadsheet may compute, and what the cell must be. */
const cells: readonly (readonly [text: string, cell: string])[] = [
  ["=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0"],
  ["+861087654321", "'+861087654321"],
  ["02787654321", "'02787654321"],
  ["3-4", "'3-4"],
  ["+861087654321+1", "'+861087654321+1"],
  ["-1", "'-1"],
  ["-1.5", "'-1.5"],
  ["-1-cmd", "'-1-cmd"],
  ["+", "'+"],
  ["+\n1", "'+\\x0a1"],
  ["1\n", "1\\x0a"],
  ["+1\n", "'+1\\x0a"],
  ["@SUM(1)", "'@SUM(1)"],
  ["\t=1", "'\\x09=1"],
  ["\r=1", "'\\x0d=1"],
  ["＝1+1", "'＝1+1"],
  ["1=1", "1=1"],
  ["a;=1", "a;=1"],
  ['a","=1', 'a","=1'],
  ['"', '"'],
  ["\u001b[31m", "\\x1b[31m"],
  ["a\r\n=1", "a\\x0d\\x0a=1"],
  ["公刑通2026-114", "公刑通2026-114"],
  ["\u202e=1", "\\u202e=1"],
];

void t.test("search --csv: every cell of a hostile call is text, and every cell is quoted", async (t) => {
  const { records, write } = openRecords(t);
  write(
    "2026-10-03/08-gw-a.ndjson",
    cells.map(([text], index) =>
      decided({
        id: `gw-a-t3k9x1-${index}`,
        time: new Date(HOUR + index * 1000).toISOString(),
        callId: text,
        agent: text,
        odd: text,
        calling: [{ source: "from", raw: text, presentation: "allowed" }],
      }),
    ),
  );
  const { out, code } = await search([records], { csv: true });
  t.equal(code, 0);
  t.notMatch(out, /(?!\r\n)[\p{Cc}\p{Cf}](?<!\r\n)/u, "no control but line ends");
  const rows = Papa.parse<string[]>(out.replace(/\r\n$/, ""), { newline: "\r\n" }).data;
  const [head = [], ...body] = rows;
  t.equal(body.length, cells.length);
  const cell = (row: readonly string[], name: string): string | undefined => row[head.indexOf(name)];
  for (const [index, [, expected]] of cells.entries()) {
    const row = body.find((one) => cell(one, "id") === `gw-a-t3k9x1-${index}`) ?? [];
    t.equal(row.length, head.length, expected);
    for (const name of ["callId", "agent", "calling", "callingRaw"]) t.equal(cell(row, name), expected);
    t.equal(cell(row, "called"), "'+862787654321");
    t.equal(cell(row, "status"), "403", "an amount");
    t.match(cell(row, "more"), /^\{"signalling":"sip","transport":"udp","mode":"enforce","odd":/);
  }
  for (const line of out.split("\r\n").slice(0, -1)) t.match(line, /^"(?:[^"]|"")*"(?:,"(?:[^"]|"")*")*$/);
  // Another reader of CSV.
  const python = spawnSync(
    "python3",
    ["-c", "import csv, json, sys; print(json.dumps([r['callId'] for r in csv.DictReader(sys.stdin)]))"],
    { input: out, encoding: "utf8" },
  );
  if (python.error !== undefined) t.pass("python", { skip: "python3 is not installed" });
  else t.same(JSON.parse(python.stdout), cells.map(([, expected]) => expected).toReversed());
});

void t.test("search --csv: times, numbers and usage", async (t) => {
  const { records, write } = openRecords(t);
  write("2026-10-03/08-gw-a.ndjson", [decided(), ended()]);
  const { out } = await search([records], { csv: true, kinds: ["decided", "ended"] });
  const [head = "", first = "", second = "", rest] = out.split("\r\n");
  t.match(head, /^"time","record","node","id",/);
  t.match(first, /^"2026-10-03T08:16:00.000\+00:00","ended",.*"called","released","1200","3400","61.2",""$/);
  t.match(second, /^"2026-10-03T08:15:00.000\+00:00","decided",.*"reject","cli-not-listed"/);
  t.equal(rest, "");
  const numbers = await search([records], { csv: true, numbers: true });
  const time = "2026-10-03T08:15:00.000+00:00";
  t.equal(numbers.out, `"number","calls","first","last"\r\n"'+861087654400","1","${time}","${time}"\r\n`);
  t.match(await search([records], { csv: true, json: true }), { code: 2, err: /one of --csv and --json/ });
});
