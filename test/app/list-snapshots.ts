// Snapshots of lists: what is trusted, what is ignored, what is found out afterwards, and what is removed.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type HeldLists, openHeld } from "../../src/app/lists/held-lists.ts";
import { createListKeeper } from "../../src/app/lists/list-keeper.ts";
import { createListMemory } from "../../src/app/lists/list-memory.ts";
import { snapshotKey, type SnapshotPlace } from "../../src/app/lists/list-snapshot.ts";
import { type Settlement, settleLists } from "../../src/app/lists/list-settling.ts";
import { readFromDisk } from "../../src/app/read-file.ts";
import { stampOnDisk } from "../../src/app/tracked-files.ts";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { createListReader } from "../../src/config/lists/number-list.ts";

const setting = "Asia/Shanghai 86";
const readList = createListReader(createCalendar("Asia/Shanghai"), "86");
const csv = "number,valid_to,remark\n+861087654321,2099-12-31,x\n95588,,y\n+8610876543*,,wide\n";

/** When lists were written. Seconds. */
const WRITTEN = 1_790_000_000;

interface Workplace {
  readonly place: SnapshotPlace;
  readonly list: string;
  /** The only snapshot. */
  readonly snapshot: () => string;
  /** Writes the list, and keeps its size, inode and time of change. */
  readonly writeUnseen: (text: string) => void;
}

function openWorkplace(t: Test, text = csv): Workplace {
  const base = mkdtempSync(join(tmpdir(), "sigwall-snapshots-"));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  const list = join(base, "own.csv");
  writeFileSync(list, text);
  // A whole second: a test can set no finer time.
  utimesSync(list, WRITTEN, WRITTEN);
  const folder = join(base, "lists");
  const place = { folder, key: snapshotKey(Buffer.from("the key of the filter")), maker: "1.2.3" };
  return {
    place,
    list,
    snapshot: () => join(folder, readdirSync(folder)[0] ?? "none"),
    writeUnseen(changed) {
      const { size } = statSync(list);
      if (Buffer.byteLength(changed) !== size) throw new Error("the test's own text has another size");
      writeFileSync(list, changed);
      utimesSync(list, WRITTEN, WRITTEN);
    },
  };
}

/** Reads lists as a start or a reload does. `opened`: the files that were opened. */
function readLists(
  files: readonly string[],
  place?: SnapshotPlace,
  held?: HeldLists,
  under = setting,
): { readonly held: HeldLists; readonly opened: readonly string[] } {
  const memory = createListMemory({ held, place, stamp: stampOnDisk });
  const opened = files.filter((file) => {
    if (memory.recall(file, under) !== undefined) return false;
    const content = readFromDisk(file);
    if ("error" in content) throw new Error(content.error);
    memory.keep(file, under, readList(file, content.bytes));
    return true;
  });
  return { held: memory.held(), opened };
}

