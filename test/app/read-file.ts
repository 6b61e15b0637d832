import { constants } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { readFromDisk } from "../../src/app/read-file.ts";

void t.test("read-file: only regular files are read, and every other kind is named", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-read-"));
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("file"), "number\n");
  writeFileSync(at("empty"), "");
  symlinkSync(at("file"), at("link"));
  writeFileSync(at("large"), "");
  truncateSync(at("large"), 500 * 2 ** 20 + 1);
  execFileSync("mkfifo", [at("pipe")]);
  symlinkSync(at("pipe"), at("link-to-pipe"));
  symlinkSync("/dev/zero", at("link-to-zero"));
  symlinkSync(at("nowhere"), at("dangling"));
  symlinkSync(at("loop"), at("loop"));
  mkdirSync(at("folder"));
  const server = createServer().listen(at("socket"));
  await once(server, "listening");

  const table: readonly (readonly [name: string, bytes: string | undefined, error?: RegExp])[] = [
    ["file", "number\n"],
    ["link", "number\n"],
    ["empty", ""],
    ["pipe", undefined, /^it is a pipe; only regular files are read$/],
    ["link-to-pipe", undefined, /^it is a pipe;/],
    ["link-to-zero", undefined, /^it is a device;/],
    ["socket", undefined, /^it is a socket;/],
    ["folder", undefined, /^it is a folder;/],
    ["large", undefined, /^it is larger than 500 MiB/],
    ["nowhere", undefined, /^no such file$/],
    ["dangling", undefined, /^no such file$/],
    ["loop", undefined, /ELOOP/],
  ];
  for (const [name, bytes, error] of table) {
    const content = readFromDisk(at(name));
    if ("error" in content) t.match(content.error, error ?? /never/, name);
    else t.equal(Buffer.from(content.bytes).toString(), bytes, name);
  }
  t.ok(constants.MAX_STRING_LENGTH >= 500 * 2 ** 20, "the largest file that is read fits a string");
  const status = readFromDisk("/proc/self/status");
  t.ok(
    "bytes" in status && status.bytes.length > 100,
    "a file whose size the system gives as 0 is read whole",
  );
  server.close();
  rmSync(folder, { recursive: true });
});
