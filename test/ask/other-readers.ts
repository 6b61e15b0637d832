import { spawnSync } from "node:child_process";
import t from "tap";
import { writeRecords } from "../support/record-lines.ts";
import { decided, HOUR, openRecords, seal } from "../support/records-folder.ts";

/** Reads a sealed day as pandas and Spark do, and prints what it finds. */
const program = `
import sys, glob, json
import pyarrow, pyarrow.parquet as pq
files = sorted(glob.glob(sys.argv[1] + "/*/*.attempts.parquet"))
table = pyarrow.concat_tables([pq.read_table(file) for file in files])
rows = table.to_pylist()
def raw(party):
    number = party["number"]
    return {None: party["raw"], "same": number, "plain": number and number[1:], "national": number and "0" + number[3:], "significant": number and number[3:]}[party["form"]]
print(json.dumps({
  "rows": len(rows),
  "types": {name: str(table.schema.field(name).type) for name in ["time", "id", "status", "calling", "caller", "more"]},
  "codec": pq.ParquetFile(files[0]).metadata.row_group(0).column(0).compression,
  "ids": sorted(row["id"] for row in rows)[:2],
  "callers": sum(any(party["number"] == row["caller"] for party in row["calling"]) for row in rows if row["caller"]),
  "uris": sum((row["requestUri"] or row["requestUriAround"]["before"] + raw(row["called"]) + row["requestUriAround"]["after"]) == "sip:0" + row["called"]["number"][3:] + "@192.0.2.1" for row in rows),
  "time": next(row["time"].isoformat() for row in rows if row["id"] == "one"),
}))`;

void t.test("sealed hours: another reader of Parquet finds every column", async (t) => {
  const python = process.env["PYARROW_PYTHON"] ?? "python3";
  if (spawnSync(python, ["-c", "import pyarrow.parquet"]).status !== 0) {
    t.pass("Apache Arrow reads a sealed day", {
      skip: "no Python with pyarrow here: PYARROW_PYTHON names one",
    });
    return;
  }
  const { records, write } = openRecords(t);
  writeRecords(records, { node: "gw-a", from: HOUR, to: HOUR + 60_000, calls: 500 });
  write("2026-10-03/07-gw-a.ndjson", [decided({ id: "one", time: "2026-10-03T07:00:00.123456Z" })]);
  await seal(records);
  const { stdout, stderr } = spawnSync(python, ["-c", program, records], { encoding: "utf8" });
  t.equal(stderr, "");
  t.match(JSON.parse(stdout), {
    rows: 501,
    types: {
      time: "timestamp[us, tz=UTC]",
      id: "string",
      status: "int32",
      calling:
        /^list<.*struct<source: string, presentation: string, raw: string, number: string, why: string, form: string>/,
      caller: "string",
      more: "string",
    },
    codec: "ZSTD",
    callers: 501,
    uris: 501,
    time: "2026-10-03T07:00:00.123456+00:00",
  });
});
