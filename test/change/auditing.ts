// `sigwall audit`: rows beside the hits that are not findings, and what records can't say.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { audit, type AuditOptions } from "../../src/cli/change/audit.ts";
import {
  decided,
  gather,
  HOUR,
  LATER,
  openRecords,
  parseLines,
  type Ran,
  seal,
} from "../support/records-folder.ts";

const DAY = 86_400_000;

const policyText = `version: 1
trunks:
  - id: lease
    side: lessee
    lessee: bank
    areaCode: "10"
    match: { addresses: [203.0.113.10] }
    rules: { caller-authentication: { verifiedWithinDays: 365 } }
  - { id: south, side: lessee, lessee: bank, areaCode: "755", match: { addresses: [203.0.113.11] } }
  - { id: other, side: lessee, lessee: shop, match: { addresses: [203.0.113.12] } }
lessees:
  - { id: bank, numbers: bank.csv, quota: 106 }
  - { id: shop, numbers: shop.csv, contract: HT-7 }
specialUsers:
  - { trunk: lease, number: "+861087654300", allow: [hidden], until: 2027-12-31, reason: desk, approvedBy: Wang }
  - { trunk: lease, number: "+861087654301", allow: [hidden], until: 2027-12-31, reason: desk }
  - { trunk: other, number: "+861087654302", allow: [hidden], until: 2026-10-02, reason: desk, approvedBy: Li }
`;

/** Today is 2026-10-03 in Shanghai. */
const bankList = `number,valid_from,valid_to,verified_on,contract
+861087654300..+861087654399,,,2025-10-03,HT-1
+861087650001,,2026-10-02,2025-01-01,HT-1
+861087650002,,2026-10-03,2026-01-01,HT-1
+861087650003,,2026-11-01,2026-01-01,"HT-1"
+861087650004,,2026-11-02,2026-01-01,HT-1
+861087650005,2026-07-06,,2026-01-01,HT-1
+8675587654321,,,2025-10-02,HT-1
+862087654321,,,2026-01-01,HT-1
13912345678,,,2026-01-01," "
95588,,,,
`;
const shopList = "number,verified_on\n01087651111,2026-01-01\n0208765111*,2026-01-01\n";

interface Place {
  readonly folder: string;
  readonly records: string;
  readonly write: ReturnType<typeof openRecords>["write"];
  readonly run: (options?: Partial<AuditOptions>, now?: number) => Promise<Ran>;
}

function open(t: Test, edit: (text: string) => string = (text) => text): Place {
  const { folder, records, write } = openRecords(t);
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put("policy.yaml", edit(policyText));
  put("bank.csv", bankList);
  put("shop.csv", shopList);
  put("sigwall.yaml", "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\nrecords: { folder: records }\n");
  return {
    folder,
    records,
    write,
    run: (options = {}, now = LATER) =>
      gather((output) =>
        audit(
          {
            config: join(folder, "sigwall.yaml"),
            records: [],
            days: 90,
            soon: 30,
            lessee: undefined,
            json: true,
            ...options,
          },
          { ...output, now },
        ),
      ),
  };
}

/** Each finding as `kind lessee rows numbers`, with the lines of its first rows. */
function summary({ out }: Ran): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    parseLines(out)
      .filter(({ finding }) => finding !== undefined)
      .map(({ finding, lessee, rows, numbers, first }) => [
        `${String(finding)} ${String(lessee)}`,
        [rows, numbers, Array.isArray(first) ? first.map(({ line }) => line) : first],
      ]),
  );
}

function notes({ out }: Ran): string {
  return parseLines(out)
    .map(({ note }) => (typeof note === "string" ? note : ""))
    .join("\n");
}

const call = (number: string, at: number, given: object = {}): object =>
  decided({
    time: new Date(at).toISOString(),
    lessee: "bank",
    trunk: "lease",
    verdict: "accept",
    reason: "listed",
    rule: "default",
    calling: [{ source: "from", raw: number, number, presentation: "allowed" }],
    ...given,
  });

/** Findings that need no records. */
const always = {
  // The day after the last one of 365 days, and a row without a day; what has expired is left out.
  "overdue-verification bank": [2, 2, [8, 11]],
  "expired bank": [1, 1, [3]],
  "over-quota bank": [10, 108, [12]],
  "other-area bank": [1, 1, [9]],
  "no-contract bank": [2, 2, [10, 11]],
  "no-approver bank": [1, 1, [16]],
  "expired shop": [1, 1, [17]],
};

void t.test("without records, nothing is said of use", async (t) => {
  const { run } = open(t);
  const ran = await run();
  t.equal(ran.code, 1);
  t.same(summary(ran), always);
  t.match(notes(ran), "not judged: unused, expiring-in-use: there are no records");
  t.match(notes(ran), "shop: no trunk says its areaCode");
  t.match(notes(ran), "shop: no trunk says verifiedWithinDays");
  t.match(ran.out, /"other-area".*\+862087654321 is of area 20, the trunks are of 10, 755/u);
  t.match(ran.out, /108 numbers listed, quota 106/u);
  t.end();
});

