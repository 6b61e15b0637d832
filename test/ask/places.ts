import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { findRecords } from "../../src/cli/asking/record-places.ts";
import { sealRecords } from "../../src/cli/seal.ts";
import { readFromDisk } from "../../src/app/read-file.ts";
import { listKept } from "../../src/records/policies/kept-policy.ts";
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
    hasEvidence: true,
    config,
  });
  writeFileSync(config, "policy: policy.yaml\n");
  t.match(find({}), /sigwall\.yaml keeps no records .*; give --records DIR/);
  t.match(find({ records: [records, `${records}/.`] }), { folders: { length: 1 }, hasEvidence: false });
  t.match(find({ records: [records], config: undefined }), { folders: [records], timeZone: "UTC" });
  t.match(find({ config: join(folder, "none.yaml") }), /can't read .*none\.yaml/);
  t.end();
});

/** Seals three days and says which policies are left. */
async function leftAfter(t: Parameters<typeof openRecords>[0], settings: string): Promise<readonly string[]> {
  const { folder, records, write } = openRecords(t);
  const config = join(folder, "sigwall.yaml");
  writeFileSync(config, `records: { folder: records }\n${settings}`);
  for (const [index, letter] of ["a", "b", "c"].entries()) {
    const revision = letter.repeat(12);
    write(`../policies/${revision}.json`, [keptPolicy(revision, HOUR - (20 - index) * DAY)]);
  }
  write("../policies/files/x", []);
  write("2026-10-03/00-gw-a.ndjson", [
    decided({ revision: "a".repeat(12), time: "2026-10-03T00:10:00.000Z" }),
  ]);
  const { code, err } = await gather((output) =>
    sealRecords({ config, records: [] }, { ...output, now: LATER }),
  );
  t.equal(code, 0, err);
  t.ok(existsSync(join(records, "2026-10-03/00-gw-a.attempts.parquet")));
  return listKept(join(folder, "policies"))
    .map(({ revision }) => revision)
    .toSorted();
}

void t.test(
  "seal: policies that no record refers to go once a day, unless evidence may refer to them",
  async (t) => {
    const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(12));
    t.same(await leftAfter(t, ""), [a, c], "one is referred to, one is the newest");
    t.same(await leftAfter(t, "evidence: { folder: evidence }\n"), [a, b, c]);
  },
);
