import tap from "tap";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { readNumberList } from "../../src/config/lists/number-list.ts";
import type { ListReading } from "../../src/config/lists/number-list.ts";
import { readListNumber } from "../../src/numbering/e164.ts";
import { printed } from "./files.ts";

const calendar = createCalendar("Asia/Shanghai");
const noon = Date.parse("2026-06-01T04:00:00Z");

function read(text: string | Uint8Array): ListReading {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return readNumberList("l.csv", bytes, calendar, "86");
}

/** What the list says of a number: the line that covers it, negative when out of its dates, 0 when none does. */
function lineOf({ list }: ListReading, number: string, at = noon): number {
  const parsed = readListNumber(number);
  if (list === undefined || typeof parsed === "string") return Number.NaN;
  const row = list.numbers.find(parsed.key, at);
  if (row === -1) return 0;
  return row >= 0 ? list.numbers.line(row) : -list.numbers.line(-2 - row);
}

void tap.test("every form of a number", async (t) => {
  const list = read(
    [
      "number,note",
      "+861087654321,",
      "010-8888 1234,national",
      "95588,code",
      "(0755) 2222.3333,separators",
      '+861087650000..+861087650099,"a range, inclusive"',
      "010 7000 0000 .. 010 7000 0009,a national range",
      "+86 10 6999 00*,prefix",
      "021-5555*,national prefix",
      "+44 20 7946 0000..+44 20 7946 0099,abroad",
      "",
    ].join("\n"),
  );
  t.strictSame(printed(list.issues), []);
  const rows: readonly (readonly [number: string, line: number])[] = [
    ["+861087654321", 2],
    ["01087654321", 2],
    ["+861087654322", 0],
    ["+861088881234", 3],
    ["95588", 4],
    ["95589", 0],
    ["+8675522223333", 5],
    ["+861087650000", 6],
    ["+861087650099", 6],
    ["+861087650100", 0],
    ["+861087649999", 0],
    ["+861070000009", 7],
    ["+861070000010", 0],
    ["+861069990000", 8],
    ["+861069990099", 8],
    ["+861069990100", 0],
    ["+862155551234", 9],
    ["+442079460099", 10],
    ["+442079460100", 0],
  ];
  for (const [number, line] of rows) t.equal(lineOf(list, number), line, number);
  t.strictSame(list.list?.counts, {
    rows: 9,
    exact: 4,
    ranges: 3,
    prefixes: 0,
    numbers: 4 + 100 + 10 + 100 + 100 + 10_000,
  });
  t.strictSame(list.list?.wide, []);
});

void tap.test("dates are inclusive days of the time zone", async (t) => {
  const list = read(
    "number,valid_from,valid_to,verified_on,may_forward\n95588,2026-06-01,2026-06-02,2026-05-01,yes\n",
  );
  for (const [at, line] of [
    ["2026-05-31T15:59:59.999Z", -2],
    ["2026-05-31T16:00:00.000Z", 2],
    ["2026-06-02T15:59:59.999Z", 2],
    ["2026-06-02T16:00:00.000Z", -2],
  ] as const) {
    t.equal(lineOf(list, "95588", Date.parse(at)), line, at);
  }
  t.equal(list.list?.numbers.verifiedOn(0), Date.parse("2026-04-30T16:00:00Z"));
  t.equal(list.list?.numbers.mayForward(0), true);
});

void tap.test("cells may be left out or empty, rows may be blank, quotes may span lines", async (t) => {
  const list = read('note,number,valid_from,may_forward\n"two\nlines",95588\n\n  \nx,95599,,\ny,95533,,no');
  t.strictSame(printed(list.issues), []);
  t.equal(lineOf(list, "95588"), 2);
  t.equal(lineOf(list, "95599"), 6);
  t.equal(lineOf(list, "95533"), 7, "a last line without line end");
  t.equal(list.list?.counts.rows, 3);
});

