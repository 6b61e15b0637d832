import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { createDice, makeCalls } from "../support/record-lines.ts";
import { HOUR, openRecords, readBack, seal } from "../support/records-folder.ts";

/** Changes a line as a fuzzer, a torn disk or a program of another version does. */
function mangle(line: Buffer, dice: () => number): Buffer {
  const at = Math.floor(dice() * line.length);
  const bytes = Buffer.from(line);
  switch (Math.floor(dice() * 6)) {
    case 0:
      bytes[at] = Math.floor(dice() * 256);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from("\u0000\u001b[31m\u202e\\ud800"),
        bytes.subarray(at),
      ]);
    case 3:
      return Buffer.from(bytes.toString("latin1").replace(/"[a-zA-Z]+":/, '"time":'), "latin1");
    case 4:
      return Buffer.from(bytes.toString("latin1").replace(/:"[^"]*"/, ":{}"), "latin1");
    default:
      return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
  }
}

void t.test("seal: a fuzzer's lines: each is in a table or in .bad, and none is lost", async (t) => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
  t.comment(`seed ${seed}`);
  const dice = createDice(seed);
  const { records } = openRecords(t);
  const path = join(records, "2026-10-03/08-gw-a.ndjson");
  mkdirSync(dirname(path), { recursive: true });
  const lines: Buffer[] = [];
  for (const { decided, ended } of makeCalls({
    node: "gw-a",
    from: HOUR,
    to: HOUR + 60_000,
    calls: 1500,
    seed,
  })) {
    for (const text of [decided, ended]) {
      if (text === undefined) continue;
      let line = Buffer.from(text);
      if (dice() < 0.5) line = Buffer.from(mangle(line, dice));
      lines.push(Buffer.from(line.filter((octet) => octet !== 10)));
    }
  }
  writeFileSync(path, Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")])));
  const { code, out, err } = await seal(records);
  t.equal(code, 0, err);
  const [, attempts = 0, endings = 0, others = 0] = (
    /(\d+) attempts, (\d+) endings, (\d+) others/.exec(out) ?? []
  ).map(Number);
  const superfluous = Number(/(\d+) ends of calls/.exec(out)?.[1] ?? 0);
  const bad = Number(/(\d+) lines that can't be read/.exec(out)?.[1] ?? 0);
  const written = lines.filter((line) => line.length > 0 && !(line.length === 1 && line[0] === 13)).length;
  t.equal(attempts + endings + others + superfluous + bad, written, out);
  t.ok(bad > 100 && attempts > 500, "both kinds were there");
  const badPath = path.replace(".ndjson", ".bad");
  t.equal(existsSync(badPath) ? readFileSync(badPath, "latin1").split("\n").length - 1 : 0, bad);
  t.ok((await readBack(records)).length >= attempts, "what was sealed is found");
});
