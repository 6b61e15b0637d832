import { spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Worker } from "node:worker_threads";
import t, { type Test } from "tap";
import { type AdminThread, startAdminThread } from "../../src/app/admin/admin-thread.ts";
import { partsOf } from "../support/admin-parts.ts";

/** A thread whose log goes to a file, and the workers that were started for it. */
function startThread(t: Test): {
  readonly thread: AdminThread;
  readonly workers: readonly Worker[];
  readonly lines: () => readonly unknown[];
} {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-admin-"));
  const path = join(folder, "log");
  const workers: Worker[] = [];
  const note = (worker: Worker): unknown => workers.push(worker);
  process.on("worker", note);
  t.teardown(() => {
    process.off("worker", note);
    rmSync(folder, { recursive: true });
  });
  const thread = startAdminThread({ level: "info", fd: openSync(path, "a"), timeZone: undefined });
  const lines = (): readonly unknown[] =>
    readFileSync(path, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line): unknown => JSON.parse(line));
  return { thread, workers, lines };
}

void t.test("admin thread: everything that was said before the end is written, in order", async (t) => {
  const { thread, lines } = startThread(t);
  for (let count = 0; count < 500; count++) thread.log.info(`line ${count}`);
  await thread.close();
  t.same(
    lines().map((line) => (typeof line === "object" && line !== null && "msg" in line ? line.msg : "")),
    Array.from({ length: 500 }, (_, count) => `line ${count}`),
  );
});

void t.test("admin thread: a program that ends by an error has its last lines in the log", (t) => {
  const { stderr, status } = spawnSync(process.execPath, ["out/test/support/ending-by-error.js"], {
    encoding: "utf8",
  });
  t.match(stderr, '"msg":"the last words"');
  t.match(stderr, "Error: nobody catches this");
  t.equal(status, 1);
  t.end();
});

void t.test("admin thread: an address that is taken is refused with the system's code", async (t) => {
  const first = startThread(t);
  const second = startThread(t);
  const admin = await first.thread.open(partsOf());
  const port = Number(admin.address.split(":")[1]);
  await t.rejects(second.thread.open(partsOf({ endpoint: { address: "127.0.0.1", port } })), {
    code: "EADDRINUSE",
  });
  await admin.close();
  await first.thread.close();
  await second.thread.close();
});

void t.test("admin thread: scrapes that come together share one answer", async (t) => {
  const { thread } = startThread(t);
  const admin = await thread.open(partsOf());
  // Requests in one segment are read in one go, however busy the machine is.
  const request = `GET /metrics HTTP/1.1\r\nHost: ${admin.address}\r\n`;
  const socket = connect(Number(admin.address.split(":")[1]), "127.0.0.1");
  socket.write(`${`${request}\r\n`.repeat(19)}${request}Connection: close\r\n\r\n`);
  const answers = await text(socket);
  // Each rendering has a processor time of its own.
  const times = [...answers.matchAll(/^process_cpu_seconds_total .*$/gmu)].map(([line]) => line);
  t.equal(times.length, 20);
  t.equal(new Set(times).size, 1);
  const later = await (await fetch(`http://${admin.address}/metrics`)).text();
  t.notOk(later.includes(`${times[0]}\n`), "a later one has an answer of its own");
  await admin.close();
  await thread.close();
});

void t.test(
  "admin thread: one that ends by itself is started anew at the same address, and is a fault",
  async (t) => {
    const faults: unknown[] = [];
    const { thread, workers, lines } = startThread(t);
    const admin = await thread.open(partsOf({ fault: (error) => faults.push(error) }));
    const url = `http://${admin.address}`;
    t.equal((await fetch(`${url}/healthz`)).status, 200);
    await workers[0]?.terminate();
    thread.log.info("said while there is no thread");
    // The next one is heard of by its first message: the address is open again.
    await new Promise((resolve) =>
      process.once("worker", (worker: Worker) => worker.once("message", resolve)),
    );
    t.match(await (await fetch(`${url}/metrics`)).text(), 'sigwall_policy_info{revision="one"} 1\n');
    t.equal((await fetch(`${url}/readyz`)).status, 200);
    t.equal(workers.length, 2);
    t.match(faults, [/the admin thread ended with code 1/]);
    t.equal(faults.length, 1);
    await admin.close();
    await thread.close();
    t.match(lines(), [{ msg: "said while there is no thread" }, { msg: "the admin address is open again" }]);
  },
);

void t.test("admin thread: readiness is told at once, a reload that fails by a fault is 500", async (t) => {
  let isReady = true;
  const faults: unknown[] = [];
  const { thread, lines } = startThread(t);
  const admin = await thread.open(
    partsOf({
      isReady: () => isReady,
      reload: () => Promise.reject(new Error("unforeseen")),
      fault: (error) => faults.push(error),
    }),
  );
  const url = `http://${admin.address}`;
  isReady = false;
  admin.noteReadiness();
  t.equal((await fetch(`${url}/readyz`)).status, 503);
  isReady = true;
  thread.log.info("ready again");
  while (lines().length === 0) await fetch(`${url}/healthz`);
  t.equal((await fetch(`${url}/readyz`)).status, 200, "no older than what the log says");
  t.equal((await fetch(`${url}/reload`, { method: "POST" })).status, 500);
  t.match(faults, [/unforeseen/]);
  await admin.close();
  await thread.close();
});
