// Lines read back: in the order of hours, between two times, and what can't be read is told.
import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lineFilesIn, readLineFile, readLines } from "../../src/records/lines/read-lines.ts";

const line = (time: string, id = time): string => `${JSON.stringify({ record: "decided", id, time })}\n`;
const at = (text: string): number => Date.parse(text);

void t.test("read: folders, nodes and times", (t) => {
  const folder = t.testdir({
    "2026-11-30": {
      "12-a.ndjson": line("2026-11-30T12:00:00.000Z") + line("2026-11-30T12:59:59.999Z"),
      "12-b.ndjson": line("2026-11-30T12:30:00.000Z", "b"),
      "13-a.ndjson": line("2026-11-30T13:00:00.000Z") + line("2026-11-30T11:00:00.000Z", "late"),
      "13-a.bad": "x",
      "notes.ndjson": "x",
    },
    "2026-12-01": { "00-a.ndjson": line("2026-12-01T00:00:00.000Z") },
  });
  const ids = (range: Parameters<typeof readLines>[1]): readonly unknown[] =>
    [...readLines([folder, join(folder, "missing")], range)].map((found) => found.line?.["id"]);
  t.same(ids({ node: "b" }), ["b"]);
  t.same(ids({ node: "a" }).length, 5);
  t.same(ids({ from: at("2026-11-30T12:59:59.999Z"), to: at("2026-11-30T13:00:00.000Z"), node: "a" }), [
    "2026-11-30T12:59:59.999Z",
  ]);
  t.same(
    ids({ from: at("2026-11-30T11:00:00Z"), to: at("2026-11-30T12:00:00Z") }),
    ["late"],
    "in a later file",
  );
  t.same(
    lineFilesIn([folder], { from: at("2026-12-01T00:00:00Z") }).map(({ hour }) => hour),
    ["2026-12-01T00"],
  );
  t.end();
});

void t.test("read: bad lines are told, one by one", (t) => {
  const folder = t.testdir({
    "2026-11-30": {
      "12-a.ndjson": `${line("2026-11-30T12:00:00.000Z")}{"record"\n[]\n{"record":"x"}\n${"x".repeat(3 << 20)}\n${line("2026-11-30T12:00:01.000Z")}{"torn`,
    },
  });
  const found = [...readLines([folder])];
  t.same(
    found.map(({ number, why }) => [number, why === undefined ? "" : why.split(" ").slice(0, 3).join(" ")]),
    [
      [1, ""],
      [2, found[1]?.why?.split(" ").slice(0, 3).join(" ")],
      [3, "it is no"],
      [4, "it has no"],
      [5, "it is too"],
      [6, ""],
      [7, "it has no"],
    ],
  );
  t.ok(found[1]?.why, "JSON says why");
  const missing = [...readLineFile(join(folder, "missing.ndjson"))];
  t.match(missing, [{ line: undefined, why: /ENOENT/ }]);
  t.notOk(existsSync(join(folder, "missing.ndjson")));
  t.end();
});
