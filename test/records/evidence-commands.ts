import { Buffer } from "node:buffer";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runProgram } from "../../src/cli/commands.ts";
import { verifyEvidence } from "../../src/cli/evidence-verify.ts";
import { deleteSegments, firstKeptDay } from "../../src/records/evidence/deletion-notes.ts";
import { roomOfGap, writeGapBlock } from "../../src/records/evidence/evidence-block.ts";
import { logFiles } from "../../src/records/evidence/log-files.ts";
import { block, createPlace, day, fill, noon, openLog, segmentsBelow, verify } from "./evidence-place.ts";

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
  // By chance its base64 has the two "+" of a key, or has not.
  t.match(verifyFolder(place.folder, [], published), {
    code: 2,
    err: /published: (?:not an Ed25519 key|no public key)/,
  });
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
