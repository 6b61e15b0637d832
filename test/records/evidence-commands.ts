import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { runProgram } from "../../src/cli/commands.ts";
import { exportEvidence } from "../../src/cli/evidence-export.ts";
import { verifyEvidence } from "../../src/cli/evidence-verify.ts";
import { deleteSegments, firstKeptDay } from "../../src/records/evidence/deletion-notes.ts";
import { roomOfGap, writeGapBlock } from "../../src/records/evidence/evidence-block.ts";
import { logFiles } from "../../src/records/evidence/log-files.ts";
import {
  block,
  createPlace,
  day,
  fill,
  noon,
  openLog,
  publicKey,
  segmentsBelow,
  verify,
} from "./evidence-place.ts";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function verifyFolder(folder: string, checkpoints: readonly string[] = [], key?: string): Ran {
  const written = { out: "", err: "" };
  const stdout = { write: (text: string) => void (written.out += text) };
  const stderr = { write: (text: string) => void (written.err += text) };
  const code = verifyEvidence(folder, { checkpoints, key, stdout, stderr });
  return { code, ...written };
}

async function exportFrom(
  folder: string,
  out: string,
  callIds: readonly string[],
  ids: readonly string[] = [],
): Promise<Ran> {
  const written = { out: "", err: "" };
  const stdout = { write: (text: string) => void (written.out += text) };
  const stderr = { write: (text: string) => void (written.err += text) };
  const rest = { config: "none.yaml", node: undefined, records: undefined, policies: undefined };
  const code = await exportEvidence({ folder, out, callIds, ids, ...rest, stdout, stderr });
  return { code, ...written };
}