const broken: readonly (readonly [name: string, text: string | Uint8Array, issues: readonly string[]])[] = [
  [
    "header only",
    "number,note\n",
    ["l.csv:1:1: the list is empty; remove it from the policy if it must match nothing"],
  ],
  [
    "nothing at all",
    "",
    ["l.csv:1:1: the list is empty; remove it from the policy if it must match nothing"],
  ],
  [
    "blank lines only",
    "\n \n",
    ["l.csv:1:1: the list is empty; remove it from the policy if it must match nothing"],
  ],
  [
    "no header",
    "+861087654321\n95588\n",
    [
      'l.csv:1:1 +861087654321: warning: unknown column "+861087654321"',
      'l.csv:1:1: the header has no column "number"; the first row is a number already: write a header above it, such as "number"',
    ],
  ],
  [
    "semicolons",
    "number;note\n95588;x\n",
    [
      'l.csv:1:1 number;note: warning: unknown column "number;note"; columns are separated by commas, not by semicolons',
      'l.csv:1:1: the header has no column "number"',
    ],
  ],
  [
    "tabs",
    "number\tnote\n95588\tx\n",
    [
      'l.csv:1:1 number\tnote: warning: unknown column "number\tnote"; columns are separated by commas, not by tabs',
      'l.csv:1:1: the header has no column "number"',
    ],
  ],
  [
    "semicolons before a date",
    "number,note;valid_to\n95588,x;2020-01-01\n",
    [
      'l.csv:1:8 note;valid_to: unknown column "note;valid_to", its dates would be ignored; columns are separated by commas, not by semicolons',
    ],
  ],
  [
    "commas of Chinese text",
    "number，note\n95588，x\n",
    [
      'l.csv:1:1 number，note: warning: unknown column "number，note"; columns are separated by commas, not by full-width commas',
      'l.csv:1:1: the header has no column "number"',
    ],
  ],
  [
    "a header in Chinese",
    "号码,备注\n95588,x\n",
    [
      'l.csv:1:1 号码: warning: unknown column "号码"; write "number" for it',
      'l.csv:1:4 备注: warning: unknown column "备注"; write "note" for it',
      'l.csv:1:1: the header has no column "number"',
    ],
  ],
  [
    "no column of that name",
    "nummer,note\n95588,\n",
    [
      'l.csv:1:1 nummer: warning: unknown column "nummer"; did you mean "number"?',
      'l.csv:1:1: the header has no column "number"',
    ],
  ],
  [
    "a column twice",
    "number,note,number\n95588,,\n",
    ['l.csv:1:13 number: the header has the column "number" twice'],
  ],
  [
    "bad cells, each in its place",
    '"number",valid_from,valid_to,verified_on,may_forward\n"9 5 5 8 8x",2026-1-1,31.12.2026,yesterday,maybe\n',
    [
      'l.csv:2:1 number: not a number: "9 5 5 8 8x"; it has the letter x',
      'l.csv:2:14 valid_from: "2026-1-1" is not a date like 2026-12-31; did you mean 2026-01-01?',
      'l.csv:2:23 valid_to: "31.12.2026" is not a date like 2026-12-31; did you mean 2026-12-31?',
      'l.csv:2:34 verified_on: "yesterday" is not a date like 2026-12-31',
      'l.csv:2:44 may_forward: expected yes or no, got "maybe"',
    ],
  ],
  ["an empty number", "number,note\n,x\n", ["l.csv:2:1 number: the number is missing"]],
  [
    "an end before its beginning",
    "number,valid_from,valid_to\n95588,2026-02-01,2026-01-31\n",
    ["l.csv:2:18 valid_to: 2026-01-31 is before valid_from 2026-02-01"],
  ],
  [
    "a comma too many",
    "number,note\n95588,one, two\n",
    ["l.csv:2:11: the row has 3 cells, the header 2; put text with a comma in quotes"],
  ],
  [
    "a quote that never ends",
    'number,note\n95588,"open\n95599,x\n',
    [`l.csv:2:1: a quotation mark (") opens a cell here, and nothing closes it`],
  ],
  [
    "a number as a spreadsheet spoils it",
    "number\n8.61088E+12\n",
    [
      'l.csv:2:1 number: not a number: "8.61088E+12"; a spreadsheet has shortened it and digits are lost: format the column as text and export it again',
    ],
  ],
  [
    "a very long cell",
    `number\n${"1".repeat(1000)}\n`,
    ["l.csv:2:1 number: has 1000 characters, too many for a number"],
  ],
  [
    "another encoding",
    new Uint8Array([...new TextEncoder().encode("number,note\n95588,"), 0xbf, 0xcd, 0xb7, 0xfe]),
    [
      "l.csv:2:7: not UTF-8 text from here on, but it may be GB18030, which Excel writes in China; convert it with `sigwall import`, or save the file as CSV UTF-8",
    ],
  ],
  [
    "no encoding at all",
    new Uint8Array([...new TextEncoder().encode("number,note\n95588,"), 0xff, 0xff, 0x0a]),
    ["l.csv:2:7: not UTF-8 text from here on; save the file as UTF-8"],
  ],
  [
    "UTF-16 with a byte order mark",
    Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("number\n95588\n", "utf16le")]),
    ["l.csv:1:1: this is UTF-16 text; convert it with `sigwall import`, or save the file as CSV UTF-8"],
  ],
  [
    "UTF-16 without",
    Buffer.from("number\n95588\n", "utf16le"),
    ["l.csv:1:1: this is UTF-16 text; convert it with `sigwall import`, or save the file as CSV UTF-8"],
  ],
  [
    "a workbook",
    new Uint8Array([0x50, 0x4b, 0x03, 0x04, 0x14, 0x00, 0x06, 0xff]),
    [
      "l.csv:1:8: this is an Excel workbook; make a list of it with `sigwall import`, or save it as CSV UTF-8",
    ],
  ],
];

