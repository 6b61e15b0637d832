// Folders that are somebody else's, or none at all: the log says so, calls go on as `onFull` says, nothing is changed.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runCommand, startFilter } from "../cli/filter-process.ts";
import {
  type Crowd,
  evidenceLines,
  metricOf,
  NUMBERS,
  openCrowd,
  recordLines,
  verifyFolder,
} from "../support/crowd.ts";
import { until } from "../support/until.ts";

/** Every file of a folder with its content, but lock files, which have none when nobody writes. */
function picture(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const bytes = readFileSync(join(folder, name));
      return [name, bytes.length === 0 ? "empty" : createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

/** The files but lock files. */
function unlocked(files: Readonly<Record<string, string>>): unknown {
  return Object.entries(files).filter(([file]) => !file.endsWith(".lock"));
}

const outcomesOf = async (place: Crowd, port: number): Promise<readonly (string | undefined)[]> => {
  const [caller] = place.callers;
  const calls = [
    await caller?.call(port, NUMBERS.unlisted),
    await caller?.call(port, NUMBERS.listed),
    await caller?.call(port, NUMBERS.listed, NUMBERS.emergency),
  ];
  return calls.map((call) => call?.outcome);
};

/** Runs a filter whose log of evidence is made, and then is spoilt. */
async function withEvidence(settings: string): Promise<Crowd> {
  const place = await openCrowd(`${settings}evidence: { folder: evidence, durability: before-reject }\n`);
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  t.same(await outcomesOf(place, filter.sipPort), ["403", "forwarded", "forwarded"]);
  t.equal(await filter.stop(), 0);
  return place;
}

const spoilings: Readonly<Record<string, readonly [spoil: (place: Crowd) => void, why: RegExp]>> = {
  "another key": [
    (place) => rmSync(join(place.folder, "evidence.key")),
    /of another key: .*gw-a\.pub does not fit .*Give back the key, or move the folder away/u,
  ],
  "another key, and no public key": [
    (place) => {
      rmSync(join(place.folder, "evidence.key"));
      rmSync(join(place.folder, "evidence/gw-a.pub"));
    },
    /holds checkpoints that .* has not signed, and .*gw-a\.pub is missing/u,
  ],
  "the log of another name": [
    (place) => {
      const path = join(place.folder, "sigwall.yaml");
      writeFileSync(
        path,
        readFileSync(path, "utf8").replace("folder: evidence,", "folder: evidence, origin: other/log,"),
      );
    },
    /holds the log sigwall\/gw-a of another key/u,
  ],
  "segments that bear our name and are of another log": [
    (place) => {
      // The node was renamed by hand: the files, and not what stands in them.
      const folder = join(place.folder, "evidence");
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((each) =>
        each.endsWith("-gw-a.pcapng"),
      ))
        renameSync(join(folder, name), join(folder, name.replace("-gw-a.", "-gw-b.")));
      for (const name of readdirSync(folder))
        if (name.startsWith("gw-a.") && !name.endsWith(".tiles"))
          rmSync(join(folder, name), { recursive: true });
      const path = join(place.folder, "sigwall.yaml");
      writeFileSync(path, readFileSync(path, "utf8").replace("node: gw-a", "node: gw-b"));
    },
    /is no segment 1 of the log sigwall\/gw-b of node gw-b: move it out of the folder/u,
  ],
};

for (const [name, [spoil, why]] of Object.entries(spoilings))
  for (const onFull of ["count", "refuse"] as const)
    void t.test(`somebody else's evidence: ${name}, onFull ${onFull}`, async (t) => {
      const place = await withEvidence("records: { folder: records }\n");
      t.teardown(place.close);
      const path = join(place.folder, "sigwall.yaml");
      writeFileSync(
        path,
        readFileSync(path, "utf8").replace("folder: evidence,", `folder: evidence, onFull: ${onFull},`),
      );
      spoil(place);
      const folder = join(place.folder, "evidence");
      const before = picture(folder);
      const filter = await startFilter(place.config);
      t.teardown(() => filter.signal("SIGKILL"));
      t.match(await filter.logged(["evidence can't be written to"]), why);
      t.same(
        await outcomesOf(place, filter.sipPort),
        onFull === "count" ? ["403", "forwarded", "forwarded"] : ["503", "503", "forwarded"],
      );
      if (onFull === "count") {
        t.ok((await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="disk"}')) >= 1);
        t.equal(await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="late"}'), 1);
      }
      t.equal(await filter.stop(), 0);
      const after = picture(folder);
      for (const lock of ["gw-a.lock", "gw-b.lock"]) {
        t.ok(after[lock] === undefined || after[lock] === "empty", "no lock is left");
      }
      t.same(unlocked(after), unlocked(before), "nothing of the folder is changed");
      t.equal(
        recordLines(join(place.folder, "records")).filter(({ record }) => record === "decided").length,
        6,
        "record lines go on",
      );
    });

void t.test("records of another node in the folder stay as they are", async (t) => {
  const place = await openCrowd("records: { folder: records, keepDays: 1 }\n");
  t.teardown(place.close);
  const records = join(place.folder, "records");
  const theirs: Readonly<Record<string, string>> = {
    "2001-01-01/12-gw-b.ndjson": "{}\n",
    "2026-11-30/12-b-gw-a.ndjson": '{"record":"x","time":"2026-11-30T12:00:00.000Z"}\n{"record":"tor',
    "2026-11-30/12-gw-b.ndjson": '{"record":"tor',
    "gw-b.lock": "12345\n",
    "b-gw-a.lock": "",
    "gw-b.open": "sigwall-open 1 5\n",
    "gw-b.retention": "2026-11-30T12:00:00.000Z\n",
  };
  for (const [name, text] of Object.entries(theirs)) {
    mkdirSync(join(records, name, ".."), { recursive: true });
    writeFileSync(join(records, name), text);
  }
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  t.same(await outcomesOf(place, filter.sipPort), ["403", "forwarded", "forwarded"]);
  await until(() => recordLines(records).filter(({ node }) => node === "gw-a").length >= 4);
  t.equal(await filter.stop(), 0);
  for (const [name, text] of Object.entries(theirs))
    t.equal(readFileSync(join(records, name), "latin1"), text, name);
});

void t.test("two processes of a node: also with one folder in common alone", async (t) => {
  const place = await openCrowd("records: { folder: records }\nevidence: { folder: evidence }\n");
  t.teardown(place.close);
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  const text = readFileSync(place.config, "utf8");
  for (const [what, changed, said] of [
    ["evidence", text.replace("folder: records", "folder: others"), "writes the evidence of node gw-a"],
    ["records", text.replace("folder: evidence", "folder: others"), "writes the records of node gw-a"],
  ] as const) {
    place.write("second.yaml", `${changed}stateFolder: second\n`);
    const { code, stderr } = await runCommand(["run", "--config", join(place.folder, "second.yaml")]);
    t.equal(code, 1, what);
    t.match(stderr, said);
    t.match(stderr, "give each process a `node` of its own");
  }
  t.same(await outcomesOf(place, filter.sipPort), ["403", "forwarded", "forwarded"]);
  t.equal(await filter.stop(), 0);
});

for (const [settings, hasRecords, hasEvidence] of [
  ["", false, false],
  ["records: { folder: records }\n", true, false],
  ["evidence: { folder: evidence, durability: before-reject }\n", false, true],
  ["records: { folder: kept }\nevidence: { folder: kept, durability: before-reject }\n", true, true],
] as const)
  void t.test(`what is kept: ${settings.replaceAll("\n", " ").trim() || "nothing"}`, async (t) => {
    const place = await openCrowd(settings);
    t.teardown(place.close);
    for (const isKilled of [true, false]) {
      const filter = await startFilter(place.config);
      t.teardown(() => filter.signal("SIGKILL"));
      t.same(await outcomesOf(place, filter.sipPort), ["403", "forwarded", "forwarded"]);
      t.equal(await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="disk"}'), 0);
      if (hasRecords)
        await until(
          () =>
            recordLines(recordsOf(place)).filter(({ record }) => record === "decided").length ===
            (isKilled ? 3 : 6),
        );
      if (isKilled) filter.signal("SIGKILL");
      else t.equal(await filter.stop(), 0);
      await filter.ended;
      t.notMatch(filter.output(), '"level":"error"');
    }
    const names = readdirSync(place.folder);
    t.equal(names.includes("records") || names.includes("kept"), hasRecords);
    if (!hasEvidence) {
      t.notOk(names.includes("evidence"));
      return;
    }
    const folder = join(place.folder, hasRecords ? "kept" : "evidence");
    t.same(
      evidenceLines(folder).map(({ record, why }) => (record === "gap" ? String(why).slice(0, 47) : record)),
      ["decided", "gap", "decided"].map((record) =>
        record === "gap" ? "evidence: the process before this one was killed".slice(0, 47) : record,
      ),
      "the kill is told in the log",
    );
    t.equal(verifyFolder(folder).code, 0);
    t.equal(readFileSync(join(folder, "gw-a.lock"), "latin1"), "");
  });

function recordsOf(place: Crowd): string {
  const names = readdirSync(place.folder);
  return join(place.folder, names.includes("kept") ? "kept" : "records");
}
