import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import t from "tap";
import { askRecords } from "../../src/records/asking/ask-records.ts";
import { findEnds } from "../../src/records/asking/ends-of-calls.ts";
import { readParty, type RecordFilter } from "../../src/records/asking/record-filter.ts";
import { openDatabase } from "../../src/records/sealed/duckdb.ts";
import { objectsIn, textIn } from "../../src/records/lines/line-fields.ts";
import { sayFailure } from "../../src/cli/asking/failure-words.ts";
import type { SearchOptions } from "../../src/cli/search.ts";
import { writeRecords } from "../support/record-lines.ts";
import {
  decided,
  ended,
  HOUR,
  LATER,
  openRecords,
  parseLines,
  seal,
  search,
} from "../support/records-folder.ts";

const NAME = "2026-10-03/08-gw-a.ndjson";
const at = (minute: number): string => new Date(HOUR + minute * 60_000).toISOString();

/** Calls to search among, by their ids. */
const calls: readonly object[] = [
  decided({ id: "refused", time: at(1) }),
  decided({
    id: "passed",
    time: at(2),
    verdict: "accept",
    reason: "listed",
    rule: "default",
    trunk: "other",
    lessee: "shop",
    callId: 'call/2"é',
  }),
  decided({
    id: "code",
    time: at(3),
    calling: [{ source: "from", raw: "95588", number: "95588", presentation: "allowed" }],
  }),
  decided({
    id: "code-behind-86",
    time: at(4),
    calling: [{ source: "from", raw: "+8695588", number: "+8695588" }],
  }),
  decided({
    id: "code-behind-area",
    time: at(5),
    calling: [{ source: "from", raw: "01095588", number: "+861095588" }],
  }),
  decided({
    id: "code-in-number",
    time: at(6),
    calling: [{ source: "from", raw: "01088895588", number: "+861088895588" }],
  }),
  decided({
    id: "hidden",
    time: at(7),
    calling: [{ source: "from", raw: "anonymous", why: "token", presentation: "restricted" }],
  }),
  decided({
    id: "second-identity",
    time: at(8),
    calling: [
      { source: "p-asserted-identity", raw: "+861066660000", number: "+861066660000" },
      { source: "from", raw: "+861066660001", number: "+861066660001" },
    ],
  }),
  decided({
    id: "noted",
    time: at(9),
    shadow: [{ rule: "display-name", verdict: "reject", reason: "display-name-misleading" }],
  }),
  decided({
    id: "foreign",
    time: at(9),
    calling: [{ source: "from", raw: "442079460000", number: "+442079460000" }],
  }),
  decided({ id: "nobody", time: at(10), calling: [] }),
  { ...decided({ id: "message", time: at(11) }), record: "request", method: "MESSAGE" },
  ended({ id: "passed", time: at(12) }),
];

const usual = "refused passed noted message".split(" ");
const codes = "code code-behind-86 code-behind-area".split(" ");

const table: readonly (readonly [options: Partial<SearchOptions>, found: readonly string[]])[] = [
  [{ caller: "+861087654400" }, usual],
  [{ caller: "861087654400" }, usual],
  [{ caller: "008610 8765-4400" }, usual],
  [{ caller: "010-87654400" }, usual],
  [{ caller: "(010) 8765 4400" }, usual],
  [{ caller: "+861087654401" }, []],
  [{ caller: "+86108765440" }, []],
  [{ caller: "95588" }, codes],
  [{ caller: "+8695588" }, codes],
  [{ caller: "010-95588" }, codes],
  [{ caller: "01088895588" }, ["code-in-number"]],
  [{ caller: "+861066660001" }, ["second-identity"]],
  [{ caller: "anonymous" }, ["hidden"]],
  [{ caller: "442079460000" }, ["foreign"]],
  [{ caller: "+44 20 7946 0000" }, ["foreign"]],
  [{ caller: "' OR 1=1 --" }, []],
  [{ called: "027-87654321", verdict: "accept" }, ["passed"]],
  [{ called: "028-87654321" }, []],
  [{ callId: 'call/2"é' }, ["passed"]],
  [{ callId: "call/2" }, []],
  [{ ids: ["passed"] }, ["passed", "passed"]],
  [{ ids: ["passed"], kinds: ["decided"] }, ["passed"]],
  [{ ids: ["hidden", "passed", "none"] }, ["passed", "passed", "hidden"]],
  [{ ids: ["pass"] }, []],
  [{ trunk: "other" }, ["passed"]],
  [{ trunk: "othe" }, []],
  [{ lessee: "shop" }, ["passed"]],
  [{ reason: "listed" }, ["passed"]],
  [{ shadow: "display-name" }, ["noted"]],
  [{ shadow: "display-name-misleading" }, ["noted"]],
  [{ shadow: "hidden-caller" }, []],
  [{ rule: "default" }, ["passed"]],
  [{ from: "2026-10-03T16:07", to: "2026-10-03T16:08" }, ["hidden", "second-identity"]],
  [{ from: "2026-10-03T08:07Z", to: "2026-10-03T08:07Z" }, ["hidden"]],
  [{ from: "2026-10-04" }, []],
  [{ to: "2026-10-02" }, []],
  [{ kinds: ["ended"] }, ["passed"]],
  [{ kinds: ["ended"], caller: "+861087654400" }, []],
  [{ kinds: ["request"] }, ["message"]],
  [{ limit: "2" }, ["message", "nobody"]],
];