void t.test("evidence verify: what it prints, and its exit codes", (t) => {
  const place = createPlace(t);
  const published = join(place.base, "published");
  const log = openLog(place, { publish: published });
  fill(log, 30, 10);
  log.append(block("not signed"));
  log.close();
  const plain = verifyFolder(place.folder);
  t.equal(plain.code, 0, plain.err);
  t.match(
    plain.out,
    /^log sigwall\/gw-a of node gw-a\n {2}key sigwall\/gw-a\+[0-9a-f]{8}\+\S+ \(from this folder: compare/,
  );
  t.match(plain.out, /33 leaves in 1 segments/);
  t.match(plain.out, /3 checkpoints; the newest: 32 leaves, root /);
  t.match(plain.out, "1 leaves behind the newest checkpoint are not signed yet");
  t.match(plain.out, "no --checkpoint was given: whether the log was rolled back can't be seen");
  t.match(plain.out, /result: everything holds\n$/);
  const given = verifyFolder(place.folder, [published], logFiles(place.folder, "gw-a").publicKey);
  t.equal(given.code, 0);
  t.match(given.out, "3 checkpoints were given");
  t.notMatch(given.out, "can't be seen");

  const other = createPlace(t);
  const theirs = openLog({ ...other }, { origin: "sigwall/gw-a" });
  fill(theirs, 30, 10);
  theirs.close();
  const otherLog = verifyFolder(place.folder, [logFiles(other.folder, "gw-a").checkpoint]);
  t.equal(otherLog.code, 1, "a checkpoint of another key");
  t.match(otherLog.out, /WRONG: .*gw-a\.checkpoint: no signature of the key sigwall\/gw-a\+/);
  t.match(otherLog.out, /result: NOT everything holds\n$/);
  const otherKey = verifyFolder(place.folder, [], logFiles(other.folder, "gw-a").publicKey);
  t.equal(otherKey.code, 1, "another key");
  const named = join(place.base, "named");
  writeFileSync(named, readFileSync(published, "utf8").replaceAll("gw-a", "gw-z"));
  t.match(verifyFolder(place.folder, [named]), { code: 1, out: /the log sigwall\/gw-z is not in/ });
  writeFileSync(named, readFileSync(published, "utf8").replaceAll("gw-a", "gw\u001b[31m"));
  t.match(verifyFolder(place.folder, [named]), { code: 1, out: "the log sigwall/gw\\x1b[31m is not in" });
  writeFileSync(named, "hello\n");
  t.match(verifyFolder(place.folder, [named]), { code: 1, out: /named: is no checkpoint/ });

  t.match(verifyFolder(join(place.base, "nowhere")), { code: 2, err: /ENOENT/ });
  t.match(verifyFolder(place.base), { code: 2, err: /holds no evidence log/ });
  t.match(verifyFolder(place.folder, [join(place.base, "nothing")]), { code: 2, err: /ENOENT/ });
  t.match(verifyFolder(place.folder, [], published), { code: 2, err: /published: not an Ed25519 key/ });
  const [segment = ""] = segmentsBelow(place.folder);
  const damaged = readFileSync(segment);
  damaged[500] = damaged[500]! ^ 1;
  writeFileSync(segment, damaged);
  t.match(verifyFolder(place.folder), {
    code: 1,
    out: /WRONG: .*00000001-gw-a\.pcapng: block 3 \(leaf 2\) was changed/,
  });
  t.end();
});

void t.test("the program has both commands", async (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  fill(log, 3);
  log.close();
  t.equal(await runProgram(["evidence", "verify", place.folder]), 0);
  t.equal(
    await runProgram([
      "evidence",
      "export",
      "--folder",
      place.folder,
      "--call-id",
      "call-1",
      "--out",
      join(place.base, "out"),
    ]),
    0,
  );
  t.equal(
    await runProgram(["evidence", "export", "--folder", place.folder, "--out", join(place.base, "out2")]),
    2,
  );
});

void t.test("retention: a deletion is a leaf; the hashes prove what is gone", (t) => {
  const place = createPlace(t);
  let log = openLog(place);
  for (let i = 0; i < 6; i += 1) fill(log, 50, 25, noon + i * day, i * 100);
  t.equal(firstKeptDay(noon + 5 * day, 2), "2026-12-03");
  const order = { folder: place.folder, node: "gw-a", at: noon + 5 * day, why: "retention" };
  const done = deleteSegments(log, { ...order, before: "2026-12-03" });
  t.match(done, { segments: 3, leaves: 3 * 52 });
  t.same(deleteSegments(log, { ...order, before: "2026-12-03" }), {
    segments: 0,
    leaves: 0,
    line: undefined,
  });
  log.close();
  t.equal(segmentsBelow(place.folder).length, 3);
  const { code, out } = verifyFolder(place.folder);
  t.equal(code, 0, out);
  t.match(out, "156 leaves proved by hash, blocks deleted on 2026-12-05 by retention");
  // The segment with the note goes too: its copy is enough.
  log = openLog(place);
  fill(log, 5, 5, noon + 20 * day);
  t.match(
    deleteSegments(log, { ...order, at: noon + 20 * day, before: "2026-12-20", why: "court order 7" }),
    { segments: 3 },
  );
  log.close();
  t.equal(segmentsBelow(place.folder).length, 1);
  const later = verifyFolder(place.folder);
  t.equal(later.code, 0, later.out);
  t.match(later.out, "156 leaves proved by hash, blocks deleted on 2026-12-05 by retention");
  t.match(later.out, /\d+ leaves proved by hash, blocks deleted on 2026-12-20 by court order 7/);
  // A log that has lost its first days goes on.
  log = openLog(place);
  t.same(log.state().told, []);
  fill(log, 5, 5, noon + 21 * day);
  log.close();
  t.same(verify(place.folder).faults, []);
  // An intruder can make neither the leaf nor its copy.
  const { deletions } = logFiles(place.folder, "gw-a");
  const kept = readFileSync(deletions, "latin1");
  writeFileSync(deletions, "");
  t.match(
    verify(place.folder).faults[0],
    /the blocks of leaves \d+ to \d+ are missing, and no note says why/,
  );
  const [line = ""] = kept.split("\n");
  const [leaf = "", encoded = ""] = line.split(" ");
  const forged = Buffer.from(
    Buffer.from(encoded, "base64").toString("latin1").replace('"leaves":52', '"leaves":99'),
    "latin1",
  );
  writeFileSync(deletions, `${leaf} ${forged.toString("base64")}\n`);
  t.match(verify(place.folder).faults[0], /the note of leaf \d+ is not the block of this leaf/);
  t.end();
});

void t.test("retention: a note behind the newest checkpoint excuses nothing", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  for (let i = 0; i < 3; i += 1) fill(log, 20, 10, noon + i * day, i * 100);
  log.close();
  const [first = "", , last = ""] = segmentsBelow(place.folder);
  rmSync(first);
  const line = JSON.stringify({
    record: "gap",
    time: "2026-12-01T00:00:00Z",
    why: "retention",
    deleted: [{ firstLeaf: 0, leaves: 22 }],
  });
  const note = Buffer.alloc(roomOfGap(line));
  appendFileSync(last, note.subarray(0, writeGapBlock(note, 0, noon, line)));
  const faults = /the blocks of leaves 0 to 21 are missing, and no note says why/;
  t.match(verify(place.folder).faults[0], faults);
  writeFileSync(logFiles(place.folder, "gw-a").deletions, `66 ${note.toString("base64")}\n`);
  t.match(verify(place.folder).faults.join("\n"), faults);
  t.end();
});

