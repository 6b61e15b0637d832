import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import t, { type Test } from "tap";
import { type CallSnapshots, createCallSnapshots } from "../../src/app/call-snapshots.ts";
import { readSnapshot } from "../../src/calls/call-snapshot.ts";
import { createLog } from "../../src/observe/log.ts";
import { makeCalls } from "../support/calls.ts";

const START = 1_790_000_000_000;

interface Place {
  readonly folder: string;
  readonly path: string;
  readonly said: string[];
  readonly begin: (every?: number) => CallSnapshots;
  /** Resolves with the next message of a writing thread of this kind. */
  readonly heard: (kind: string) => Promise<unknown>;
  readonly workers: readonly Worker[];
  /** Ids of trunks in the snapshot, one a call. */
  readonly trunks: () => readonly string[];
}

function open(t: Test): Place {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-snapshots-"));
  const path = join(folder, "calls.snapshot");
  const said: string[] = [];
  const workers: Worker[] = [];
  const waiting = new Map<string, (message: unknown) => void>();
  const note = (worker: Worker): void => {
    workers.push(worker);
    worker.on("message", (message: { readonly kind: string }) => {
      const hear = waiting.get(message.kind);
      waiting.delete(message.kind);
      hear?.(message);
    });
  };
  process.on("worker", note);
  // Neither the threads nor their restart keep a process alive.
  const alive = setInterval(() => undefined, 1000);
  const opened: CallSnapshots[] = [];
  t.teardown(async () => {
    for (const snapshots of opened) await snapshots.close();
    process.off("worker", note);
    clearInterval(alive);
    rmSync(folder, { recursive: true });
  });
  const log = createLog(
    "info",
    () => START,
    (entry) => {
      if (entry.kind === "message")
        said.push(`${entry.level} ${entry.message} ${Object.values(entry.fields).join(" ")}`.trimEnd());
    },
  );
  return {
    folder,
    path,
    said,
    workers,
    begin(every = 20) {
      const snapshots = createCallSnapshots(folder, log, every);
      opened.push(snapshots);
      return snapshots;
    },
    heard: (kind) => new Promise((resolve) => waiting.set(kind, resolve)),
    trunks() {
      const found: string[] = [];
      const outcome = readSnapshot(readFileSync(path), ({ trunk }) => found.push(trunk));
      if (outcome !== 0) throw new Error(`not a whole snapshot: ${outcome}`);
      return found.toSorted();
    },
  };
}

function forward({ calls }: ReturnType<typeof makeCalls>, key: string, trunk: string): number {
  const slot = calls.begin(key, trunk, START);
  calls.forwarded(slot, START);
  return slot;
}

void t.test("snapshots: written when something has changed, also on trunks that are new", async (t) => {
  const place = open(t);
  const memory = makeCalls({});
  forward(memory, "a", "lease");
  const snapshots = place.begin();
  snapshots.remember(memory.calls);
  t.match(await place.heard("kept"), { isNew: true });
  t.same(place.trunks(), ["lease"]);
  t.equal(statSync(place.path).mode & 0o777, 0o600);
  t.match(await place.heard("kept"), { isNew: false }, "nothing has changed");
  const { mtimeNs } = statSync(place.path, { bigint: true });
  t.match(await place.heard("kept"), { isNew: false });
  t.equal(statSync(place.path, { bigint: true }).mtimeNs, mtimeNs, "so nothing is written");

  forward(memory, "b", "core");
  await place.heard("names");
  t.match(await place.heard("kept"), { isNew: true });
  t.same(place.trunks(), ["core", "lease"]);
  t.match(snapshots.figures(), { isOk: true, written: 2, failed: 0 });
  t.same(place.said, [], "there was nothing to restore, and nothing to say");
});

void t.test(
  "snapshots: a last one at the end, whatever the interval; the next process has its calls",
  async (t) => {
    const place = open(t);
    const memory = makeCalls({});
    const snapshots = place.begin(3_600_000);
    snapshots.remember(memory.calls);
    memory.calls.answered(forward(memory, "a", "lease"), "x", 0, START);
    forward(memory, "b", "core");
    await snapshots.close();
    t.same(place.trunks(), ["core", "lease"]);
    t.equal(place.workers[0]?.threadId, -1, "and the thread is gone");

    const next = makeCalls({ epoch: 37 });
    place.begin(3_600_000).remember(next.calls);
    t.same(next.calls.standing().get("lease"), { setup: 0, answered: 1 });
    t.same(next.calls.standing().get("core"), { setup: 1, answered: 0 });
    t.same(place.said, ["info restored 2 calls"]);
  },
);

