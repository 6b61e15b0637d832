// The files of lines: by the hour of the line, never two lines in one, whatever the clock does and whoever deletes.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createLineFiles } from "../../src/records/lines/line-files.ts";
import { formatLineTime } from "../../src/records/lines/line-time.ts";
import { cutTornLines, lastEpochIn } from "../../src/records/lines/torn-lines.ts";

const NOON = Date.UTC(2026, 10, 30, 12);
const HOUR = 3_600_000;

/** Every file below the folder with its lines. */
function content(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes("."),
  );
  return Object.fromEntries(files.toSorted().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

void t.test("files: the hour of a line's own time, in UTC", (t) => {
  const folder = join(t.testdir(), "records");
  const files = createLineFiles(folder, "gw-a");
  const times = [
    NOON,
    NOON + HOUR - 1,
    NOON + HOUR,
    Date.UTC(2026, 10, 30, 23, 59, 59, 999),
    Date.UTC(2026, 11, 1),
  ];
  for (const [index, at] of times.entries()) files.add(at, String(index));
  files.flush();
  files.close();
  t.same(content(folder), {
    "2026-11-30/12-gw-a.ndjson": "0\n1\n",
    "2026-11-30/13-gw-a.ndjson": "2\n",
    "2026-11-30/23-gw-a.ndjson": "3\n",
    "2026-12-01/00-gw-a.ndjson": "4\n",
  });
  t.equal(statSync(join(folder, "2026-11-30")).mode & 0o777, 0o700);
  t.equal(statSync(join(folder, "2026-11-30/12-gw-a.ndjson")).mode & 0o777, 0o600);
  t.end();
});

void t.test("files: the sealed hour of a node whose name begins or ends with ours is not ours", (t) => {
  const names = ["11-gw-a.net.attempts.parquet", "10-11-gw-a.attempts.parquet", "11-gw-a~1.attempts.parquet"];
  const folder = t.testdir({ "2026-11-30": Object.fromEntries(names.map((name) => [name, ""])) });
  const files = createLineFiles(folder, "gw-a");
  files.add(NOON, "12");
  files.flush();
  files.add(NOON - HOUR, "11");
  files.flush();
  files.close();
  t.equal(readFileSync(join(folder, "2026-11-30/11-gw-a.ndjson"), "utf8"), "11\n");
  t.end();
});

void t.test("files: a clock that steps back; a sealed hour stays sealed", (t) => {
  const folder = t.testdir({ "2026-11-30": { "10-gw-a.parquet": "", "11-gw-b.parquet": "" } });
  const files = createLineFiles(folder, "gw-a");
  const put = (at: number, line: string): void => {
    files.add(at, line);
    files.flush();
  };
  put(NOON, "12");
  put(NOON - HOUR, "11, after 12: the other node's hour is sealed");
  t.equal(
    readFileSync(join(folder, "2026-11-30/11-gw-a.ndjson"), "utf8"),
    "11, after 12: the other node's hour is sealed\n",
  );
  put(NOON - 2 * HOUR, "10, after 12: sealed");
  put(NOON + 1, "12 again");
  // Sealed while the writer has the file of the hour open.
  rmSync(join(folder, "2026-11-30/11-gw-a.ndjson"));
  writeFileSync(join(folder, "2026-11-30/11-gw-a.attempts.parquet"), "");
  put(NOON - HOUR + 1, "11, sealed meanwhile");
  files.close();
  t.match(content(folder), {
    "2026-11-30/12-gw-a.ndjson": "12\n10, after 12: sealed\n12 again\n11, sealed meanwhile\n",
  });
  t.notOk(existsSync(join(folder, "2026-11-30/11-gw-a.ndjson")));
  t.notOk(existsSync(join(folder, "2026-11-30/10-gw-a.ndjson")));
  t.end();
});

void t.test("files: more hours than are kept open, and times that are none", (t) => {
  const folder = t.testdir();
  const files = createLineFiles(folder, "n");
  for (let round = 0; round < 2; round++)
    for (let hour = 0; hour < 9; hour++) {
      files.add(NOON + hour * HOUR, `${hour}`);
      files.flush();
    }
  for (const at of [-1, Number.NaN, Infinity, 9e15]) files.add(at, String(at));
  files.flush();
  files.close();
  const all = content(folder);
  t.equal(all["2026-11-30/12-n.ndjson"], "0\n0\n");
  t.equal(all["1970-01-01/00-n.ndjson"], "-1\nNaN\n");
  t.equal(all["9999-12-31/23-n.ndjson"], "Infinity\n9000000000000000\n");
  t.end();
});

void t.test("files: a file that somebody deletes is made again", (t) => {
  const folder = t.testdir();
  const files = createLineFiles(folder, "n");
  files.add(NOON, "1");
  files.flush();
  rmSync(join(folder, "2026-11-30"), { recursive: true });
  files.add(NOON, "2");
  files.flush();
  files.close();
  t.same(content(folder), { "2026-11-30/12-n.ndjson": "2\n" });
  t.end();
});

void t.test("files: what can't be written waits, and comes in its order", (t) => {
  const folder = t.testdir({ "2026-11-30": "a file in the way" });
  const files = createLineFiles(folder, "n");
  files.add(NOON, "1");
  t.throws(() => files.flush());
  files.add(NOON, "2");
  t.throws(() => files.flush());
  t.equal(files.waiting(), 4);
  rmSync(join(folder, "2026-11-30"));
  files.add(NOON, "3");
  files.flush();
  t.equal(files.waiting(), 0);
  files.close();
  t.same(content(folder), { "2026-11-30/12-n.ndjson": "1\n2\n3\n" });
  t.end();
});

void t.test("torn lines: cut from the own newest files, and nothing else", (t) => {
  const whole = '{"record":"decided","id":"n-abc-1","time":"2026-11-30T12:00:01.000Z"}\n';
  const table: readonly (readonly [what: string, before: string, after: string, torn: number])[] = [
    ["whole", whole, whole, 0],
    ["torn", `${whole}{"record":"dec`, whole, 1],
    ["torn at its line end", `${whole}${whole.trimEnd()}`, whole, 1],
    ["nothing but a torn line", "{", "", 1],
    ["empty", "", "", 0],
  ];
  for (const [what, before, after, torn] of table) {
    const folder = t.testdir();
    mkdirSync(join(folder, "2026-11-30"));
    const own = join(folder, "2026-11-30/12-n.ndjson");
    writeFileSync(own, before);
    writeFileSync(join(folder, "2026-11-30/12-other.ndjson"), "{");
    const found = cutTornLines(folder, "n");
    t.equal(readFileSync(own, "utf8"), after, what);
    t.same(found, { torn, last: after === "" ? undefined : NOON + 1000 }, what);
    t.equal(readFileSync(join(folder, "2026-11-30/12-other.ndjson"), "utf8"), "{", "another node's file");
  }
  t.end();
});

const id = (text: string): string => `{"record":"decided","id":"${text}","callId":"\\"id\\":\\"n-zzzz-1"}\n`;

void t.test("epochs: the highest one in the newest lines of the node", (t) => {
  const folder = t.testdir({
    "2026-11-30": {
      "12-n.ndjson": id("n-b0-4") + id("n-a0-9") + id("n-x-zz-7"),
      "13-m.ndjson": id("m-zz-1"),
    },
  });
  t.equal(lastEpochIn(folder, "n"), parseInt("b0", 36));
  t.equal(lastEpochIn(folder, "m"), parseInt("zz", 36));
  t.equal(lastEpochIn(folder, "other"), -1);
  t.equal(lastEpochIn(join(folder, "missing"), "n"), -1);
  t.end();
});

void t.test("times: as a calendar writes them", (t) => {
  for (const at of [
    0,
    NOON,
    NOON + 59_999,
    NOON + HOUR - 1,
    1_790_000_000_123.9,
    Date.UTC(2024, 1, 29, 23, 59, 59, 999),
  ])
    t.equal(formatLineTime(at), new Date(Math.floor(at)).toISOString());
  t.end();
});