void t.test("retention: a segment that an intruder deletes beside is found", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  for (let i = 0; i < 4; i += 1) fill(log, 20, 10, noon + i * day, i * 100);
  deleteSegments(log, {
    folder: place.folder,
    node: "gw-a",
    at: noon + 4 * day,
    before: "2026-12-01",
    why: "retention",
  });
  log.close();
  rmSync(segmentsBelow(place.folder)[0] ?? "");
  t.match(verifyFolder(place.folder), {
    code: 1,
    out: /WRONG: .*: the blocks of leaves 22 to 43 are missing, and no note says why/,
  });
  t.end();
});

const hasForeign = ["python3", "openssl"].every((name) => spawnSync(name, ["version"]).error === undefined);

function foreign(
  folder: string,
  ...more: readonly string[]
): { readonly code: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(
    "python3",
    ["test/verify/evidence_verifier.py", folder, ...more],
    { encoding: "utf8" },
  );
  return { code: status, out: stdout + stderr };
}

/** A policy that was kept: REVISION.json, and its list by hash. */
function keepPolicy(base: string): void {
  const list = "number,notice\n+861087654400,公安[2026]12号 <b>=cmd|</b>\n";
  const sha256 = createHash("sha256").update(list).digest("hex");
  mkdirSync(join(base, "policies", "files"), { recursive: true });
  writeFileSync(join(base, "policies", "files", sha256), gzipSync(list));
  const kept = {
    revision: "9f2c",
    timeZone: "Asia/Shanghai",
    files: [{ path: "/etc/sigwall/lists/police.csv", sha256 }],
  };
  writeFileSync(join(base, "policies", "9f2c.json"), JSON.stringify(kept));
}

