import { Buffer } from "node:buffer";
import t from "tap";
import { readMonthlyFigures, writeMonthlyFigures } from "../../src/intake/monthly-figures.ts";
import { readTextTable } from "../../src/intake/text-table.ts";

function read(text: string): ReturnType<typeof readMonthlyFigures> {
  const reading = readTextTable(Buffer.from(text));
  return "error" in reading ? reading : readMonthlyFigures(reading.table);
}

void t.test("figures of a month that people fill in", (t) => {
  const read1 = read(
    "违法情况统计表,,,\n月份,类别,项目,数量\n2026年10月,非实名,固话,1200\n2026/11,关停涉案号码,,３\n202612,查处人员,代理商,0\n2026-12,查处人员,员工,\n",
  );
  if ("error" in read1) throw new Error(read1.error);
  t.same(read1.figures, [
    { month: "2026-10", head: "unregistered", item: "固话", count: 1200 },
    { month: "2026-11", head: "shut-down", item: "", count: 3 },
    { month: "2026-12", head: "persons", item: "代理商", count: 0 },
    { month: "2026-12", head: "persons", item: "员工", count: undefined },
  ]);
  t.same(read1.rows, [3, 4, 5, 6]);
  t.equal(read1.empty, 1, "an empty cell is not imported");
  t.same(read1.issues, []);
  const text = writeMonthlyFigures(read1.figures);
  t.same(read(text), { ...read1, rows: [2, 3, 4, 5] }, "what is written is read again");
  t.end();
});

void t.test("figures that can't be taken", (t) => {
  const rows: readonly (readonly [name: string, row: string, said: RegExp])[] = [
    ["no month", "2026,persons,,1", /"2026" is no month like 2026-11/],
    ["a thirteenth month", "2026-13,persons,,1", /no month/],
    ["an unknown head", "2026-10,拦截,,1", /"拦截" is none of 非实名, 关停涉案号码, 查处人员/],
    ["a word", "2026-10,persons,,多", /"多" is no whole number/],
    ["a fraction", "2026-10,persons,,1.5", /no whole number/],
    ["a negative number", "2026-10,persons,,-1", /no whole number/],
    ["a fraction with a comma", '2026-10,persons,,"1,5"', /"1,5" is no whole number/],
    ["a power", "2026-10,persons,,1e3", /no whole number/],
    ["another base", "2026-10,persons,,0x10", /no whole number/],
    ["a raised digit", "2026-10,persons,,12\u00b9", /no whole number/],
    ["twice", "2026-10,persons,a,1\n2026/10,查处人员,a,1", /stands twice/],
  ];
  for (const [name, row, said] of rows) {
    const result = read(`month,head,item,count\n${row}\n`);
    t.match(
      "error" in result ? result.error : result.issues.map(({ message }) => message).join("\n"),
      said,
      name,
    );
  }
  t.match(read("month,head,item,count,数量\n2026-10,persons,,1,2\n"), {
    error: /1:5: the header has the column count twice/,
  });
  t.match(read('month,head,item,count\n2026-10,persons,,"1,200"\n'), { figures: [{ count: 1200 }] });
  t.match(read("月份,数量\n2026-10,1\n"), { error: /no row has the columns/ });
  t.end();
});