function settle(held: HeldLists, place: SnapshotPlace): Settlement {
  const steps = settleLists({ held, place }, stampOnDisk);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Everything that a list says, without the block of memory. */
function sayList(held: HeldLists): unknown {
  return openHeld(held).map(({ list: { numbers, ...list }, file, issues }) => ({
    file,
    issues,
    ...list,
    octets: Buffer.from(numbers.memory).toString("hex"),
  }));
}

void t.test("a snapshot keeps scores and industries", (t) => {
  for (const [asked, text, marks] of [
    [{ name: "score", holds: "score" }, "number,score\n+861087654321,0.75\n95588..95590,1\n", [7500, 10_000]],
    [{ name: "industry", holds: "industry" }, "number,industry\n+861087654321,finance\n95588,\n", [0, 1]],
  ] as const) {
    const { place, list } = openWorkplace(t, text);
    const memory = createListMemory({ place, stamp: stampOnDisk });
    t.equal(memory.recall(list, setting), undefined);
    memory.keep(list, setting, readList(list, readFileSync(list), asked));
    settle(memory.held(), place);
    const next = readLists([list], place);
    t.same(next.opened, [], "the file is not read");
    t.same(sayList(next.held), sayList(memory.held()));
    const [held] = openHeld(next.held);
    t.same(
      [0, 1].map((row) => held?.list.numbers.mark(row)),
      marks,
    );
  }
  t.end();
});

void t.test("the next start takes the list from its snapshot, with counts, warnings and hashes", (t) => {
  const { place, list, snapshot } = openWorkplace(t);
  const first = readLists([list], place);
  t.same(first.opened, [list]);
  const settled = settle(first.held, place);
  t.same(settled.differing, []);
  t.equal(settled.failure, undefined);
  t.equal(statSync(snapshot()).mode & 0o777, 0o600);
  t.equal(statSync(place.folder).mode & 0o777, 0o700);
  t.notMatch(readFileSync(snapshot(), "latin1"), /the key of the filter/);

  const second = readLists([list], place);
  t.same(second.opened, [], "the file was not opened");
  t.same(sayList(second.held), sayList(first.held));
  t.equal(openHeld(second.held)[0]?.issues.length, 1, "the warning about a column is told again");
  const before = statSync(snapshot()).mtimeMs;
  t.same(settle(second.held, place).differing, []);
  t.equal(statSync(snapshot()).mtimeMs, before, "a snapshot that is right is not written again");
  t.end();
});

void t.test("nothing that is not ours, whole and of this file is trusted", (t) => {
  const { place, list, snapshot } = openWorkplace(t);
  settle(readLists([list], place).held, place);
  const path = snapshot();
  const whole = readFileSync(path);
  const isTaken = (with_ = place, under = setting): boolean =>
    readLists([list], with_, undefined, under).opened.length === 0;
  t.equal(isTaken(), true);

  const wrong: string[] = [];
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at & 7));
    writeFileSync(path, changed);
    if (isTaken()) wrong.push(`octet ${at} changed`);
  }
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    if (isTaken()) wrong.push(`cut after ${length}`);
  }
  for (const [name, bytes] of [
    ["one octet more", Buffer.concat([whole, Buffer.alloc(1)])],
    ["two snapshots", Buffer.concat([whole, whole])],
    ["zeros", Buffer.alloc(whole.length)],
    ["lengths beyond the file", Buffer.concat([whole.subarray(0, 8), Buffer.alloc(4096, 0x7f)])],
  ] as const) {
    writeFileSync(path, bytes);
    if (isTaken()) wrong.push(name);
  }
  t.same(wrong, []);

  writeFileSync(path, whole);
  t.equal(isTaken(), true, "the snapshot itself");
  t.equal(isTaken({ ...place, key: snapshotKey(Buffer.from("another key")) }), false, "another key");
  t.equal(isTaken({ ...place, key: Buffer.from("the key of the filter") }), false, "the filter's key itself");
  t.equal(isTaken({ ...place, maker: "1.2.4" }), false, "another version of the program");
  t.equal(isTaken(place, "UTC 86"), false, "another time zone");
  t.equal(isTaken(place, "Asia/Shanghai 44"), false, "another home country");

  const other = join(list, "../other.csv");
  writeFileSync(other, csv);
  settle(readLists([list, other], place).held, place);
  const [one = "", two = ""] = readdirSync(place.folder);
  renameSync(join(place.folder, one), join(place.folder, two));
  t.equal(readLists([list, other], place).opened.length, 2, "under the name of another list");
  rmSync(join(place.folder, two));
  mkdirSync(path);
  t.equal(isTaken(), false, "a folder in its place");
  rmSync(path, { recursive: true });
  execFileSync("mkfifo", [path]);
  t.equal(isTaken(), false, "a pipe in its place, which is not waited for");
  t.end();
});

void t.test("a torn snapshot is ignored and written again", (t) => {
  const { place, list, snapshot } = openWorkplace(t);
  settle(readLists([list], place).held, place);
  truncateSync(snapshot(), 100);
  const read = readLists([list], place);
  t.same(read.opened, [list]);
  settle(read.held, place);
  t.same(readLists([list], place).opened, []);
  t.end();
});

void t.test("a list that looks changed is read: another size, time or inode", (t) => {
  const { place, list } = openWorkplace(t);
  const changes: readonly (readonly [string, () => void])[] = [
    ["size", () => writeFileSync(list, `${csv}95599\n`)],
    ["time", () => utimesSync(list, WRITTEN + 1, WRITTEN + 1)],
    [
      "inode",
      () => {
        const { mtimeMs } = statSync(list);
        writeFileSync(`${list}.new`, readFileSync(list));
        utimesSync(`${list}.new`, mtimeMs / 1000, mtimeMs / 1000);
        renameSync(`${list}.new`, list);
      },
    ],
  ];
  for (const [what, change] of changes) {
    settle(readLists([list], place).held, place);
    t.same(readLists([list], place).opened, [], `${what}: before`);
    change();
    t.same(readLists([list], place).opened, [list], what);
  }
  t.end();
});

