import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { findKeyIssue, obtainKey } from "../../src/app/key-file.ts";

void t.test("key file: made when missing, read when there, refused when it is no key", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-key-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "own.key");

  const made = obtainKey(path);
  if (typeof made === "string") throw new Error(made);
  t.equal(made.bytes.length, 32);
  t.equal(made.warning, undefined);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.match(readFileSync(path, "utf8"), /^[0-9a-f]{64}\n$/);
  t.same(obtainKey(path), made, "the next start has the same key");

  chmodSync(path, 0o640);
  t.match(obtainKey(path), { bytes: made.bytes, warning: /can be read by others/ });

  const table: readonly [name: string, text: string, isKey: boolean][] = [
    ["16 bytes are enough", "00112233445566778899aabbccddeeff", true],
    ["15 bytes are not", "00112233445566778899aabbccddee", false],
    ["an odd digit is lost", "00112233445566778899aabbccddeeff0", false],
    ["white space around is none of it", "\n  00112233445566778899AABBCCDDEEFF \n", true],
    ["a word", "correct horse battery staple correct horse", false],
    ["nothing", "", false],
  ];
  for (const [name, text, isKey] of table) {
    writeFileSync(path, text);
    t.equal(typeof obtainKey(path) !== "string", isKey, name);
  }

  t.match(obtainKey(join(folder, "no", "own.key")), /can't make the key file: no such file/);
  t.match(obtainKey(folder), /can't read the key file: it is a folder/);

  writeFileSync(path, "00112233445566778899aabbccddeeff");
  chmodSync(path, 0o600);
  const issues: readonly (readonly [path: string, issue: RegExp | undefined])[] = [
    [path, undefined],
    [join(folder, "missing.key"), undefined],
    [join(folder, "no", "own.key"), /can't make the key file: no such file/],
    [folder, /can't read the key file: it is a folder/],
  ];
  for (const [file, issue] of issues) {
    const found = findKeyIssue(file);
    if (issue === undefined) t.equal(found, undefined, file);
    else t.match(found, issue, file);
  }
  t.notOk(existsSync(join(folder, "missing.key")), "looking makes no file");
  chmodSync(path, 0o644);
  t.match(findKeyIssue(path), /can be read by others/);
  t.end();
});

void t.test("key file: without one every start has a key of its own, and says what that costs", (t) => {
  const [one, other] = [obtainKey(undefined), obtainKey(undefined)];
  if (typeof one === "string" || typeof other === "string") throw new Error("a key needs no file");
  t.match(one.warning, "no keyFile");
  t.notSame(one.bytes, other.bytes);
  t.end();
});