void tap.test("one bad row refuses the whole list, and all bad rows are told", async (t) => {
  for (const [name, text, expected] of broken) {
    const { list, issues } = read(text);
    t.strictSame(printed(issues), expected, name);
    t.equal(list, undefined, `${name}: no list`);
  }
});

void tap.test("ranges and prefixes that mean nothing", async (t) => {
  const cells = [
    "+861087654399..+861087654300",
    "+861087654300..95588",
    "+86108765430..+861087654399",
    "95588..955888",
    "..",
    "*",
    "+*",
    "+999*",
    "139*",
    "+86010*",
    "+861087654300*0",
  ];
  const { list, issues } = read(["number", ...cells].join("\n"));
  t.equal(list, undefined);
  const places = printed(issues).map((line) => line.slice(0, line.indexOf(" number: ")));
  t.strictSame(
    places,
    cells.map((_, index) => `l.csv:${index + 2}:1`),
  );
});

void tap.test("the header: any case and width, spaces and hyphens", async (t) => {
  for (const header of [
    "number,valid_to",
    "Number,Valid_To",
    " NUMBER , VALID-TO ",
    "number,Valid to",
    "ｎｕｍｂｅｒ,ＶＡＬＩＤ＿ＴＯ",
  ]) {
    const { list, issues } = read(`${header}\n95588,2026-12-31\n`);
    t.strictSame(printed(issues), [], header);
    t.ok(list?.numbers.validTo(0), `${header}: the date is read`);
  }
});

void tap.test("a misspelt date column is an error: the number would call after its last day", async (t) => {
  const misspelt = {
    valid_to: [
      "valid_until",
      "validto",
      "valid_t0",
      "vaild_to",
      "until",
      "Expires",
      "expiry date",
      "end",
      "exp",
      "expdate",
      "End date",
      "date_end",
      "to_date",
      "contract_end",
      "validity_end",
      "valid_unitl",
      "valid",
      "till",
      "last day",
      "stop_date",
      "notAfter",
      "失效日期",
      "有效期",
      "有效期至",
      "有效期止",
      "有效期限",
      "截至日期",
      "结束时间",
      "停用日期",
    ],
    valid_from: [
      "valid_form",
      "validfrom",
      "effective_date",
      "from",
      "from_date",
      "active_from",
      "start",
      "startdate",
      "begin_date",
      "not before",
      "生效日期",
      "开始日期",
      "有效期自",
    ],
    verified_on: ["verified", "verified_at", "verfied_on", "核验日期", "核查日期"],
  };
  for (const [column, names] of Object.entries(misspelt))
    for (const name of names) {
      const { list, issues } = read(`number,${name}\n95588,2020-01-01\n`);
      t.equal(list, undefined, name);
      t.strictSame(printed(issues), [
        `l.csv:1:8 ${name}: unknown column "${name}", its dates would be ignored; did you mean "${column}"?`,
      ]);
    }
  for (const name of [
    "verified_by",
    "remark",
    "owner",
    "contract_no",
    "town",
    "created",
    "imported_on",
    "update_date",
    "assigned_to",
    "from_city",
    "end_user",
    "联系人",
  ]) {
    const { list, issues } = read(`number,${name}\n95588,2020-01-01\n`);
    t.ok(list, `${name}: no date of ours`);
    t.equal(issues.length, 1, name);
  }
});

