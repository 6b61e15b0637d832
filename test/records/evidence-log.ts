import { Buffer } from "node:buffer";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t from "tap";
import { NO_ROOM, openEvidenceLog } from "../../src/records/evidence/evidence-log.ts";
import { logFiles } from "../../src/records/evidence/log-files.ts";
import {
  block,
  createPlace,
  day,
  filesBelow,
  fill,
  noon,
  openLog,
  segmentsBelow,
  udp4,
  verify,
} from "./evidence-place.ts";

void t.test("a log that is written, closed and gone on with is whole", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  t.equal(log.append(block("one")), 2, "the two blocks of the head of a segment are leaves too");
  t.equal(log.gap('{"record":"gap"}', noon), 3);
  t.equal(log.checkpoint(noon)?.size, 4);
  t.equal(log.checkpoint(noon), undefined, "the tree has not grown");
  fill(log, 600, 50);
  log.close();
  const again = openLog(place);
  t.same(again.state().told, []);
  t.equal(again.state().leaves, 604);
  fill(again, 20, 7, noon + day);
  again.close();
  const found = verify(place.folder);
  t.same(found.faults, []);
  t.equal(found.leaves, 604 + 22);
  t.equal(found.segments, 2);
  t.equal(found.newest?.size, 626);
  t.match(segmentsBelow(place.folder), [
    /2026-11-30\/00000001-gw-a\.pcapng$/,
    /2026-12-01\/00000002-gw-a\.pcapng$/,
  ]);
  t.equal(statSync(place.keyFile).mode & 0o777, 0o600);
  t.equal(statSync(place.folder).mode & 0o077, 0o055, "the test made the folder");
  t.equal(statSync(join(place.folder, "2026-11-30")).mode & 0o777, 0o700);
  t.end();
});

void t.test(
  "segments: a new one for a day, for a size and for a start; none for a clock that steps back by a day",
  (t) => {
    const place = createPlace(t);
    const log = openLog(place, { segmentOctets: 4000 });
    for (let i = 0; i < 8; i += 1) log.append(block(`a${i}`, noon));
    log.append(block("next day", noon + day));
    log.append(block("back", noon));
    log.append(block("far back", noon - day));
    log.append(block("forth", noon + day));
    log.checkpoint(noon);
    log.close();
    t.match(
      segmentsBelow(place.folder).map((path) => path.slice(place.folder.length + 1)),
      [
        "2026-11-29/00000004-gw-a.pcapng",
        "2026-11-30/00000001-gw-a.pcapng",
        "2026-11-30/00000002-gw-a.pcapng",
        "2026-12-01/00000003-gw-a.pcapng",
        "2026-12-01/00000005-gw-a.pcapng",
      ],
    );
    t.same(verify(place.folder).faults, []);
    t.end();
  },
);

void t.test(
  "a crash between the two writings of a checkpoint leaves a whole log, and the next start mends it",
  (t) => {
    for (const before of ["the one before", "nothing", "half of it"]) {
      const place = createPlace(t);
      const log = openLog(place);
      const path = join(place.folder, "gw-a.checkpoint");
      fill(log, 5, 1);
      log.checkpoint(noon);
      const former = readFileSync(path);
      fill(log, 5, 1);
      log.checkpoint(noon);
      log.close();
      const newest = readFileSync(path);
      if (before === "nothing") rmSync(path);
      else writeFileSync(path, before === "half of it" ? newest.subarray(0, 40) : former);
      if (before === "the one before") t.same(verify(place.folder).faults, [], "verified as it was left");
      openLog(place).close();
      t.ok(readFileSync(path).equals(newest), before);
      t.same(verify(place.folder).faults, []);
    }
    t.end();
  },
);

void t.test("one flipped bit anywhere is found, and the first bad block is named", (t) => {
  const place = createPlace(t);
  const log = openLog(place, { segmentOctets: 40_000 });
  fill(log, 300, 60);
  log.close();
  t.same(verify(place.folder).faults, []);
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const files = filesBelow(place.folder);
  t.ok(
    files.some((path) => path.includes(".p/")) && files.length > 8,
    "partial tiles and segments are there",
  );
  for (const path of files) {
    const whole = readFileSync(path);
    for (let round = 0; round < 12; round += 1) {
      const at = round === 0 ? 0 : round === 1 ? whole.length - 1 : random(whole.length);
      const bit = 1 << random(8);
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ bit;
      writeFileSync(path, damaged);
      let faults: readonly string[];
      try {
        faults = verify(place.folder).faults;
      } catch (error) {
        faults = [String(error)];
      }
      const name = path.slice(place.folder.length + 1);
      if (faults.length === 0) t.fail(`${name}: octet ${at} bit ${bit} was not found`);
      if (path.endsWith(".pcapng") && !(faults[0] ?? "").startsWith(`${path}: block `))
        t.fail(`${name}: octet ${at} bit ${bit}: ${faults[0]}`);
      if (path.includes(".tiles/") && !(faults[0] ?? "").startsWith(`${path} is damaged`))
        t.fail(`${name}: octet ${at} bit ${bit}: ${faults[0]}`);
    }
    writeFileSync(path, whole);
  }
  t.same(verify(place.folder).faults, [], "and every file was given back");
  t.end();
});

