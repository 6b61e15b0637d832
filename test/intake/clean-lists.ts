import { Buffer } from "node:buffer";
import t from "tap";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { type CleanList, cleanList } from "../../src/intake/clean-list.ts";
import { addRows } from "../../src/intake/list-addition.ts";
import { proveList, writeList } from "../../src/intake/list-text.ts";
import { readTextTable } from "../../src/intake/text-table.ts";

function listOf(text: string): CleanList {
  const reading = readTextTable(Buffer.from(text));
  const list = "error" in reading ? reading : cleanList(reading.table, "86");
  if ("error" in list) throw new Error(list.error);
  return list;
}

const issuesOf = ({ issues }: Pick<CleanList, "issues">): readonly string[] =>
  issues.map(({ place, message }) => `${place} ${message}`);

void t.test("what was done to a table is told, with the first places", (t) => {
  const list = listOf(
    [
      "序号;号码;呼叫转移;生效日期",
      "1;'057187000000;是;2026/1/1",
      "2;057187000001;no;",
      ";;;",
      "3;057187000002;√;",
      "3;057187000002;√;",
    ].join("\n"),
  );
  t.same(list.columns, ["number", "valid_from", "may_forward"]);
  t.same(
    list.rows.map(({ cells }) => cells.join(",")),
    ["057187000000,2026-01-01,yes", "057187000001,,no", "057187000002,,yes"],
  );
  t.same(
    list.changes.map(({ change, count, first }) => `${count} ${change} ${first.join(" ")}`),
    [
      "1 unread-column 序号",
      "1 text-mark 2:2",
      "1 day 2:4",
      "3 yes-no 2:3 5:3 6:3",
      "1 empty-row 4",
      "1 row-twice 6:2",
    ],
  );
  t.end();
});

void t.test("cells that can't be taken are named", (t) => {
  const list = listOf(
    [
      "号码,呼叫转移,生效日期",
      "1.08E+11,,",
      "057187000000,也许,",
      "057187000000,yes,2026",
      "057187000000,no,",
    ].join("\n"),
  );
  t.match(issuesOf(list), [
    /^2:1 not a number: "1\.08E\+11"; a spreadsheet has shortened it/,
    /^3:2 expected yes or no \(是, 否\), got "也许"/,
    /^4:3 "2026" is not a date/,
  ]);
  t.equal(list.issueCount, 3);
  t.match(issuesOf(listOf("号码,备注\n057187000000,a\n057187000000,b\n")), [
    /^3:1 057187000000 stands at 2:1 already, with other cells/,
  ]);
  const many = listOf(`号码\n${"x\n".repeat(1000)}`);
  t.equal(many.issueCount, 1000);
  t.equal(many.issues.length, 50);
  t.end();
});

void t.test("the reader of policies has the last word", (t) => {
  const list = listOf("号码,生效日期,失效日期\n057187000000,2027-01-01,2026-01-01\n");
  const { issues } = proveList(
    list,
    writeList(list.columns, list.rows),
    createCalendar("Asia/Shanghai"),
    "86",
  );
  t.match(issuesOf({ issues }), [/^2:3 2026-01-01 is before valid_from 2027-01-01/]);
  t.end();
});

const terms = { calendar: createCalendar("Asia/Shanghai"), homeCountry: "86" };

void t.test("rows are added behind those that are there, which stay as they are", (t) => {
  const before = 'number, note ,valid_to\r\n+861087654321,"a, b",\r\n057187000000,old,2027-01-01';
  const added = addRows(
    before,
    listOf("号码,失效日期\n057187000000,2027-01-01\n057187000009,2028/1/1\n"),
    terms,
  );
  if ("error" in added) throw new Error(added.error);
  t.equal(
    added.text,
    'number, note ,valid_to\n+861087654321,"a, b",\n057187000000,old,2027-01-01\n057187000009,,2028-01-01\n',
  );
  t.same(added.covered, [{ place: "2:1", line: 3 }], "a row that is there already");
  t.equal(added.firstLine, 4);
  t.same(added.issues, []);
  const other = addRows(before, listOf("号码,失效日期\n057187000000,2029-01-01\n"), terms);
  t.match("error" in other ? [] : issuesOf(other), [
    /^2:1 057187000000 stands in line 3 of the list already, with other cells \(valid_to\)/,
  ]);
  t.match(addRows(before, listOf("号码,用途\n057187000009,x\n"), terms), { error: /no column purpose/ });
  t.match(
    addRows(before, listOf("号码,用途\n057187000009,\n"), terms),
    { covered: [] },
    "a column that is empty throughout",
  );
  t.match(
    addRows("号码\n1\n", listOf("号码\n057187000009\n"), terms),
    { error: /check/ },
    "a list with errors",
  );
  t.end();
});