void t.test("snapshots: calls that find no room are told of", async (t) => {
  const place = open(t);
  const memory = makeCalls({});
  const snapshots = place.begin(3_600_000);
  snapshots.remember(memory.calls);
  for (let count = 0; count < 20; count++) forward(memory, `key ${count}`, "lease");
  await snapshots.close();
  const next = makeCalls({ epoch: 37, capacity: 16 });
  place.begin(3_600_000).remember(next.calls);
  t.match(place.said, [
    "info restored 16 calls",
    /^warn 4 calls of the last snapshot were left out: the table is full/,
  ]);
});

void t.test("snapshots: what can't be read is kept aside, once, and told of in words", async (t) => {
  const place = open(t);
  const memory = makeCalls({});
  const first = place.begin(3_600_000);
  first.remember(memory.calls);
  forward(memory, "a", "lease");
  await first.close();
  const sound = readFileSync(place.path);
  const aside = `${place.path}.bad`;
  const version = Buffer.from(sound);
  version.writeUInt16LE(99, 4);
  const rows: readonly (readonly [name: string, bytes: Buffer, why: string])[] = [
    ["cut", sound.subarray(0, -1), "it was cut or changed after it was written"],
    ["empty", Buffer.alloc(0), "it is no snapshot of calls"],
    ["another release's", version, "another release of the filter wrote it"],
  ];
  for (const [name, bytes, why] of rows) {
    place.said.length = 0;
    rmSync(aside, { force: true });
    writeFileSync(place.path, bytes);
    const next = place.begin(3_600_000);
    next.remember(makeCalls({ epoch: 37 }).calls);
    t.same(
      place.said,
      [`error the calls before the restart are forgotten: ${place.path} can't be read ${why} ${aside}`],
      name,
    );
    t.same(readFileSync(aside), bytes, `${name}: nothing is lost of it`);
    await next.close();
    t.same(place.trunks(), [], `${name}: snapshots go on`);
  }
  const kept = readFileSync(aside);
  writeFileSync(place.path, "again");
  const last = place.begin(3_600_000);
  last.remember(makeCalls({ epoch: 37 }).calls);
  t.same(readFileSync(aside), kept, "a second one does not take the place of the first");
  await last.close();
});

void t.test("snapshots: a file that can't be written is counted, said once, and tried again", async (t) => {
  const place = open(t);
  // A folder where the temporary file goes: nobody can write it, root neither.
  mkdirSync(`${place.path}.new`);
  const memory = makeCalls({});
  const snapshots = place.begin();
  forward(memory, "a", "lease");
  snapshots.remember(memory.calls);
  for (let count = 0; count < 3; count++) await place.heard("failed");
  t.match(snapshots.figures(), { isOk: false, written: 0 });
  t.ok(snapshots.figures().failed >= 3, "every try is counted");
  rmSync(`${place.path}.new`, { recursive: true });
  t.match(await place.heard("kept"), { isNew: true });
  t.same(place.trunks(), ["lease"]);
  t.match(snapshots.figures(), { isOk: true, written: 1 });
  t.match(place.said, [
    /^error the calls in progress can't be kept in .*: a restart now would forget them; the filter tries again, look at the disk it is a folder$/,
    /^info the calls in progress are kept in .* again$/,
  ]);
  t.equal(place.said.length, 2);
});

void t.test("snapshots: a thread that dies is counted and started again", async (t) => {
  const place = open(t);
  const memory = makeCalls({});
  const snapshots = place.begin();
  forward(memory, "a", "lease");
  snapshots.remember(memory.calls);
  await place.heard("kept");
  await place.workers[0]?.terminate();
  t.match(snapshots.figures(), { isOk: false, failed: 1 });
  forward(memory, "b", "core");
  await place.heard("kept");
  t.same(place.trunks(), ["core", "lease"]);
  t.equal(place.workers.length, 2);
  t.match(snapshots.figures(), { isOk: true, written: 2, failed: 1 });
  t.ok(existsSync(place.path));
  t.match(place.said, [/the thread that writes it ended with code 1/, /again$/]);
});
