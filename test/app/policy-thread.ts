import { setTimeout as pause } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import t from "tap";
import { createPolicyThread } from "../../src/app/policy-thread.ts";
import { basicPolicy, compileText } from "../support/proxy.ts";

const request = { configPath: "no-such-file.yaml", fingerprint: "", tables: compileText(basicPolicy).tables };

void t.test(
  "a reading that begins while the idle thread is given back gets a thread of its own",
  async (t) => {
    const thread = createPolicyThread(1);
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
