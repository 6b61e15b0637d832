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

void t.test("rows are added behind those that are there, which stay as they are", (t) => {
  const before = 'number, note ,valid_to\r\n+861087654321,"a, b",\r\n057187000000,old,2027-01-01';
  const added = addRows(before, listOf("号码,失效日期\n057187000000,2027-01-01\n057187000009,2028/1/1\n"));
  if ("error" in added) throw new Error(added.error);
  t.equal(
    added.text,
    'number, note ,valid_to\n+861087654321,"a, b",\n057187000000,old,2027-01-01\n057187000009,,2028-01-01\n',
  );
  t.equal(added.known, 1, "a row that is there already");
  t.equal(added.firstLine, 4);
  t.same(added.issues, []);
  const other = addRows(before, listOf("号码,失效日期\n057187000000,2029-01-01\n"));
  t.match("error" in other ? [] : issuesOf(other), [
    /^2:1 057187000000 stands in line 3 of the list already/,
  ]);
  t.match(addRows(before, listOf("号码,用途\n057187000009,x\n")), { error: /no column purpose/ });
  t.match(
    addRows(before, listOf("号码,用途\n057187000009,\n")),
    { known: 0 },
    "a column that is empty throughout",
  );
  t.end();
});
