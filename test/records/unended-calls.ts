// Calls without an end: over restarts, each gets exactly one, and none that has one already.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { createOpenCalls } from "../../src/app/records/open-calls.ts";
import { createUnendedCalls, readOpenText } from "../../src/records/lines/unended-calls.ts";

const START = Date.UTC(2026, 10, 30, 12, 5);
const HOUR = 3_600_000;
const trunks = [{ id: "t", lessee: "acme", longestCall: 2 * HOUR, evidence: undefined }];

const begun = (count: number, at = START, more = {}): object => ({
  record: "decided",
  id: `a-k0-${count}`,
  trunk: "t",
  time: new Date(at).toISOString(),
  action: "forwarded",
  ...more,
});
const ended = (count: number): object => ({
  record: "ended",
  id: `a-k0-${count}`,
  time: new Date(START).toISOString(),
});
const text = (...lines: readonly object[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

void t.test("unended: begun by forwarded calls of the node, ended once", (t) => {
  const calls = createUnendedCalls("a");
  const take = (line: object): void => calls.take({ ...line });
  for (const line of [
    begun(1),
    begun(2),
    begun(2),
    begun(3, START, { action: "answered" }),
    begun(4, START, { id: "b-k0-4" }),
  ])
    take(line);
  t.equal(calls.count(), 2);
  take(ended(2));
  take(ended(2));
  take(ended(9));
  t.equal(calls.count(), 1);
  const kept = readOpenText(calls.write(START), "a");
  t.same(kept, { at: START, calls: [{ id: "a-k0-1", trunk: "t", at: START }] });
  t.same(
    calls.takeOver(() => true).map(({ id }) => id),
    ["a-k0-1"],
  );
  t.equal(calls.count(), 0);
  for (const bad of ["", "x", "sigwall-open 2 1\n"]) t.equal(readOpenText(bad, "a"), undefined);
  t.same(readOpenText("sigwall-open 1 5\nnonsense\nk0-1\n", "a"), { at: 5, calls: [] });
  t.end();
});

/** Reads everything, then asks for lost calls at `now`. */
function lostAt(folder: string, now: number): readonly string[] {
  const open = createOpenCalls(folder, "a");
  open.know(trunks);
  open.load();
  while (open.isLoading()) open.work(now, now);
  return open.work(now, now).map(({ id }) => id);
}

void t.test("lost: a call of a process before, an hour after maxCallHours", (t) => {
  const made = (): string => {
    const folder = t.testdir();
    rmSync(folder, { recursive: true });
    mkdirSync(join(folder, "2026-11-30"), { recursive: true });
    const torn = `${text(begun(1), begun(2), begun(3), ended(2))}{"torn`;
    writeFileSync(join(folder, "2026-11-30/12-a.ndjson"), torn);
    writeFileSync(join(folder, "2026-11-30/13-a.ndjson"), text(ended(3), begun(4, START + HOUR)));
    return folder;
  };
  t.same(lostAt(made(), START + 3 * HOUR), [], "not yet");
  t.same(lostAt(made(), START + 9 * HOUR), ["a-k0-1", "a-k0-4"]);
  const folder = made();
  t.same(lostAt(folder, START + 3 * HOUR + 1), ["a-k0-1"]);
  writeFileSync(join(folder, "2026-11-30/15-a.ndjson"), text(ended(1)));
  t.same(lostAt(folder, START + 9 * HOUR), ["a-k0-4"], "the next process finds the line of its end");
  t.end();
});

void t.test("lost: what was kept stands for hours that are sealed by now", (t) => {
  const folder = t.testdir();
  const calls = createUnendedCalls("a", [
    { id: "a-k0-1", trunk: "t", at: START },
    { id: "a-k0-2", trunk: "gone", at: START },
  ]);
  writeFileSync(join(folder, "a.open"), calls.write(START + HOUR));
  t.same(lostAt(folder, START + 4 * HOUR), ["a-k0-1"]);
  t.same(lostAt(folder, START + 14 * HOUR), ["a-k0-1", "a-k0-2"], "a trunk that is gone has the default");
  t.end();
});

/** Reads until everything was read, then gives the lost calls. */
function lostOf(open: ReturnType<typeof createOpenCalls>, now: number): readonly string[] {
  const lost = [...open.work(now, now)];
  while (open.isLoading()) lost.push(...open.work(now, now));
  return [...lost, ...open.work(now, now)].map(({ id }) => id);
}

const dayOf = (t: Test): string => {
  const folder = t.testdir();
  mkdirSync(join(folder, "2026-11-30"), { recursive: true });
  return folder;
};

void t.test("not lost: another node has written the end into the same folder", (t) => {
  const folder = dayOf(t);
  writeFileSync(join(folder, "2026-11-30/12-a.ndjson"), text(begun(1), begun(2), begun(3), begun(4)));
  const theirs = [
    { ...ended(1), node: "b" },
    // Near misses: another node's call, another kind of line, a Call-ID that looks like an id.
    { ...ended(9), id: "aa-k0-2", node: "b" },
    { ...ended(2), record: "moved", node: "b" },
    { ...ended(9), id: "b-k0-9", callId: '"id":"a-k0-3"', node: "b" },
  ];
  const torn = '{"record":"ended","id":"a-k0-4","time":';
  writeFileSync(join(folder, "2026-11-30/13-b.ndjson"), `not JSON "id":"a-k0-3"\n${text(...theirs)}${torn}`);
  const open = createOpenCalls(folder, "a");
  open.know(trunks);
  open.load();
  t.same(lostOf(open, START + HOUR), [], "not yet");
  // The other node goes on.
  appendFileSync(join(folder, "2026-11-30/13-b.ndjson"), `"2026-11-30T13:59:59.000Z","node":"b"}\n`);
  t.same(lostOf(open, START + 3 * HOUR + 1), ["a-k0-2", "a-k0-3"]);
  t.end();
});

void t.test("not lost: another node has told this one that the call has ended there", (t) => {
  const folder = dayOf(t);
  writeFileSync(join(folder, "2026-11-30/12-a.ndjson"), text(begun(1), begun(2)));
  const open = createOpenCalls(folder, "a");
  open.know(trunks);
  open.load();
  t.same(lostOf(open, START + HOUR), []);
  open.endedElsewhere("a-k0-1");
  open.endedElsewhere("b-k0-2");
  t.same(lostOf(open, START + 3 * HOUR + 1), ["a-k0-2"]);
  t.end();
});

void t.test("lost: the records of the other node are in another folder", (t) => {
  const folder = dayOf(t);
  writeFileSync(join(folder, "2026-11-30/12-a.ndjson"), text(begun(1)));
  t.same(lostAt(folder, START + 3 * HOUR + 1), ["a-k0-1"]);
  t.end();
});

void t.test("not lost: a line longer than what is read at once is passed over", (t) => {
  const folder = dayOf(t);
  writeFileSync(join(folder, "2026-11-30/12-a.ndjson"), text(begun(1), begun(2)));
  const long = JSON.stringify({ ...ended(2), callId: "x".repeat(3 * 2 ** 20) });
  writeFileSync(join(folder, "2026-11-30/13-b.ndjson"), `${long}\n${text(ended(1))}`);
  const open = createOpenCalls(folder, "a");
  open.know(trunks);
  open.load();
  t.same(lostOf(open, START + 3 * HOUR + 1), ["a-k0-2"]);
  t.end();
});
