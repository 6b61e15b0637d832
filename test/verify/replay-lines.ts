// The lines of replay: the fast writer writes what JSON.stringify does, and threads print as one command would.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { readFromDisk } from "../../src/app/read-file.ts";
import { replayInThreads } from "../../src/cli/captures/replay-threads.ts";
import { loadPolicy, partsOf } from "../../src/config/load-policy.ts";
import type { CallAttempt } from "../../src/domain/attempt.ts";
import { writeAttempt, writeMalformed } from "../../src/cli/captures/attempt-json.ts";
import { type DecisionLine, describeAttempt } from "../../src/records/lines/attempt-line.ts";
import { makeAttempt, makeTrunk } from "../support/attempt.ts";
import { inspect, replay } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
t.teardown(() => rmSync(folder, { recursive: true }));

const captures = readdirSync("pcaps")
  .filter((name) => /\.pcap(?:ng)?$/u.test(name))
  .map((name) => join("pcaps", name));
const few = ["repeats", "tcp", "isup-callers", "malformed"].flatMap((word) =>
  captures.filter((name) => name.includes(word)).slice(0, 1),
);

void t.test("--json writes the same bytes as JSON.stringify of the lines, for every capture", async (t) => {
  t.ok(captures.length > 20, "the captures were found");
  for (const { stdout } of [await replay(captures, { all: true, jobs: 1 }), await inspect(captures, true)]) {
    for (const line of stdout.split("\n").slice(0, -1)) {
      const again = JSON.stringify(JSON.parse(line));
      if (again !== line) t.equal(line, again);
    }
  }
  // What is compared is made into objects first, and they into JSON.
  const written = await replay(few, { trunk: "lease", jobs: 1 });
  const expect = join(folder, "expected.ndjson");
  writeFileSync(expect, written.stdout);
  t.strictSame(await replay(few, { trunk: "lease", expect }), written);
});

void t.test("lines of attempts: what JSON escapes, what is left out, and decisions of every shape", (t) => {
  const trunk = makeTrunk();
  const texts = [
    "plain",
    'a"b',
    "a\\b",
    "tab\t",
    "\u0000\u001f\u007f",
    "caf\u00c3\u00a9",
    "caf\u00e9",
    "",
    "\u0080\u00ff",
  ];
  const attempts: CallAttempt[] = texts.flatMap((text) => [
    { ...makeAttempt(trunk, { calling: ["from anonymous", "pai +861087654321"] }), callId: text },
    { ...makeAttempt(trunk, { calling: ["from 87654321"], diversion: ["div 95588"] }), requestUri: text },
    { ...makeAttempt(trunk, { calling: [], called: "110" }), callId: text, requestUri: text },
  ]);
  const circuit = { opc: 1, dpc: 2, cic: 3, natureOfAddress: undefined, screening: 3 };
  attempts.push({ ...attempts[0]!, circuit });
  attempts.push({ ...attempts[0]!, origin: { ...attempts[0]!.origin, sourceAddress: "" } });
  attempts.push({ ...attempts[0]!, origin: { ...attempts[0]!.origin, sourceAddress: "2001:db8::1" } });
  const decided: DecisionLine = {
    trunk: "t",
    lessee: "l",
    verdict: "reject",
    reason: "cli-not-listed",
    rule: "caller-authentication",
    shadow: [],
    marks: undefined,
    revision: "9f2c",
  };
  const mark = { verdict: "label", reason: "line-observed" } as const;
  const decisions: readonly (DecisionLine | undefined)[] = [
    undefined,
    decided,
    { ...decided, trunk: undefined, lessee: undefined },
    { ...decided, lessee: '企业"1"' },
    { ...decided, marks: [mark], shadow: [{ rule: "caller-form", ...mark }] },
  ];
  const time = { seconds: 1_791_015_302, nanos: 123_456_789 };
  for (const attempt of attempts) {
    for (const decision of decisions) {
      for (const fault of [undefined, 'a "fault"']) {
        const sighting = { ...time, frame: 12, retransmissionOf: fault === undefined ? undefined : 3, fault };
        const line = describeAttempt(sighting, attempt, decision);
        const wanted = JSON.stringify(line);
        const got = writeAttempt(undefined, sighting, attempt, decision);
        if (got !== wanted) t.equal(got, wanted);
        const named = JSON.stringify({ capture: 'a"b.pcap', ...line });
        if (writeAttempt('a"b.pcap', sighting, attempt, decision) !== named) t.fail(named);
      }
    }
  }
  t.equal(writeMalformed(undefined, 7, 'no "Via"'), '{"frame":7,"malformed":"no \\"Via\\""}');
  t.equal(writeMalformed("x", 7, "w"), '{"capture":"x","frame":7,"malformed":"w"}');
  t.end();
});

// A thread loads the program anew: seconds where other work runs beside the tests.
const slow = { timeout: 180_000 };

void t.test("--jobs changes neither output nor exit code, whatever ends first", slow, async (t) => {
  const broken = join(folder, "no-capture.pcap");
  writeFileSync(broken, "this is no capture");
  const mixed = [...few.slice(0, 1), broken, ...few.slice(1)];
  const missing = [join(folder, "missing.pcap"), ...few.slice(0, 2)];
  const rows: readonly (readonly [
    files: readonly string[],
    options: Parameters<typeof replay>[1],
    code: number,
  ])[] = [
    [mixed, { all: true }, 1],
    [missing, { json: false }, 1],
    [few, { trunk: "lease" }, 0],
  ];
  for (const [files, options, code] of rows) {
    const alone = await replay(files, { ...options, jobs: 1 });
    t.equal(alone.code, code);
    t.strictSame(await replay(files, { ...options, jobs: 2 }), alone, String(files[0]));
  }
});

void t.test("--jobs: a thread waits while its lines wait for an earlier capture", slow, async (t) => {
  const { policy, material } = loadPolicy(readFromDisk, "pcaps/verify/policy.yaml");
  if (policy === undefined || material === undefined)
    throw new Error("the policy of the verify cases has errors");
  const alone = await replay(few, { jobs: 1 });
  const text = { stdout: "", stderr: "" };
  const style = { command: "replay", json: true, several: true, timeZone: undefined } as const;
  const streamTo = (name: "stdout" | "stderr") => ({ write: (more: string) => (text[name] += more) });
  const output = { stdout: streamTo("stdout"), stderr: streamTo("stderr") };
  const replayed = { ...output, parts: partsOf(material), trunk: undefined, ownNames: [], style, all: false };
  t.equal(await replayInThreads(few, 2, replayed, 1), 0);
  t.equal(text.stdout, alone.stdout);
});