const POLICIES = "policies/9f2c41aa03b7.json";

function idsOf(out: string): readonly string[] {
  return parseLines(out).map(({ id }) => textIn(id));
}

for (const isSealed of [false, true]) {
  void t.test(`search: what is found among ${isSealed ? "sealed" : "open"} lines`, async (t) => {
    const { records, write } = openRecords(t);
    write(NAME, calls);
    // The time zone comes from the policy that was kept last.
    write(`../${POLICIES}`, [
      {
        revision: "9f2c41aa03b7",
        policy: "policy.yaml",
        timeZone: "Asia/Shanghai",
        engine: "embedded",
        listeners: [],
        files: [],
        inForce: [{ from: at(0), node: "gw-a" }],
      },
    ]);
    if (isSealed) await seal(records);
    for (const [options, found] of table) {
      const { code, out, err } = await search([records], { ...options, json: true });
      t.equal(code, 0, err);
      t.same(idsOf(out).toSorted(), found.toSorted(), JSON.stringify(options));
    }
    const { out } = await search([records], { lessee: "bank", caller: "+861066660000" });
    t.equal(
      out,
      "TIME                           TRUNK  CALLING                        CALLED         VERDICT  REASON          RULE                   NOTES\n" +
        "2026-10-03T16:08:00.000+08:00  lease  +861066660000 / +861066660001  +862787654321  reject   cli-not-listed  caller-authentication  answered 403\n",
    );
    const numbers = await search([records], { lessee: "bank", numbers: true, json: true });
    t.match(
      numbers.out,
      '{"number":"+861066660001","calls":1,"first":"2026-10-03T08:08:00.000Z","last":"2026-10-03T08:08:00.000Z"}\n',
    );
    t.match(numbers.out, '{"number":"+861087654400","calls":2,');
  });
}

void t.test("search: the circuit of an IAM stands in the notes, and whole in JSON and CSV", async (t) => {
  const { records, write } = openRecords(t);
  const isup = { opc: 1001, dpc: 2001, cic: 14, natureOfAddress: 3, screening: 3 };
  write(NAME, [decided({ id: "iam", time: at(1), isup, action: "released", cause: 21, status: undefined })]);
  t.match((await search([records], {})).out, / {2}circuit 1001-2001-14; released, cause 21\n$/);
  t.match((await search([records], { json: true })).out, `"isup":${JSON.stringify(isup)}`);
  t.match((await search([records], { csv: true })).out, `""opc"":1001,""dpc"":2001,""cic"":14`);
});

