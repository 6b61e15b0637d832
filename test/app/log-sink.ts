import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { createLogSink } from "../../src/app/admin/log-sink.ts";
import { until } from "../support/until.ts";

const lossLine = (lines: number, why: string): string => `lost ${lines} (${why})\n`;

/** A folder that the test removes. */
function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-sink-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Both ends of a pipe: the filter's, which blocks, and the reader's. */
function openPipe(t: Test): { readonly writer: number; readonly reader: number } {
  const path = join(folderOf(t), "pipe");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

/** What can be read of a pipe now. */
function readAll(reader: number): string {
  const room = Buffer.alloc(1 << 20);
  let text = "";
  for (;;) {
    try {
      const octets = readSync(reader, room);
      if (octets === 0) return text;
      text += room.toString("latin1", 0, octets);
    } catch {
      return text;
    }
  }
}

function closeOf(sink: ReturnType<typeof createLogSink>): Promise<void> {
  return new Promise(sink.close);
}

void t.test("log sink: a full device costs every line, and closing comes to an end", async (t) => {
  const sink = createLogSink(openSync("/dev/full", "w"), lossLine);
  for (let count = 0; count < 5; count++) sink.write(`line ${count}\n`);
  await until(() => sink.lost() > 0);
  sink.lose(7, "elsewhere");
  await closeOf(sink);
  t.equal(sink.lost(), 5 + 7, "all of them are counted, and no notice of them is");
  sink.write("after the end\n");
  t.equal(sink.lost(), 13);
});

void t.test("log sink: a pipe whose reader is gone costs lines only", async (t) => {
  const { reader, writer } = openPipe(t);
  const sink = createLogSink(writer, lossLine);
  sink.write("one\n");
  await until(() => readAll(reader) === "one\n");
  closeSync(reader);
  sink.write("two\n");
  await until(() => sink.lost() === 1);
  await closeOf(sink);
});

void t.test("log sink: a pipe that nobody reads blocks nothing and holds a bounded amount", async (t) => {
  const { reader, writer } = openPipe(t);
  const sink = createLogSink(writer, lossLine);
  const line = `${"x".repeat(999)}\n`;
  const count = 4000;
  for (let written = 0; written < count; written++) sink.write(line);
  t.ok(sink.lost() > count / 2, "what does not fit into the bound is lost at once");
  let text = "";
  await until(() => {
    text += readAll(reader);
    return text.length >= (count - sink.lost()) * line.length;
  });
  sink.write("later\n");
  await until(() => (text += readAll(reader)).endsWith("later\n"));
  const told = [...text.matchAll(/^lost (\d+) \(the reader of the log stands still\)$/gmu)];
  t.equal(
    told.reduce((sum, [, lines]) => sum + Number(lines), 0),
    sink.lost(),
    "every lost line is told once",
  );
  await closeOf(sink);
  closeSync(reader);
});

void t.test("log sink: closing does not wait for a pipe that nobody reads", async (t) => {
  const { reader, writer } = openPipe(t);
  const sink = createLogSink(writer, lossLine);
  for (let written = 0; written < 500; written++) sink.write(`${"x".repeat(999)}\n`);
  await closeOf(sink);
  t.ok(sink.lost() > 400, "what was not written is counted");
  closeSync(reader);
});

void t.test("log sink: a disk that fills up and has room again", { skip: mountRefusal() }, async (t) => {
  const folder = folderOf(t);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", folder]);
  try {
    const path = join(folder, "log");
    const sink = createLogSink(openSync(path, "a"), lossLine);
    const line = `${"x".repeat(999)}\n`;
    for (let written = 0; written < 30; written++) sink.write(line);
    await until(() => sink.lost() > 0);
    const lost = sink.lost();
    const full = readFileSync(path, "latin1");
    t.equal(full.length, 16384, "the disk is full, in the midst of a line");
    execFileSync("truncate", ["-s", "0", path]);
    sink.write("later\n");
    await until(() => readFileSync(path, "latin1").endsWith("later\n"));
    t.equal(
      readFileSync(path, "latin1"),
      `\nlost ${lost} (ENOSPC)\nlater\n`,
      "the line that was cut ends, the loss is told, the log goes on",
    );
    t.equal(lost, 30 - 16);
    await closeOf(sink);
  } finally {
    execFileSync("umount", ["-l", folder]);
  }
});

/** Why no file system can be mounted here; false when one can. */
function mountRefusal(): string | false {
  return process.getuid?.() === 0 ? false : "mounting needs root";
}
