import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { findRecords } from "../../src/cli/asking/record-places.ts";
import { sealRecords } from "../../src/cli/seal.ts";
import { readFromDisk } from "../../src/app/read-file.ts";
import { listKept } from "../../src/records/policies/kept-policy.ts";
import type { MessageBlock } from "../../src/records/evidence/evidence-block.ts";
import { findNamedRevisions } from "../../src/records/evidence/block-revisions.ts";
import { openEvidenceLog } from "../../src/records/evidence/evidence-log.ts";
import { block, createPlace, noon, openLog, segmentsBelow } from "../records/evidence-place.ts";
import { decided, gather, HOUR, LATER, openRecords } from "../support/records-folder.ts";

const DAY = 86_400_000;

function keptPolicy(revision: string, from: number): object {
  const inForce = [{ from: new Date(from).toISOString(), node: "gw-a" }];
  return {
    revision,
    policy: "policy.yaml",
    timeZone: "Asia/Tokyo",
    engine: "embedded",
    listeners: [],
    files: [],
    inForce,
  };
}

void t.test("places: what sigwall.yaml says, and what the options say in its stead", (t) => {
  const { folder, records } = openRecords(t);
  const config = join(folder, "sigwall.yaml");
  writeFileSync(config, "records: { folder: records, policies: kept }\npolicy: policy.yaml\nevidence: {}\n");
  writeFileSync(join(folder, "policy.yaml"), "timeZone: Europe/Berlin\n");
  const find = (given: object): ReturnType<typeof findRecords> =>
    findRecords({ config, records: [], ...given }, readFromDisk);
  t.match(find({}), {
    folders: [records],
    policies: [],
    timeZone: "Europe/Berlin",
    evidence: { folder: undefined },
    config,
  });
  writeFileSync(config, "policy: policy.yaml\n");
  t.match(find({}), /sigwall\.yaml keeps no records .*; give --records DIR/);
  t.match(find({ records: [records, `${records}/.`] }), { folders: { length: 1 }, evidence: undefined });
  t.match(find({ records: [records], config: undefined }), { folders: [records], timeZone: "UTC" });
  t.match(find({ config: join(folder, "none.yaml") }), /can't read .*none\.yaml/);
  t.end();
});

/** Seals three days and says which policies are left, and what was said of them. */
async function leftAfter(
  t: Parameters<typeof openRecords>[0],
  settings: string,
  prepare: (folder: string) => void = () => undefined,
): Promise<{ readonly left: readonly string[]; readonly err: string }> {
  const { folder, records, write } = openRecords(t);
  const config = join(folder, "sigwall.yaml");
  writeFileSync(config, `records: { folder: records }\n${settings}`);
  for (const [index, letter] of ["a", "b", "c", "d"].entries()) {
    const revision = letter.repeat(12);
    write(`../policies/${revision}.json`, [keptPolicy(revision, HOUR - (20 - index) * DAY)]);
  }
  write("../policies/files/x", []);
  write("2026-10-03/00-gw-a.ndjson", [
    decided({ revision: "a".repeat(12), time: "2026-10-03T00:10:00.000Z" }),
  ]);
  prepare(folder);
  const { code, err } = await gather((output) =>
    sealRecords({ config, records: [] }, { ...output, now: LATER }),
  );
  t.equal(code, 0, err);
  t.ok(existsSync(join(records, "2026-10-03/00-gw-a.attempts.parquet")));
  const left = listKept(join(folder, "policies"))
    .map(({ revision }) => revision)
    .toSorted();
  return { left, err };
}

/** A block whose line names a revision, and whose peer would like to name another one. */
function naming(revision: string, at: number): MessageBlock {
  const line = JSON.stringify({
    record: "decided",
    callId: `"revision":"${"c".repeat(12)}"`,
    revision,
    time: new Date(at).toISOString(),
  });
  return { ...block(`call-${at}`, at), line };
}

/** Writes evidence that names revisions. */
function evidence(...revisions: readonly string[]): (folder: string) => void {
  return (folder) => {
    const log = openEvidenceLog({
      folder: join(folder, "evidence"),
      keyFile: join(folder, "key"),
      node: "gw-a",
    });
    for (const [index, revision] of revisions.entries()) log.append(naming(revision, HOUR - index * 1000));
    log.close();
  };
}

void t.test("seal: policies that no record and no evidence refers to go once a day", async (t) => {
  const [a = "", b = "", c = "", d = ""] = ["a", "b", "c", "d"].map((letter) => letter.repeat(12));
  const settings = "evidence: { folder: evidence }\n";
  t.same((await leftAfter(t, "")).left, [a, d], "one is in a record, one is the newest");
  t.same(await leftAfter(t, settings, evidence(b)), { left: [a, b, d], err: "" }, "one is in the evidence");
  t.same(await leftAfter(t, settings, evidence(d)), { left: [a, d], err: "" });
  const none = await leftAfter(t, settings);
  t.same(none.left, [a, b, c, d], "a disk that is not mounted");
  t.match(none.err, /seal: 2 old policies stay, .*: .*evidence holds no evidence log/);
  t.same((await leftAfter(t, "evidence: {}\n", evidence(d))).left, [a, b, c, d]);
  const damaged = await leftAfter(t, settings, (folder) => {
    evidence(b)(folder);
    const day = join(folder, "evidence", "2026-09-20");
    mkdirSync(day);
    writeFileSync(join(day, "00000000-gw-a.pcapng"), "no block at all");
  });
  t.same(damaged.left, [a, b, c, d], "a segment that can't be read may refer to them");
  t.match(damaged.err, /00000000-gw-a\.pcapng: the block claims a length of/);
});

void t.test("evidence: the revisions that blocks name, those of likely days first", (t) => {
  const place = createPlace(t);
  const log = openLog(place, { segmentOctets: 4096 });
  for (let i = 0; i < 40; i++) log.append(naming("e".repeat(12), noon + i * DAY));
  log.append(naming("f".repeat(12), noon + 30 * DAY));
  log.close();
  const asked = (revision: string, from: number): Parameters<typeof findNamedRevisions>[1] => [
    { revision, spans: [{ node: "gw-a", from, to: from + DAY }] },
  ];
  const [first = ""] = segmentsBelow(place.folder);
  writeFileSync(first, "damaged and damaged");
  t.same(findNamedRevisions(place.folder, asked("e".repeat(12), noon + 20 * DAY)), {
    found: new Set(["e".repeat(12)]),
    unread: [],
  });
  const other = findNamedRevisions(place.folder, asked("c".repeat(12), noon + 20 * DAY));
  t.equal(other.found.size, 0, "text of a peer names nothing");
  t.match(other.unread, [/the block claims a length of/]);
  t.equal(findNamedRevisions(place.folder, asked("f".repeat(12), noon)).found.size, 1, "a wrong day");
  t.end();
});