void t.test("search: wrong usage", async (t) => {
  const { folder, records, write } = openRecords(t);
  write(NAME, calls);
  const cases: readonly (readonly [Partial<SearchOptions>, code: number, RegExp])[] = [
    [{ from: "soon" }, 2, /--from "soon" is no time; expected 2026-11-30/],
    [{ to: "2026-02-31" }, 2, /--to "2026-02-31" is no time/],
    [{ limit: "0" }, 2, /--limit 0: expected a number from 1 to 1000000/],
    [{ limit: "many" }, 2, /--limit many/],
    [{ config: join(folder, "none.yaml") }, 1, /can't read .*none\.yaml: no such file/],
    [{ records: [join(folder, "nowhere")] }, 1, /nowhere: no such folder/],
    [{ records: [] }, 1, /no records folder: give --records DIR/],
    [{ from: "2026-10-04", to: "2026-10-03" }, 2, /--from "2026-10-04" is later than --to "2026-10-03"/],
    [
      { shadow: "caller-authentiction" },
      2,
      /--shadow "caller-authentiction" is no rule and no reason code; did you mean "caller-authentication"\?/,
    ],
    [
      { reason: "cli_not_listed" },
      2,
      /--reason "cli_not_listed" is no reason code; did you mean "cli-not-listed"\?/,
    ],
    [{ reason: "xyzzy" }, 2, /"xyzzy" is no reason code; docs\/reasons\.md has them all/],
    [{ rule: "hiden-caller" }, 2, /--rule "hiden-caller" is no rule; did you mean "hidden-caller"\?/],
    [{ verdict: "refuse" }, 2, /--verdict "refuse" is no verdict; expected one of accept, reject, drop/],
  ];
  for (const [options, code, message] of cases) {
    const ran = await search([records], options);
    t.equal(ran.code, code, JSON.stringify(options));
    t.match(ran.err, message);
    t.equal(ran.out, "");
  }
});

void t.test("search: nothing was found, and why that may be", async (t) => {
  const { folder, records, write } = openRecords(t);
  write(NAME, calls);
  const config = join(folder, "sigwall.yaml");
  writeFileSync(config, "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\nrecords: { folder: records }\n");
  writeFileSync(
    join(folder, "policy.yaml"),
    "version: 1\ntrunks: [{ id: lease-01, side: lessee, lessee: bank, match: { addresses: [192.0.2.1] } }]\nlessees: [{ id: bank, numbers: bank.csv }]\n",
  );
  const rows: readonly (readonly [Partial<SearchOptions>, RegExp])[] = [
    [
      { trunk: "lease-1" },
      /nothing was found: the policy of today has no trunk "lease-1"; did you mean "lease-01"\?/,
    ],
    [{ lessee: "bnk" }, /the policy of today has no lessee "bnk"; did you mean "bank"\?/],
    [
      { trunk: "lease-01", caller: "abc123" },
      /--caller "abc123" is no number: calls whose message has this text were looked for/,
    ],
    [{ kinds: ["oder"] }, /no lines are of the kind "oder"; did you mean "order"\?/],
    [{ trunk: "lease-01", lessee: "bank" }, /^$/],
  ];
  for (const [options, said] of rows) {
    const ran = await search([], { config, ...options });
    t.equal(ran.code, 0, JSON.stringify(options));
    t.match(ran.err, said);
  }
  t.equal(
    (await search([], { config, reason: "complaints", kinds: ["order"] })).code,
    0,
    "an order's reason is free",
  );
  t.notMatch((await search([records], { trunk: "lease" })).err, /nothing/);
});

void t.test("a folder that is no records folder is told, and nothing is written there", async (t) => {
  const { folder, records } = openRecords(t);
  const other = join(folder, "other");
  mkdirSync(other);
  writeFileSync(join(other, "letter.txt"), "");
  const ran = await search([other], {});
  t.equal(ran.code, 2);
  t.match(ran.err, /other is no records folder: nothing in it is named as a day \(2026-11-30\)/);
  t.same(readdirSync(other), ["letter.txt"]);
  t.equal((await search([records], {})).code, 0, "an empty one is a records folder");
  writeFileSync(join(records, "gw-a.lock"), "");
  t.equal((await search([records], {})).code, 0, "and so is one with the lock of a node");
});

void t.test("records of another user: whose they are, and what to do", async (t) => {
  const { folder, records, write } = openRecords(t);
  write(NAME, calls);
  const denied = Object.assign(new Error("EACCES: permission denied, scandir '/x'"), { code: "EACCES" });
  t.match(
    sayFailure(Object.assign(denied, { path: records })),
    /records can't be read: permission denied; \S+( \S+ \S+)? can read it: run `sudo -u \S+ sigwall …`, or as root$/,
  );
  t.match(
    sayFailure(new Error(`IO Error: Cannot open file "${join(records, "gone.parquet")}": Permission denied`)),
    /gone\.parquet can't be read: permission denied; /,
  );
  t.equal(sayFailure(new Error("something else")), "something else");
  if (process.getuid?.() !== 0) {
    t.pass("another user", { skip: "only root can be another user" });
    return;
  }
  for (const path of [folder, records]) chmodSync(path, 0o755);
  chmodSync(records, 0o700);
  const main = new URL("../../../dist/main.js", import.meta.url).pathname;
  for (const command of [["search"], ["why", "x"], ["report", "--month", "2026-10"], ["seal"]]) {
    const ran = spawnSync(process.execPath, [main, ...command, "--records", records], {
      encoding: "utf8",
      cwd: "/",
      uid: 65534,
    });
    t.equal(ran.status, 1, `${command.join(" ")}: ${ran.stderr}`);
    t.match(
      ran.stderr,
      /records can't be read: permission denied; root can read it: run `sudo -u root sigwall …`/,
    );
    t.notMatch(ran.stderr, / at .*\(/, "no stack");
  }
});

void t.test("search: sealed and open hours of several folders together, the newest first", async (t) => {
  const one = openRecords(t);
  const two = openRecords(t);
  for (const [{ records }, node, seed] of [
    [one, "gw-a", 1],
    [two, "gw-b", 2],
  ] as const)
    writeRecords(records, { node, from: HOUR - 86_400_000, to: HOUR + 7_000_000, calls: 600, seed });
  const folders = [one.records, two.records];
  const all = idsOf((await search(folders, { json: true, limit: "100000" })).out);
  t.equal(all.length, 1200);
  await seal(one.records);
  await seal(two.records, HOUR - 10_000_000);
  t.same(
    idsOf((await search(folders, { json: true, limit: "100000" })).out),
    all,
    "the same, in the same order",
  );
  t.same(idsOf((await search(folders, { json: true, limit: "70" })).out), all.slice(0, 70));
  t.same(
    idsOf((await search([...folders, join(one.records, ".")], { json: true, limit: "5" })).out),
    all.slice(0, 5),
    "a folder that is given twice counts once",
  );
});

void t.test("search: random filters find the same in sealed and in open lines", async (t) => {
  const open = openRecords(t);
  const sealed = openRecords(t);
  for (const { records } of [open, sealed])
    writeRecords(records, { node: "gw-a", from: HOUR, to: HOUR + 3_000_000, calls: 3000, seed: 11 });
  await seal(sealed.records);
  const database = await openDatabase({ megabytes: 500, threads: 1 });
  if (typeof database === "string") throw new Error(database);
  t.teardown(() => database.close());
  const sample = (await askRecords({ folders: [open.records], database }, { kinds: ["decided"] }, 3000))
    .items;
  for (let index = 0; index < 40; index++) {
    const line = sample[(index * 73) % sample.length];
    const [caller] = objectsIn(line?.["calling"]);
    const [called] = objectsIn([line?.["called"]]);
    const filters: readonly Partial<RecordFilter>[] = [
      { caller: readParty(textIn(caller?.["number"])) },
      { called: readParty(textIn(called?.["number"])) },
      { callId: String(line?.["callId"]) },
      { trunk: String(line?.["trunk"]), reason: String(line?.["reason"]) },
      {
        lessee: String(line?.["lessee"]),
        verdict: "reject",
        from: HOUR + index * 1000,
        to: HOUR + 2_000_000,
      },
    ];
    const filter = { kinds: ["decided"], ...filters[index % filters.length] };
    const [a, b] = await Promise.all(
      [open, sealed].map(({ records }) => askRecords({ folders: [records], database }, filter, 500)),
    );
    t.ok((a?.items.length ?? 0) > 0, "something is found");
    t.same(b?.items, a?.items, JSON.stringify(filter));
  }
  const place = (records: string): Parameters<typeof findEnds>[0] => ({ folders: [records], database });
  t.same(
    await findEnds(place(sealed.records), sample.slice(0, 50)),
    await findEnds(place(open.records), sample.slice(0, 50)),
  );
});

void t.test("search: who searched is a record, of a node of its own", async (t) => {
  const { records, write } = openRecords(t);
  write(NAME, calls);
  await search([records], { caller: "95588", case: "A-7" });
  const node = `console@${hostname()}`;
  const [line] = parseLines(readFileSync(join(records, `2026-10-03/09-${node}.ndjson`), "utf8"));
  t.match(line, {
    record: "access",
    node,
    command: "search",
    case: "A-7",
    found: 3,
    asked: { caller: "95588" },
  });
  t.match(line, { time: new Date(LATER).toISOString() });
  t.equal(
    (await search([records], { json: true, limit: "5" })).out.includes("access"),
    false,
    "no search shows it unasked",
  );
  t.match((await search([records], { kinds: ["access"], json: true })).out, /"case":"A-7"/);
  // A file stands where the folder of the day would be.
  write("2026-10-04", []);
  const { code, err } = await search([records], {}, LATER + 86_400_000);
  t.equal(code, 0);
  t.match(err, /no access line could be written in .*(?:ENOTDIR|EEXIST)/);
});