/** Octets up to and with block `number` (from 1) of a segment. */
function endOf(file: Buffer, number: number): number {
  let at = 0;
  for (let i = 0; i < number; i += 1) at += file.readUInt32LE(at + 4);
  return at;
}

void t.test("a folder that was tampered with", (t) => {
  const place = createPlace(t);
  const log = openLog(place, { segmentOctets: 20_000 });
  fill(log, 100, 10);
  log.close();
  const [first = "", second = "", third = ""] = segmentsBelow(place.folder);
  const spare = join(place.base, "spare");
  cpSync(place.folder, spare, { recursive: true });
  const cases: readonly (readonly [what: string, tamper: () => void, fault: RegExp])[] = [
    [
      "a block taken out",
      () => {
        const file = readFileSync(first);
        writeFileSync(
          first,
          Buffer.concat([file.subarray(0, endOf(file, 4)), file.subarray(endOf(file, 5))]),
        );
      },
      /00000001-gw-a\.pcapng: block 5 \(leaf 4\) was changed/,
    ],
    [
      "two blocks exchanged",
      () => {
        const file = readFileSync(first);
        const [a, b, c] = [endOf(file, 4), endOf(file, 5), endOf(file, 6)];
        const parts = [file.subarray(0, a), file.subarray(b, c), file.subarray(a, b), file.subarray(c)];
        writeFileSync(first, Buffer.concat(parts));
      },
      /block 5 \(leaf 4\) was changed/,
    ],
    [
      "two segments exchanged",
      () => {
        renameSync(first, `${first}.x`);
        renameSync(second, first);
        renameSync(`${first}.x`, second);
      },
      /00000001-gw-a\.pcapng: block 1 says that this is segment 2/,
    ],
    [
      "a segment cut inside a block",
      () => truncateSync(second, statSync(second).size - 5),
      /00000002-gw-a\.pcapng: block \d+ \(leaf \d+\) at octet \d+ is damaged: the file ends inside a block/,
    ],
    [
      "a segment cut between blocks",
      () => truncateSync(second, endOf(readFileSync(second), 6)),
      /the blocks of leaves \d+ to \d+ are missing, and no note says why/,
    ],
    [
      "a segment taken out",
      () => rmSync(second),
      /00000003-gw-a\.pcapng: the blocks of leaves \d+ to \d+ are missing/,
    ],
    [
      "the last segments taken out",
      () => [third, ...segmentsBelow(place.folder).slice(3)].forEach((path) => rmSync(path)),
      /are missing, and no note says why/,
    ],
    ["the newest checkpoint taken out", () => rmSync(logFiles(place.folder, "gw-a").checkpoint), /./],
  ];
  for (const [what, tamper, fault] of cases) {
    rmSync(place.folder, { recursive: true });
    cpSync(spare, place.folder, { recursive: true });
    tamper();
    const { faults } = verify(place.folder);
    if (what === "the newest checkpoint taken out") t.same(faults, [], `${what}: the others hold`);
    else t.match(faults[0], fault, what);
  }
  t.end();
});

void t.test("a log that was rolled back is found by a checkpoint that was kept elsewhere", (t) => {
  const place = createPlace(t);
  const published = join(place.base, "published");
  const log = openLog(place, { publish: published });
  fill(log, 30, 10);
  log.close();
  const spare = join(place.base, "spare");
  cpSync(place.folder, spare, { recursive: true });
  const again = openLog(place, { publish: published });
  fill(again, 30, 10, noon, 100);
  again.checkpoint(noon);
  const newest = readFileSync(logFiles(place.folder, "gw-a").checkpoint, "utf8");
  again.close();
  const notes = readFileSync(published, "utf8").split(/(?<=\n— .*\n)/);
  t.equal(notes.length, 6);
  t.same(verify(place.folder, notes).faults, [], "the log contains every one");
  rmSync(place.folder, { recursive: true });
  cpSync(spare, place.folder, { recursive: true });
  t.same(verify(place.folder).faults, [], "without one nothing shows");
  t.match(verify(place.folder, [newest]).faults, [
    /^given 1: the log has 32 leaves, .*: the log was rolled back$/,
  ]);
  // Rolled back, and gone on with other calls: as long as before, with another past.
  const other = openLog(place);
  fill(other, 40, 10, noon, 500);
  other.close();
  t.same(verify(place.folder).faults, []);
  t.match(verify(place.folder, [newest]).faults, [
    /^given 1: the log does not contain this checkpoint of 64 leaves/,
  ]);
  t.end();
});