/** What becomes of one added row beside a list: `added`, `covered LINE`, `overlapping LINE`, or words of the refusal. */
const additions: readonly (readonly [name: string, row: string, wanted: string | RegExp])[] = [
  ["another number", "057187000044", "added"],
  ["the number as it is written", "057187000001", "covered 2"],
  ["the number with country code", "+8657187000001", "covered 2"],
  ["the number with the prefix 0086", "008657187000001", "covered 2"],
  ["the number with separators", "0571-8700 0001", "covered 2"],
  ["one more", "+8657187000002", "added"],
  ["with another note", "+8657187000001,,,desk", / is 057187000001 in line 2 .*\(note\)/],
  ["with a last day", "+8657187000001,2027-01-01", /line 2 .*\(valid_to\)/],
  ["in the range of line 3, its first", "+8657187000100", "covered 3"],
  ["its last, written at home", "057187000199", "covered 3"],
  ["the number before it", "057187000099", "added"],
  ["the number behind it", "057187000200", "added"],
  [
    "in the range, with a last day",
    "057187000150,2027-01-01",
    /is in \+8657187000100\.\.\+8657187000199 in line 3/,
  ],
  ["a part of the range", "057187000110..057187000120", "covered 3"],
  ["the range, written at home", "057187000100..057187000199", "covered 3"],
  ["a range that begins with the last number", "057187000199..057187000210", "overlapping 3"],
  ["a range that begins behind it", "057187000200..057187000210", "added"],
  ["a range around line 2", "057187000000..057187000009", "overlapping 2"],
  [
    "a range around line 4, which has a last day",
    "01087654300..01087654399",
    /overlaps with 01087654321 in line 4 .*\(valid_to\)/,
  ],
  ["a range around it with this day", "01087654300..01087654399,2027-06-30", "overlapping 4"],
  ["the number of line 4 without its last day", "+861087654321", /line 4 .*\(valid_to\)/],
  ["a code behind an area code", "010-95588", "covered 5"],
  ["the code after it", "95589", "added"],
  ["a number of the prefix of line 6", "075583210000", "covered 6"],
  ["a longer prefix", "0755832100*", "covered 6"],
  ["the prefix of codes that has line 5", "9558*", "overlapping 5"],
  ["a shorter prefix", "075583*", "overlapping 6"],
  ["the prefix beside it", "07558322*", "added"],
  ["may forward, which line 7 may not", "075583000001,,yes", /line 7 .*\(may_forward\)/],
  ["may not forward, in words", "+8675583000001,,no", "covered 7"],
];

void t.test("numbers are compared by what they mean", (t) => {
  const before = [
    "number,valid_to,may_forward,note",
    "057187000001,,,",
    "+8657187000100..+8657187000199,,,",
    "01087654321,2027-06-30,,",
    "95588,,,",
    "+867558321*,,,",
    "075583000001,,,hotline",
    "",
  ].join("\n");
  for (const [name, row, wanted] of additions) {
    const added = addRows(before, listOf(`number,valid_to,may_forward,note\n${row}\n`), terms);
    if ("error" in added) throw new Error(added.error);
    const said =
      issuesOf(added)[0] ??
      (added.covered[0] === undefined
        ? added.overlapping[0] === undefined
          ? "added"
          : `overlapping ${added.overlapping[0].line}`
        : `covered ${added.covered[0].line}`);
    if (typeof wanted === "string") t.equal(said, wanted, name);
    else t.match(said, wanted, name);
    t.equal(added.added.length, /^(?:added|overlapping)/u.test(said) ? 1 : 0, name);
    t.ok(added.text.startsWith(before), "what was there stays");
  }
  t.end();
});

void t.test("a number that a table has twice is the same number in any spelling", (t) => {
  const list = listOf("号码,备注\n057187000001,a\n+8657187000001,a\n95588,\n010-95588,\n057187000002,a\n");
  t.same(
    list.rows.map(({ cells }) => cells[0]),
    ["057187000001", "95588", "057187000002"],
  );
  t.match(list.changes, [{ change: "row-twice", count: 2, first: ["3:1", "5:1"] }]);
  t.match(issuesOf(listOf("号码,备注\n057187000001,a\n+8657187000001,b\n")), [
    /^3:1 \+8657187000001 stands at 2:1 already, with other cells/,
  ]);
  t.end();
});
