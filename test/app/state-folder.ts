import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { writeDurably } from "../../src/app/durable-file.ts";
import { openStateFolder } from "../../src/app/state-folder.ts";

const now = 1_790_000_000_500;
const seconds = 1_790_000_000;

function place(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-state-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

void t.test("state folder: made with its parents, for its owner only", async (t) => {
  const path = join(place(t), "a/state");
  const folder = openStateFolder(path, now);
  t.match(folder, { path, why: undefined, epoch: seconds });
  t.equal(statSync(path).mode & 0o777, 0o700);
  for (const name of ["epoch", "lock"]) t.equal(statSync(join(path, name)).mode & 0o777, 0o600, name);
  t.equal(readFileSync(join(path, "epoch"), "latin1"), `${seconds}\n`);
  t.equal(readFileSync(join(path, "lock"), "latin1"), `${process.pid}\n`);
  folder.close();
});

void t.test("epoch: now, and above every one before", async (t) => {
  const path = join(place(t), "state");
  const start = (at: number): number => {
    const { epoch, why, close } = openStateFolder(path, at);
    t.equal(why, undefined);
    close();
    return epoch;
  };
  t.equal(start(now), seconds);
  t.equal(start(now), seconds + 1, "two starts in one second");
  t.equal(start(now - 3_600_000), seconds + 2, "a clock that was set back");
  t.equal(start(now + 60_000), seconds + 60, "time goes on");
  const rows: readonly (readonly [text: string, epoch: number])[] = [
    ["", seconds],
    ["soon\n", seconds],
    ["-5\n", seconds],
    ["1e99\n", seconds],
    [`${seconds - 1}\n`, seconds],
    [`${2 ** 32 - 2}\n`, 2 ** 32 - 1],
    [`${2 ** 32 - 1}\n`, seconds],
  ];
  for (const [text, epoch] of rows) {
    writeFileSync(join(path, "epoch"), text);
    t.equal(start(now), epoch, JSON.stringify(text));
    t.equal(readFileSync(join(path, "epoch"), "latin1"), `${epoch}\n`, "and it is noted");
  }
});

void t.test("one process a folder: the second one runs without", async (t) => {
  const path = join(place(t), "state");
  const first = openStateFolder(path, now);
  const second = openStateFolder(path, now);
  t.match(second, { why: `process ${process.pid} uses it`, epoch: seconds + 1 }, "and gives no id twice");
  second.close();
  t.match(openStateFolder(path, now).why, "uses it", "the second one's end gives nothing free");
  first.close();
  const third = openStateFolder(path, now);
  t.equal(third.why, undefined, "the end of the first one does");
  third.close();
});

/** Holds the folder in a process of its own until it is killed. */
const holding = `
  const { openStateFolder } = await import(process.argv[1]);
  const { why } = openStateFolder(process.argv[2], ${now});
  process.stdout.write(why ?? "ours");
  setInterval(() => undefined, 1000);
`;

void t.test("a process that was killed holds nothing", async (t) => {
  const path = join(place(t), "state");
  const module = join(process.cwd(), "out/src/app/state-folder.js");
  const child = spawn(process.execPath, ["--input-type=module", "-e", holding, module, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const [said] = await once(child.stdout, "data");
  t.equal(String(said), "ours");
  t.match(openStateFolder(path, now), { why: `process ${child.pid} uses it` });
  child.kill("SIGKILL");
  await once(child, "close");
  const folder = openStateFolder(path, now);
  t.match(folder, { why: undefined, epoch: seconds + 1 });
  folder.close();
});

void t.test("without flock(1), the pid in the file decides", async (t) => {
  const { PATH } = process.env;
  process.env["PATH"] = place(t);
  t.teardown(() => (process.env["PATH"] = PATH));
  const path = join(place(t), "state");
  const rows: readonly (readonly [holder: string, why: string | undefined])[] = [
    ["", undefined],
    ["who knows\n", undefined],
    [`${process.ppid}\n`, `process ${process.ppid} uses it`],
    [`${process.pid}\n`, undefined],
    [`${2 ** 30}\n`, undefined],
  ];
  for (const [holder, why] of rows) {
    openStateFolder(path, now).close();
    writeFileSync(join(path, "lock"), holder);
    const folder = openStateFolder(path, now);
    t.equal(folder.why, why, JSON.stringify(holder));
    folder.close();
  }
});

void t.test("what can't be made or written is said, and the filter has an epoch all the same", async (t) => {
  const folder = place(t);
  writeFileSync(join(folder, "file"), "");
  t.match(openStateFolder(join(folder, "file"), now), { why: "it is no folder", epoch: seconds });
  t.match(openStateFolder(join(folder, "file/state"), now), { why: "no such folder", epoch: seconds });
  const path = join(folder, "state");
  openStateFolder(path, now).close();
  rmSync(join(path, "epoch"));
  // Nobody can write a folder of this name, root neither.
  mkdirSync(join(path, "epoch"));
  t.match(openStateFolder(path, now), { why: "it is a folder", epoch: seconds });
  rmSync(join(path, "epoch"), { recursive: true });
  const again = openStateFolder(path, now);
  t.equal(again.why, undefined, "the failure has kept no lock");
  again.close();
});

void t.test("a file is written whole or not at all", async (t) => {
  const folder = place(t);
  const path = join(folder, "file");
  writeDurably(path, Buffer.from("one"));
  t.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o640);
  writeDurably(path, Buffer.from("two"));
  t.equal(readFileSync(path, "latin1"), "two");
  t.equal(statSync(path).mode & 0o777, 0o600);
  mkdirSync(join(folder, "taken"));
  t.throws(() => writeDurably(join(folder, "taken"), Buffer.from("x")));
  t.notOk(existsSync(join(folder, "taken.new")), "nothing is left beside it");
});