void tap.test("rows with nothing in them are no rows", async (t) => {
  const { list, issues } = read("number,note\n,\n95588,x\n , \n,,,\n\n   \n");
  t.strictSame(printed(issues), []);
  t.equal(list?.counts.rows, 1);
});

void tap.test("empty cells behind the last one of a row or of the header are no cells", async (t) => {
  for (const text of ["number,note\n95588,x,\n95599,,, \n", "number,note,,\n95588,x,,\n95599\n,,,\n"]) {
    const { list, issues } = read(text);
    t.strictSame(printed(issues), [], text);
    t.equal(list?.counts.rows, 2, text);
  }
  const { issues } = read("number,note,,\n95588,one, two,\n");
  t.strictSame(printed(issues), [
    "l.csv:2:11: the row has 3 cells, the header 2; put text with a comma in quotes",
  ]);
});

void tap.test("a cell that is no number: what was probably done", async (t) => {
  const cells: readonly (readonly [cell: string, advice: RegExp | undefined])[] = [
    ['"1.08E+11"', /a spreadsheet has shortened it/],
    ['"1,08E+11"', /a spreadsheet has shortened it/],
    ["861087654321.0", /took it for an amount/],
    ['"=""+861087654321"""', /text mark of the spreadsheet/],
    ["'+861087654321", /text mark of the spreadsheet/],
    ["＋８６１０８７６５４３２１", /write "\+861087654321"/],
    ["+861087654321\u202c", /a character that nobody sees/],
    ["057187000000-057187000029", /a range is written 057187000000\.\.057187000029/],
    ["+861087654300 ~ +861087654399", /a range is written \+861087654300\.\.\+861087654399/],
    ["057187000000～057187000029", /a range is written 057187000000\.\.057187000029/],
    ["01087654300至01087654399", /a range is written 01087654300\.\.01087654399/],
    ["# +861087654321", /no comment lines/],
    ["010-87654", undefined],
    ["abc", undefined],
  ];
  for (const [cell, advice] of cells) {
    const { list, issues } = read(`number\n${cell}\n`);
    t.equal(list, undefined, cell);
    const [line = ""] = printed(issues);
    if (advice === undefined) t.notMatch(line, /;/, cell);
    else t.match(line, advice, cell);
  }
});

void tap.test("a day in another form: which one was meant", async (t) => {
  const days: readonly (readonly [string, string | undefined])[] = [
    ["2027/6/30", "2027-06-30"],
    ["2027.06.30", "2027-06-30"],
    ["30.6.2027", "2027-06-30"],
    ["2027年6月30日", "2027-06-30"],
    ["２０２７-06-30", "2027-06-30"],
    ["2027-06-30 00:00:00", "2027-06-30"],
    ["2027/6/30T0:00", "2027-06-30"],
    ["5/6/2027", undefined],
    ["tomorrow", undefined],
    ["27-6-30", undefined],
    ["2027-02-30", undefined],
  ];
  for (const [day, meant] of days) {
    const [line = ""] = printed(read(`number,valid_to\n95588,${day}\n`).issues);
    t.equal(line.includes("did you mean"), meant !== undefined, day);
    if (meant !== undefined) t.match(line, `did you mean ${meant}?`);
  }
});

void tap.test("an unknown column is a warning", async (t) => {
  const { list, issues } = read("number, remark,notes\n95588,x,y\n");
  t.ok(list);
  t.strictSame(printed(issues), [
    'l.csv:1:8 remark: warning: unknown column "remark"',
    'l.csv:1:16 notes: warning: unknown column "notes"; did you mean "note"?',
  ]);
});

void tap.test("the wrong file gives some lines and a number, not a flood", async (t) => {
  const { issues } = read(`number\n${"x\n".repeat(1000)}`);
  t.equal(issues.length, 51);
  t.equal(printed(issues).at(-1), "l.csv:1002:1: 950 more errors in this list");
});

void tap.test("100,000 rows", async (t) => {
  const rows = Array.from(
    { length: 100_000 },
    (_, index) => `+8610${80_000_000 + index},2026-01-01,2027-12-31`,
  );
  const list = read(`number,valid_from,valid_to\n${rows.join("\n")}`);
  t.equal(list.list?.counts.rows, 100_000);
  t.equal(lineOf(list, "+861080099999"), 100_001);
  t.equal(lineOf(list, "+861080100000"), 0);
});