void t.test("evidence export: a foreign verifier accepts it, and refuses a forged one", async (t) => {
  const place = createPlace(t);
  keepPolicy(place.base);
  const log = openLog(place, { segmentOctets: 60_000 });
  fill(log, 400, 60);
  log.append(block("call-7", noon + 5000));
  log.checkpoint(noon);
  log.append(block("call-7", noon + 6000));
  log.close();
  const records = join(place.base, "records", "2026-11-30");
  mkdirSync(records, { recursive: true });
  const ended = '{"record":"ended","id":"gw-a-t3k9x1-call-7","node":"gw-a"}';
  appendFileSync(
    join(records, "12-gw-a.ndjson"),
    `${ended}\n{"record":"ended","id":"gw-a-t3k9x1-call-70"}\n`,
  );
  const out = join(place.base, "out");
  const ran = await exportFrom(place.folder, out, ["call-7"], ["gw-a-t3k9x1-call-399"]);
  t.equal(ran.code, 0, ran.err);
  t.match(ran.out, /^3 blocks with their proofs are in /);
  t.match(ran.err, "1 blocks are not signed yet");
  t.match(readdirSync(out).toSorted(), [
    "checkpoint",
    "evidence.pcapng",
    "index.html",
    /^leaf-\d+\.tlog-proof$/,
    /^leaf-\d+\.tlog-proof$/,
    /^leaf-\d+\.tlog-proof$/,
    "policy.ndjson",
    "public.key",
    "records.ndjson",
  ]);
  const lines = readFileSync(join(out, "records.ndjson"), "utf8").trimEnd().split("\n");
  t.equal(lines.length, 4, "three decisions and one end");
  t.ok(lines.includes(ended));
  const page = readFileSync(join(out, "index.html"), "utf8");
  for (const text of [
    "固定证据 · Evidence",
    "拦截 · refused",
    "公安通报黑名单",
    "lists/police.csv:2",
    "公安[2026]12号 &lt;b&gt;=cmd|&lt;/b&gt;",
    "2026-11-30 20:00:00 UTC+08:00",
    publicKey(place.folder).line,
  ])
    t.ok(page.includes(text), text);
  t.match(await exportFrom(place.folder, out, ["call-8"]), { code: 1, err: /is not empty/ });
  t.match(await exportFrom(place.folder, join(place.base, "none"), ["call-"]), {
    code: 1,
    err: /no signed block of this call was found/,
  });
  if (!hasForeign) {
    t.pass("foreign verifier", { skip: "python3 or openssl is not installed" });
    return;
  }
  t.same(foreign(out), { code: 0, out: "3 blocks proved\n" });
  t.same(foreign(out, logFiles(place.folder, "gw-a").publicKey).code, 0);
  const other = createPlace(t);
  openLog(other).close();
  const forgeries: readonly (readonly [what: string, forge: (folder: string) => void, why: RegExp])[] = [
    [
      "an octet of a message",
      (folder) => swap(join(folder, "evidence.pcapng"), "01087654400", "01087654401"),
      /is not in the tree/,
    ],
    [
      "an octet of a decision",
      (folder) => swap(join(folder, "evidence.pcapng"), "police-listed", "denylistedxx"),
      /./,
    ],
    ["another place", (folder) => swap(proofOf(folder), "index ", "index 1"), /./],
    ["another root", (folder) => swapRoot(proofOf(folder)), /signature of the checkpoint is wrong/],
    ["a proof taken out", (folder) => rmSync(proofOf(folder)), /3 blocks and 2 proofs/],
    [
      "another key",
      (folder) => cpSync(logFiles(other.folder, "gw-a").publicKey, join(folder, "public.key")),
      /not signed by this key/,
    ],
  ];
  for (const [what, forge, why] of forgeries) {
    const folder = join(place.base, "forged");
    cpSync(out, folder, { recursive: true });
    forge(folder);
    const { code, out: said } = foreign(folder);
    t.equal(code, 1, `${what}: ${said}`);
    t.match(said, /^refused: /, what);
    t.match(said, why, what);
    rmSync(folder, { recursive: true });
  }
});

function proofOf(folder: string): string {
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".tlog-proof")) ?? "");
}

function swap(path: string, from: string, to: string): void {
  const text = readFileSync(path, "latin1");
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(path, text.replace(from, to), "latin1");
}

function swapRoot(path: string): void {
  const lines = readFileSync(path, "utf8").split("\n");
  const at = lines.indexOf("sigwall/gw-a") + 2;
  const root = Buffer.from(lines[at] ?? "", "base64");
  root[0] = root[0]! ^ 1;
  lines[at] = root.toString("base64");
  writeFileSync(path, lines.join("\n"));
}

void t.test("evidence export: a hostile call stays text", async (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  const callId = '"><script>alert(1)</script>\u202e\u001b[31m=cmd|';
  const sound = block("x");
  const decision: Record<string, unknown> = {
    ...JSON.parse(sound.line),
    callId,
    revision: "../../etc/passwd",
  };
  decision["calling"] = [{ source: "from", raw: "<img src=x>\u0000\u2066", presentation: "allowed" }];
  log.append({ ...sound, line: JSON.stringify(decision) });
  log.checkpoint(noon);
  log.close();
  const out = join(place.base, "out");
  const ran = await exportFrom(place.folder, out, [callId]);
  t.equal(ran.code, 0, ran.err);
  const page = readFileSync(join(out, "index.html"), "utf8");
  t.notMatch(page.replaceAll("\n", ""), /<script|<img|[\p{Cc}\p{Cf}]/u);
  t.ok(page.includes("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\x1b[31m=cmd|"));
  t.ok(page.includes("&lt;img src=x&gt;\\x00\\u2066"));
  t.ok(page.includes("is no revision of a policy"));
});
