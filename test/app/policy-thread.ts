import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import t from "tap";
import { ReadingFailure } from "../../src/app/policy-reading.ts";
import { createPolicyThread } from "../../src/app/policy-thread.ts";
import { type HeldList, packHeld } from "../../src/app/lists/held-lists.ts";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { createListReader } from "../../src/config/lists/number-list.ts";
import { basicPolicy, compileText } from "../support/proxy.ts";

const request = { configPath: "no-such-file.yaml", fingerprint: "", tables: compileText(basicPolicy).tables };

void t.test(
  "a reading that begins while the idle thread is given back gets a thread of its own",
  async (t) => {
    const thread = createPolicyThread({ idle: 1 });
    await thread.read(request);
    // Nothing but the turn of the loop in which the thread was told to end.
    for (let tries = 0; tries < 5; tries++) {
      await pause(2 + tries);
      const { parcel, issues } = await thread.read(request);
      t.equal(parcel, undefined);
      t.equal(issues.length, 1, "the file is missing, not the thread");
    }
  },
);

void t.test(
  "a thread reads a few configurations and gives way to a new one, and no reading is lost",
  async (t) => {
    const started: Worker[] = [];
    const note = (worker: Worker): unknown => started.push(worker);
    process.on("worker", note);
    t.teardown(() => process.off("worker", note));
    const thread = createPolicyThread();
    for (let count = 0; count < 40; count++) t.equal((await thread.read(request)).issues.length, 1);
    t.equal(started.length, 3);
    for (const old of started.slice(0, -1))
      if (old.threadId >= 0) await new Promise((ended) => old.once("exit", ended));
    t.same(
      started.slice(0, -1).map(({ threadId }) => threadId),
      [-1, -1],
      "those before are gone",
    );
    await started.at(-1)?.terminate();
  },
);

void t.test(
  "a reading that does not end is given up, with the file that it hangs in, and the next one works",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sigwall-hang-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const config = join(folder, "sigwall.yaml");
    writeFileSync(config, "listen: [udp:127.0.0.1:0]\npolicy: policy.yaml\n");
    // A thread of which every file takes longer than it may.
    const thread = createPolicyThread({ file: 0 });
    for (let count = 0; count < 5; count++) {
      const error: unknown = await thread
        .read({ ...request, configPath: config })
        .catch((cause: unknown) => cause);
      t.ok(error instanceof ReadingFailure);
      if (error instanceof ReadingFailure) {
        t.match(error.issue, { severity: "error", file: config });
        t.match(
          error.issue.message,
          /^could not be read within 0 s; the reload was given up|readings hang here/,
        );
      }
    }
    const patient = createPolicyThread();
    const { issues } = await patient.read({ ...request, configPath: config });
    t.match(issues, [{ message: /changed since the start/ }]);
    patient.close();
    thread.close();
  },
);

void t.test("a thread that settles lists is not idle: the order comes to its end", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-settle-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const thread = createPolicyThread({ idle: 1 });
  const read = createListReader(createCalendar("UTC"), "86");
  const { list, issues } = read("own.csv", Buffer.from("number\n95588\n"));
  if (list === undefined) throw new Error("the test's own list is wrong");
  const lists = Array.from({ length: 500 }, (_, index): HeldList => {
    const file = join(folder, `${index}.csv`);
    return { file, setting: "", stamp: "1 2 3 4", state: "read", issues, list };
  });
  const place = { folder: join(folder, "lists"), key: Buffer.alloc(32), maker: "1" };
  const [settlement] = await Promise.all([
    thread.settle({ held: packHeld(lists), place }),
    // The end of a reading begins the idle time too.
    thread.read(request),
  ]);
  t.equal(settlement?.held.memories.length, 500);
  t.equal(readdirSync(place.folder).length, 500);
  thread.close();
});

void t.test(
  "lists are settled between readings, and a later order takes the place of one before",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sigwall-settle-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const thread = createPolicyThread();
    t.teardown(thread.close);
    const order = { held: packHeld([]), place: { folder, key: Buffer.alloc(32), maker: "1" } };
    const [first, second, read] = await Promise.all([
      thread.settle(order),
      thread.settle(order),
      thread.read(request),
    ]);
    t.equal(first, undefined, "the first order");
    t.same(second?.differing, []);
    t.equal(read.issues.length, 1);
    const last = thread.settle(order);
    thread.close();
    t.equal(await last, undefined, "the end of the thread ends the order");
  },
);
