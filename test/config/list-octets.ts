// The reader of octets gives the list, the issues and the hashes that reading the whole text row by row gives.
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import tap from "tap";
import { type AskedColumn, createAskedCells } from "../../src/config/lists/asked-column.ts";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { countLines, eachCsvRow, isBlankRow } from "../../src/config/lists/csv.ts";
import { type Header, readHeader, readRow } from "../../src/config/lists/list-cells.ts";
import { createListReader } from "../../src/config/lists/number-list.ts";
import { hashList } from "../../src/config/lists/list-hash.ts";
import type { ConfigIssue } from "../../src/config/yaml/issue.ts";
import { digest } from "../../src/config/yaml/canonical-text.ts";
import { decodeText } from "../../src/config/yaml/yaml-source.ts";
import { DECIDING_DIGITS } from "../../src/numbering/cn.ts";
import { cnPlan } from "../../src/numbering/cn-plan.data.ts";
import { readListEntry } from "../../src/numbering/list-entry.ts";
import { createNumberSetBuilder } from "../../src/numbering/number-set-builder.ts";
import { createPlainNumberReader } from "../../src/numbering/lists/plain-number.ts";

const seed = 20261130;
const calendar = createCalendar("Asia/Shanghai");

interface Outcome {
  readonly issues: readonly ConfigIssue[];
  /** The set as octets: keys, dates and lines. Undefined: the list is refused. */
  readonly set: string | undefined;
  readonly rows: number;
  /** The line behind the last row. */
  readonly lines: number;
}

/** Reads every row as text, by the parser alone. */
function readAsText(text: string, homeCountry: string, asked?: AskedColumn): Outcome {
  const issues: ConfigIssue[] = [];
  const builder = createNumberSetBuilder(asked !== undefined);
  const cells = asked && createAskedCells(asked);
  let header: Header | undefined;
  let rows = 0;
  let lines = 1;
  const report: Parameters<typeof readHeader>[1] = (place, path, message, severity = "error") => {
    issues.push({ severity, file: "l.csv", ...place, path, message });
  };
  eachCsvRow(text.replace(/^\ufeff/, "").replaceAll(/\r\n?/g, "\n"), (row): undefined => {
    lines = row.line + countLines(row.text);
    if (row.mistake !== undefined) report({ line: row.line, column: 1 }, "", row.mistake);
    else if (isBlankRow(row)) return;
    else if (header === undefined) header = readHeader(row, report, asked);
    else if (header.positions.has("number")) {
      const read = readRow(row, header, calendar, homeCountry, report, cells);
      if (read === undefined) return;
      builder.add(read.entry, read.row);
      rows += 1;
    }
  });
  const isRefused = issues.some(({ severity }) => severity === "error");
  return { issues, set: isRefused || rows === 0 ? undefined : octetsOf(builder.build().memory), rows, lines };
}

function octetsOf(memory: SharedArrayBuffer): string {
  return Buffer.from(memory).toString("latin1");
}

/** Readers by what they were made for: a reader remembers what the plan has said. */
const readers = new Map<string, ReturnType<typeof createListReader>>();

function readerFor(homeCountry: string, block: number): ReturnType<typeof createListReader> {
  const name = `${homeCountry} ${block}`;
  const known = readers.get(name) ?? createListReader(calendar, homeCountry, block);
  readers.set(name, known);
  return known;
}

/** Compares both readings. Lists with more than 50 errors have a last issue of their own, so texts stay short. */
function compare(text: string, block: number, homeCountry = "86", asked?: AskedColumn): "list" | "refused" {
  const expected = readAsText(text, homeCountry, asked);
  const bytes = Buffer.from(text);
  const { list, issues } = readerFor(homeCountry, block)("l.csv", bytes, asked);
  const isEmpty = !expected.issues.some(({ severity }) => severity === "error") && expected.rows === 0;
  const told = isEmpty ? issues.slice(0, -1) : issues;
  const same =
    JSON.stringify(told) === JSON.stringify(expected.issues) &&
    (list === undefined ? undefined : octetsOf(list.numbers.memory)) === expected.set &&
    (list === undefined || list.counts.rows === expected.rows);
  if (!same)
    throw new Error(
      `${JSON.stringify(text)} in blocks of ${block}: ${JSON.stringify(issues)} for ${JSON.stringify(expected.issues)}, ${list?.counts.rows} rows for ${expected.rows}`,
    );
  return list === undefined ? "refused" : "list";
}