void t.test(
  "records tell what is in use; those that do not reach back far enough say nothing of unused",
  async (t) => {
    const { run, write } = open(t);
    write("2026-10-03/08-gw-a.ndjson", [
      call("+861087650002", HOUR + 1),
      call("+861087650003", HOUR + 2, { verdict: "label" }),
      call("+861087650004", HOUR + 3),
      call("+861087654350", HOUR + 4),
      call("95588", HOUR + 5),
    ]);
    const ran = await run();
    t.same(summary(ran), { ...always, "expiring-in-use bank": [2, 2, [4, 5]] });
    t.match(
      notes(ran),
      "not judged: unused: the records reach back to 2026-10-03T16:00:00.000+08:00, not over 90 days",
    );
    // Two days later the same records answer for one day.
    const short = await run({ days: 1, lessee: "bank" }, LATER + 2 * DAY);
    t.match(summary(short), { "unused bank": [8, 107, [2, 5, 6, 7, 8]] });
    t.end();
  },
);

void t.test("unused: not refused, not of others, not listed later; sealed hours count alike", async (t) => {
  for (const isSealed of [false, true]) {
    const { run, write, records } = open(t);
    write("2026-07-04/08-gw-a.ndjson", [call("+861087650002", HOUR - 91 * DAY)]);
    write("2026-10-03/08-gw-a.ndjson", [
      // A number in the range: the row is used.
      call("+861087654350", HOUR + 1),
      call("+861087650004", HOUR + 2, { verdict: "reject", reason: "call-rate-exceeded", rule: "call-rate" }),
      call("+862087654321", HOUR + 3, { lessee: "shop" }),
      call("+8613912345678", HOUR + 4, { verdict: "withhold" }),
      call("+861095588", HOUR + 5),
      call("+861087650003", HOUR + 6, {
        calling: [
          { source: "p-asserted-identity", raw: "x", number: "+8675587654321", presentation: "allowed" },
          { source: "from", raw: "y", number: "+861087650003", presentation: "allowed" },
        ],
      }),
    ]);
    if (isSealed) t.equal((await seal(records)).code, 0);
    const ran = await run();
    // 7: valid since 2026-07-06, 89 days ago.
    t.same(summary(ran)["unused bank"], [3, 3, [4, 6, 9]], `sealed: ${isSealed}`);
    t.same(summary(ran)["unused shop"], [2, 11, [2, 3]]);
    t.same(summary(ran)["expiring-in-use bank"], [1, 1, [5]]);
    t.match(notes(ran), "the records reach back to 2026-07-04T16:00:00.000+08:00; used means");
  }
  t.end();
});

void t.test("verified longer ago than so many days, without a key that refuses calls", async (t) => {
  const { run } = open(t);
  const rows: readonly (readonly [days: number, lines: readonly number[]])[] = [
    // 365: as the key of the policy says. 366 days ago: line 8. 275 days: the 2026-01-01 of the others.
    [366, [11]],
    [365, [8, 11]],
    [364, [2, 8, 11]],
    [275, [2, 8, 11]],
    [274, [2, 4, 5, 6, 7]],
  ];
  for (const [verifiedWithin, lines] of rows)
    t.same(
      summary(await run({ verifiedWithin }))["overdue-verification bank"]?.[2],
      lines,
      `${verifiedWithin} days`,
    );
  const shop = await run({ verifiedWithin: 274, lessee: "shop" });
  t.same(summary(shop)["overdue-verification shop"]?.[2], [2, 3], "of a lessee without the key");
  t.notMatch(notes(shop), "verifiedWithinDays");
});

void t.test("prefixes: those without a known length are not counted for the quota, and told", async (t) => {
  const { run, folder } = open(t);
  writeFileSync(
    join(folder, "bank.csv"),
    "number,verified_on,contract\n+8610699900*,2026-01-01,HT-1\n+861087654321,2026-01-01,HT-1\n+1212*,2026-01-01,\n",
  );
  const ran = await run({ lessee: "bank", json: false });
  t.notMatch(ran.out, /over quota/);
  t.match(ran.out, /bank {2}without contract +1 row, 1 prefix {2}\S+bank\.csv:4 \+1212\*\n/);
  t.match(
    ran.out,
    /note: bank: 1 prefix not counted for the quota \(line 4\): the plan does not say how many numbers begin so/,
  );
});

void t.test("a policy in order: 0; --lessee; wrong ones: 2", async (t) => {
  const place = open(t, (text) => text.replace("until: 2026-10-02", "until: 2026-12-31"));
  const shop = await place.run({ lessee: "shop", json: false });
  t.equal(shop.code, 0);
  t.match(shop.out, "nothing found");
  t.equal((await place.run({ lessee: "nobody" })).code, 2);
  t.match((await place.run({ lessee: "shp" })).err, /has no lessee "shp"; did you mean "shop"\?/);
  t.match(await place.run({ config: join(place.folder, "none.yaml") }), {
    code: 2,
    err: /none\.yaml: no such file; name the configuration with --config FILE/,
  });
  t.match(await place.run({ config: join(place.folder, "policy.yaml") }), {
    code: 2,
    err: /policy\.yaml is a policy; give the sigwall\.yaml that names it/,
  });
  t.equal((await place.run({ records: [join(place.folder, "gone")] })).code, 2);
  writeFileSync(join(place.folder, "shop.csv"), "number\n1.08E+11\n");
  const broken = await place.run();
  t.equal(broken.code, 2);
  t.match(broken.err, /shop\.csv:2:1/u);
  t.end();
});

void t.test("people read one line a finding; an empty file of a command is no record", async (t) => {
  const { run, write, records } = open(t);
  write("2026-01-03/08-console@host.ndjson", []);
  mkdirSync(join(records, "2026-01-04"));
  const { out } = await run({ json: false });
  t.match(
    out,
    /\nbank {2}over quota +10 rows, 108 numbers {2}\S+policy\.yaml:12 108 numbers listed, quota 106\n/u,
  );
  t.match(out, /\n7 findings\nnote: not judged/u);
  t.end();
});