void t.test("what a crash leaves is mended and told", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  fill(log, 25, 10);
  log.append(block("behind the checkpoint"));
  log.commit();
  log.append(block("never committed"));
  // The process dies here: nothing is closed.
  const [segment = ""] = segmentsBelow(place.folder);
  const files = logFiles(place.folder, "gw-a");
  appendFileSync(segment, readFileSync(segment).subarray(-100));
  appendFileSync(files.checkpoints, "sigwall/gw-a\n99\nAAAA");
  const again = openLog(place);
  t.equal(again.state().leaves, 28);
  t.equal(again.state().rehashed, 1);
  t.match(again.state().told, [
    /\.checkpoints: the last 20 octets are no whole checkpoint/,
    /00000001-gw-a\.pcapng: .*; the last 100 octets are no whole block and were moved to .*\.torn/,
  ]);
  fill(again, 5, 10);
  again.close();
  t.same(verify(place.folder).faults, []);
  t.equal(verify(place.folder).leaves, 28 + 2 + 5);
  t.end();
});

void t.test("files that were begun and not written are moved away", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  fill(log, 3);
  log.close();
  writeFileSync(join(place.folder, "2026-11-30", "00000002-gw-a.pcapng"), Buffer.from("0a0d0d0a", "hex"));
  writeFileSync(join(place.folder, "2026-11-30", "00000003-gw-a.pcapng"), "");
  const again = openLog(place);
  t.match(again.state().told, [
    /00000003-gw-a\.pcapng: the file is empty/,
    /00000002-gw-a\.pcapng: the head of the segment is torn/,
  ]);
  fill(again, 3);
  again.close();
  t.same(verify(place.folder).faults, []);
  t.end();
});

void t.test("tiles that are lost are made again out of the segments", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  fill(log, 300, 50);
  log.close();
  rmSync(logFiles(place.folder, "gw-a").tiles, { recursive: true });
  const again = openLog(place);
  t.match(again.state().told, [/every segment is hashed again/]);
  fill(again, 3);
  again.close();
  t.same(verify(place.folder).faults, []);
  t.end();
});

void t.test("the folder of another log, and another key", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  fill(log, 3);
  log.close();
  const otherKey = join(place.base, "other.key");
  t.throws(() => openLog({ ...place, keyFile: otherKey }), {
    message:
      /holds the log sigwall\/gw-a of another key: .*gw-a\.pub does not fit .*other\.key\. Give back the key/,
  });
  t.throws(() => openLog(place, { origin: "other.example" }), { message: /of another key/ });
  // Nodes may share a folder: each has files of its own.
  const second = openEvidenceLog({ ...place, keyFile: otherKey, node: "gw-b" });
  fill(second, 3);
  second.close();
  t.same(verify(place.folder).faults, []);
  const [, theirs = ""] = segmentsBelow(place.folder);
  copyFileSync(theirs, join(place.folder, "2026-11-30", "00000002-gw-a.pcapng"));
  t.match(verify(place.folder).faults, [
    /block 1 says that this is a segment of the log sigwall\/gw-b of node gw-b/,
  ]);
  t.throws(() => openLog(place), {
    message: /is no segment 2 of the log sigwall\/gw-a of node gw-a: move it out/,
  });
  writeFileSync(place.keyFile, "no key\n");
  t.throws(() => openLog(place), { message: /evidence\.key: not an Ed25519 key/ });
  t.end();
});

void t.test("what has no room waits for a commit", (t) => {
  const place = createPlace(t);
  const log = openLog(place, { mostPending: 9000 });
  let taken = 0;
  while (log.append(block(`call-${taken}`)) !== NO_ROOM) taken += 1;
  t.ok(taken >= 2 && taken < 30, `some were taken: ${taken}`);
  t.equal(log.append(block("x")), NO_ROOM);
  t.equal(log.gap("{}", noon) === NO_ROOM || log.state().pending <= 9000, true);
  log.commit();
  t.equal(log.state().pending, 0);
  t.not(log.append(block("x")), NO_ROOM);
  log.checkpoint(noon);
  log.close();
  t.same(verify(place.folder).faults, []);
  t.end();
});

void t.test("longer lines and messages than a block takes are cut, and the block stays readable", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  const bytes = Buffer.alloc(40_000, "x");
  for (const length of [0, 1, 65_531, 65_532, 65_533, 200_000, 600_000])
    log.append({
      at: noon,
      origin: udp4,
      bytes,
      originalLength: 70_000,
      line: "中".repeat(Math.floor(length / 3)),
    });
  log.checkpoint(noon);
  log.close();
  t.same(verify(place.folder).faults, []);
  t.end();
});