void tap.test("every short text of commas, quotes, line ends and blanks", async (t) => {
  const signs = [",", '"', "\n", "\r", " ", "5"];
  let texts = 0;
  const grow = (text: string, left: number): void => {
    texts += 1;
    compare(`number,note\n95588,${text}\n95599,x\n`, 4);
    compare(`note,number\n${text},95599`, 16);
    if (left > 0) for (const sign of signs) grow(text + sign, left - 1);
  };
  grow("", 5);
  t.equal(texts, (6 ** 6 - 1) / 5);
});

/** Cells that lists have, with near misses of each. */
const numberCell = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: 0, max: 99_999_999 }).map((n) => `+8610${String(n).padStart(8, "2")}`),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 0, max: 999_999_999 }).map((n) => `+861${String(n).padStart(9, "3")}`),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 0, max: 9_999_999 }).map((n) => `0755${String(n).padStart(8, "2")}`),
  },
  { weight: 2, arbitrary: fc.integer({ min: 13_000_000_000, max: 19_999_999_999 }).map(String) },
  fc.constantFrom(
    "95588",
    "+8695588",
    "01095588",
    "+861012345",
    "+861087654300..+861087654399",
    "+8610876543*",
    "955*",
    "+44 20 7946 0000",
    "+86 10 8765 4321",
    " +861087654321",
    "+861087654321 ",
    "(0755) 2222.3333",
    "+8608765432100",
    "+86108765432",
    "+861087654321x",
    "0086108765 4321",
    "",
    "-",
    "＋８６１０８７６５４３２１",
  ),
);
const dayCell = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("2026-01-01", "2026-12-31", "2027-06-30", "") },
  fc.constantFrom(
    "2026-02-30",
    "2026-1-1",
    " 2026-01-01",
    "2026-01-01 ",
    "0000-00-00",
    "1969-12-31",
    "9999-12-31",
    "20260101",
    "2026/01/01",
  ),
);
const forwardCell = fc.constantFrom("", "", "yes", "no", "Yes", "no ", "yess", "n", "NO");
const noteCell = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("", "note", "备注", "HT-1") },
  fc.constantFrom(
    '"a, b"',
    '"two\nlines"',
    '"two\r\nlines"',
    '"she said ""yes"""',
    'a "b" c',
    '"open',
    '"x"y',
    '"x" ',
    '"x" ,',
    "a,b",
    "\ufeff",
    '\ufeff"x"',
    "\r",
    "😀",
  ),
);
const row = fc.tuple(numberCell, dayCell, dayCell, dayCell, forwardCell, noteCell);
const lineEnd = fc.constantFrom("\n", "\n", "\n", "\r\n", "\r", "\n\n", ",\n", ",,\n", " \n");
const headers = [
  "number,valid_from,valid_to,verified_on,may_forward,note",
  "number,valid_from,valid_to,verified_on,may_forward,note,",
  '"number",valid_from,valid_to,verified_on,may_forward,"note"',
  "Number , Valid From,VALID-TO,verified_on,may_forward,remark",
  "number,valid_from,valid_from,verified_on,may_forward,note",
  "nummer,valid_from,valid_to,verified_on,may_forward,note",
];

void tap.test("lists with every kind of cell, line end and header", async (t) => {
  const tally = { list: 0, refused: 0 };
  const list = fc.record({
    mark: fc.constantFrom("", "", "\ufeff"),
    before: fc.constantFrom("", "", "\n", " \n,,\r\n"),
    header: fc.oneof({ weight: 5, arbitrary: fc.constant(headers[0] ?? "") }, fc.constantFrom(...headers)),
    rows: fc.array(fc.tuple(row, lineEnd), { maxLength: 12 }),
    ends: fc.boolean(),
    block: fc.constantFrom(1, 8, 64, 4096),
    country: fc.constantFrom("86", "86", "44"),
  });
  fc.assert(
    fc.property(list, ({ mark, before, header, rows, ends, block, country }) => {
      const body = rows.map(([cells, end]) => cells.join(",") + end).join("");
      const text = `${mark}${before}${header}\n${ends ? body : body.replace(/[\r\n]+$/, "")}`;
      tally[compare(text, block, country)] += 1;
    }),
    { seed, numRuns: 6000 },
  );
  // One sound row or two: else hardly any list would be one.
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 2 }), fc.constantFrom(8, 4096), (rows, block) => {
      tally[compare(`${headers[0]}\n${rows.map((cells) => cells.join(",")).join("\n")}`, block)] += 1;
    }),
    { seed, numRuns: 4000 },
  );
  t.ok(tally.list > 500 && tally.refused > 2000, JSON.stringify(tally));
});