void t.test("a list that was changed unseen is found out afterwards, and is read", (t) => {
  const { place, list, writeUnseen } = openWorkplace(t);
  settle(readLists([list], place).held, place);
  writeUnseen(csv.replace("95588", "95599"));
  const start = readLists([list], place);
  t.same(start.opened, [], "the start takes the snapshot");
  const settled = settle(start.held, place);
  t.same(settled.differing, [list]);
  t.same(readdirSync(place.folder), [], "its snapshot is gone");
  t.same(openHeld(settled.held), [], "and it is no longer held");
  t.same(readLists([list], place, settled.held).opened, [list], "so the reload reads it");
  t.end();
});

void t.test("a reload reads what has changed, and shares the memory of the rest", (t) => {
  const { place, list } = openWorkplace(t);
  const other = join(list, "../other.csv");
  writeFileSync(other, "number\n95599\n");
  const first = readLists([list, other], place);
  writeFileSync(other, "number\n95599\n95588\n");
  const second = readLists([list, other], undefined, first.held);
  t.same(second.opened, [other]);
  t.equal(second.held.memories[0], first.held.memories[0]);
  t.not(second.held.memories[1], first.held.memories[1]);
  t.same(readLists([list], undefined, first.held, "UTC 86").opened, [list], "another time zone");
  // In this process the time of the last change of the inode counts too.
  chmodSync(list, 0o640);
  t.same(readLists([list, other], undefined, second.held).opened, [list], "another mode");
  t.end();
});

void t.test("snapshots of lists that no policy names are removed, and parts of snapshots", (t) => {
  const { place, list } = openWorkplace(t);
  const other = join(list, "../other.csv");
  writeFileSync(other, "number\n95599\n");
  settle(readLists([list, other], place).held, place);
  t.equal(readdirSync(place.folder).length, 2);
  writeFileSync(join(place.folder, `${"0".repeat(32)}.list.new`), "a part");
  writeFileSync(join(place.folder, "README"), "not ours");
  settle(readLists([list], place).held, place);
  t.equal(readdirSync(place.folder).length, 2, "one snapshot, and what is not ours");
  t.ok(readdirSync(place.folder).includes("README"));
  t.same(readLists([list], place).opened, []);
  t.end();
});

void t.test("a folder that can't be written is told, and the list stays in force", (t) => {
  const { place, list } = openWorkplace(t);
  writeFileSync(place.folder, "no folder");
  const { held } = readLists([list], place);
  const settled = settle(held, place);
  t.match(settled.failure, /EEXIST|ENOTDIR/);
  t.equal(openHeld(settled.held).length, 1);
  t.end();
});

void t.test("keeper: a difference is an error in the log, a count and a reload", async (t) => {
  const { place, list, writeUnseen } = openWorkplace(t);
  settle(readLists([list], place).held, place);
  writeUnseen(csv.replace("95588", "95599"));
  const { held } = readLists([list], place);
  const errors: string[] = [];
  const reloads: string[] = [];
  const log = {
    error: (message: string) => void errors.push(message),
    warn: () => void t.fail("no warning"),
  };
  const keeper = createListKeeper({
    held,
    place,
    settle: async (order) => settle(order.held, order.place),
    reload: (cause) => void reloads.push(cause),
    log,
  });
  t.equal(keeper.differing(), 0);
  keeper.begin();
  await new Promise(setImmediate);
  t.equal(keeper.differing(), 1);
  t.same(reloads, ["list snapshot"]);
  t.match(errors, [/own\.csv was changed, and its size, time and inode say that it was not/]);
  t.same(readLists([list], place, keeper.held()).opened, [list]);

  const taken = readLists([list], place);
  keeper.take(taken.held);
  t.equal(keeper.held(), taken.held);
  await new Promise(setImmediate);
  t.equal(openHeld(keeper.held())[0]?.state, "settled");
  t.equal(keeper.differing(), 1);
});