const scoreCell = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 10_000 }).map((steps) => String(steps / 10_000)) },
  fc.constantFrom(
    "",
    " ",
    "0",
    "1",
    "1.0",
    "1.1",
    "0.",
    ".5",
    "-0.5",
    "0.75 ",
    "7e-1",
    "0.123456789",
    "2",
    "x",
  ),
);
const industryCell = fc.constantFrom(
  "",
  "",
  "finance",
  "finance",
  "Finance ",
  "ｆｉｎａｎｃｅ",
  "教育",
  "real estate",
  '"a, b"',
);

void tap.test("lists with the column that their kind asks for", async (t) => {
  const tally = { list: 0, refused: 0 };
  for (const [asked, cell, header] of [
    [{ name: "score", holds: "score" }, scoreCell, "number,valid_to,score,note"],
    [{ name: "风险分", holds: "score" }, scoreCell, "number,valid_to,风险分,note"],
    [{ name: "score", holds: "score" }, scoreCell, "number,valid_to,risk,note"],
    [{ name: "industry", holds: "industry" }, industryCell, "number,valid_to,Industry,note"],
    [{ name: "industry", holds: "industry" }, industryCell, "number,valid_to,purpose,note"],
  ] as const satisfies readonly (readonly [AskedColumn, typeof scoreCell, string])[])
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.tuple(numberCell, dayCell, cell, noteCell), lineEnd), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.constantFrom(8, 4096),
        (rows, block) => {
          const body = rows.map(([cells, end]) => cells.join(",") + end).join("");
          tally[compare(`${header}\n${body}`, block, "86", asked)] += 1;
        },
      ),
      { seed, numRuns: 1500 },
    );
  t.ok(tally.list > 500 && tally.refused > 2000, JSON.stringify(tally));
});

void tap.test("more than fifty errors: the last line is counted alike", async (t) => {
  for (const end of ["", "\n", "\r", "\r\n", '\n"x"\n']) {
    const text = `number\n${"x\n".repeat(60)}95588${end}`;
    const { issues } = createListReader(calendar, "86")("l.csv", Buffer.from(text));
    t.equal(issues.at(-1)?.line, readAsText(text, "86").lines, JSON.stringify(end));
  }
});

void tap.test("the plan decides by the first digits of a long number", async (t) => {
  const longest = Math.max(
    ...cnPlan.flatMap(({ prefixes }) => prefixes.split(" ")).map(({ length }) => length),
  );
  t.equal(DECIDING_DIGITS, longest + 1);
  const random = createHash("sha256");
  for (const prefix of ["+86", "0", ""]) {
    const numbers = createPlainNumberReader("86");
    let read = 0;
    for (let turn = 0; turn < 40_000; turn++) {
      const draw = random.copy().update(`${prefix}${turn}`).digest().readUInt32BE();
      // Few beginnings, so that most answers are remembered ones.
      const national = `${10 + (draw % 90)}${String(draw)
        .padStart(10, "7")
        .slice(-9 + (turn % 2))}`;
      const bytes = Buffer.from(`${prefix}${national}`);
      const key = numbers.read(bytes, 0, bytes.length);
      if (Number.isNaN(key)) continue;
      read += 1;
      const entry = readListEntry(`${prefix}${national}`);
      if (typeof entry === "string" || entry.kind !== "exact" || entry.key !== key)
        t.fail(`${prefix}${national}`);
    }
    t.ok(read > 1000, `${prefix}: ${read} numbers`);
  }
});

void tap.test(
  "hashes of a list: of its octets, and of its text without mark, line ends and blanks at the end",
  async (t) => {
    for (const text of [
      "",
      "number\n95588\n",
      "\ufeffnumber\n95588",
      "number\r\n95588\r\n",
      "number\r95588\r\r\n \t\n",
      "number\n备注\u3000\u00a0\ufeff\n",
      "number\n备注。\n",
      "\ufeff",
      "\ufeff\ufeff\n",
      " \n",
      `number\r\n${"95588,x\r\n".repeat(20_000)}`,
    ]) {
      const bytes = Buffer.from(text);
      const plain = decodeText(bytes).text.replaceAll(/\r\n?/g, "\n").trimEnd();
      t.strictSame(
        hashList(bytes),
        { octets: createHash("sha256").update(bytes).digest("hex"), text: digest(plain) },
        JSON.stringify(text.slice(0, 40)),
      );
    }
  },
);
