import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { reportMonth, type ReportOptions } from "../../src/cli/reporting/report.ts";
import {
  decided,
  gather,
  openRecords,
  type Ran,
  type RecordsFolder,
  seal,
} from "../support/records-folder.ts";

const policy = `
version: 1
timeZone: Asia/Shanghai
trunks:
  - { id: lease, side: lessee, lessee: bank, match: { addresses: [192.0.2.1] }, area: { province: 北京, city: 北京市, branch: 西城 } }
  - { id: peer, side: national, match: { addresses: [192.0.2.2] } }
lessees:
  - { id: bank, name: 京华银行, owner: 王, numbers: bank.csv }
`;

function open(
  t: Test,
): RecordsFolder & { readonly report: (options?: Partial<ReportOptions>) => Promise<Ran> } {
  const place = openRecords(t);
  writeFileSync(join(place.folder, "policy.yaml"), policy);
  writeFileSync(
    join(place.folder, "sigwall.yaml"),
    "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\nrecords: { folder: records }\n",
  );
  const base: ReportOptions = {
    month: "2026-10",
    by: [],
    format: "csv",
    language: "zh",
    monthly: [],
    config: join(place.folder, "sigwall.yaml"),
    records: [],
  };
  return {
    ...place,
    report: (options = {}) => gather((output) => reportMonth({ ...base, ...options }, output)),
  };
}

/** A line of the first moment of a quarter of an hour, in the file of its hour. */
function put(
  place: RecordsFolder,
  lines: readonly { readonly time: string; readonly [field: string]: unknown }[],
): void {
  const files = new Map<string, object[]>();
  for (const line of lines) {
    const name = `${line.time.slice(0, 10)}/${line.time.slice(11, 13)}-gw-a.ndjson`;
    files.set(name, [...(files.get(name) ?? []), line]);
  }
  for (const [name, of] of files) place.write(name, of);
}

const accepted = {
  verdict: "accept",
  reason: "listed",
  rule: "default",
  action: "forwarded",
  status: undefined,
};
const call = (count: number, time: string, given: object = {}) => ({
  ...decided({ id: `gw-a-t3k9x1-${count}`, time }),
  time,
  ...given,
});

/** October 2026 in Shanghai is 2026-09-30T16:00Z to 2026-10-31T16:00Z. */
const edges = [
  call(1, "2026-09-30T15:59:59.999Z"),
  call(2, "2026-09-30T16:00:00.000Z"),
  call(3, "2026-10-31T15:59:59.999Z", { reason: "cli-hidden" }),
  call(4, "2026-10-31T16:00:00.000Z"),
];

function headsOf({ out }: Ran): readonly string[] {
  return out
    .replace("\ufeff", "")
    .split("\n")
    .filter((line) => /^(?:违规|拦截非|非实名|关停|查处|"? {4})/u.test(line))
    .filter((line) => !/ {4}[^,]*",0,/u.test(line));
}

void t.test("an empty month: five heads in their order, what nobody imported is no 0", async (t) => {
  const { report } = open(t);
  const ran = await report();
  t.equal(ran.code, 0, ran.err);
  t.ok(ran.out.startsWith("\ufeff"), "a byte order mark");
  t.same(headsOf(ran), [
    "违规出租语音专线,0,,无记录,,",
    "拦截非法主叫,0,,无记录,,",
    "非实名,未导入,,未导入,,",
    "关停涉案号码,未导入,,未导入,,",
    "查处人员,未导入,,未导入,,",
  ]);
});

void t.test("a call at each edge of the month, in the zone of the policy", async (t) => {
  const place = open(t);
  put(place, edges);
  t.same(headsOf(await place.report()).slice(1, 4), [
    "拦截非法主叫,2,,1,+100.0%,",
    '"    非白名单",1,50.0%,1,0.0%,gw-a-t3k9x1-2',
    '"    隐藏号码",1,50.0%,0,,gw-a-t3k9x1-3',
  ]);
  const days = (await place.report({ format: "json" })).out;
  const { days: of } = JSON.parse(days);
  t.equal(of.length, 31);
  t.same(
    [of[0], of[30]],
    [
      { day: "2026-10-01", attempts: 1, refused: 1 },
      { day: "2026-10-31", attempts: 1, refused: 1 },
    ],
  );
  t.match(headsOf(await place.report({ month: "2026-11" }))[1], /^拦截非法主叫,1,,2,-50\.0%/);
});

const whole = [
  ...edges,
  ...["home-cli-from-abroad", "cli-absent", "number-class", "police-listed", "diversion-unlicensed"].map(
    (reason, index) => call(10 + index, "2026-10-05T02:00:00.000Z", { reason }),
  ),
  ...[
    "frequency-exceeded",
    "denylisted",
    "quarantined",
    "line-stopped",
    "cli-conflict",
    "marketing-hours",
  ].map((reason, index) => call(20 + index, "2026-10-05T03:00:00.000Z", { reason })),
  call(30, "2026-10-06T02:00:00.000Z", accepted),
  call(31, "2026-10-06T02:00:01.000Z", { trunk: "peer", lessee: undefined, reason: "police-listed" }),
  call(32, "2026-10-06T02:00:02.000Z", { reason: "overload", rule: "protocol" }),
  call(33, "2026-10-06T02:00:03.000Z", { verdict: "drop", reason: "cli-hidden" }),
  call(34, "2026-10-06T02:00:04.000Z", { verdict: "label", reason: "home-cli-from-abroad" }),
  {
    record: "shed",
    node: "gw-a",
    time: "2026-10-06T02:01:00.000Z",
    trunk: "lease",
    reason: "overload",
    status: 503,
    count: 40,
  },
  {
    record: "finding",
    node: "gw-a",
    time: "2026-10-07T02:00:00.000Z",
    detector: "sub-lease",
    profile: "1",
    mode: "monitor",
    subject: { kind: "trunk", trunk: "lease" },
    until: "2026-10-08T02:00:00.000Z",
    calls: ["gw-a-t3k9x1-30"],
    facts: {},
  },
  {
    record: "finding",
    node: "gw-a",
    time: "2026-10-07T02:00:00.001Z",
    detector: "one-ring",
    subject: { kind: "trunk", trunk: "peer" },
    calls: [],
  },
  {
    record: "order",
    node: "gw-a",
    time: "2026-10-07T03:00:00.000Z",
    line: "trunk:lease",
    state: "suspended",
    previous: "active",
    order: "2026-31",
    reason: "核查",
    by: "command",
  },
  {
    record: "order",
    node: "gw-a",
    time: "2026-10-07T03:00:01.000Z",
    line: "trunk:peer",
    state: "closed",
    order: "2026-32",
    reason: "maintenance",
    by: "command",
  },
  {
    record: "order",
    node: "gw-a",
    time: "2026-10-07T03:00:02.000Z",
    line: "lessee:bank",
    state: "closed",
    order: "2026-33",
    reason: "层层转租",
    by: "command",
  },
  {
    record: "gap",
    node: "gw-a",
    time: "2026-10-09T00:00:00.000Z",
    from: "2026-10-08T23:59:00.000Z",
    to: "2026-10-09T00:00:00.000Z",
    lost: 7,
    why: "restart",
  },
];

void t.test("a month with all: heads, reasons, networks, places, imports and gaps", async (t) => {
  const place = open(t);
  put(place, whole);
  mkdirSync(join(place.folder, "monthly"));
  writeFileSync(
    join(place.folder, "monthly", "10.csv"),
    "month,head,item,count\n2026-10,unregistered,固话,12\n2026-09,unregistered,固话,10\n2026-10,shut-down,,3\n",
  );
  const ran = await place.report();
  t.equal(ran.code, 0, ran.err);
  t.same(headsOf(ran), [
    "违规出租语音专线,2,,0,,",
    '"    疑似转租线索",1,50.0%,0,,trunk:lease gw-a-t3k9x1-30',
    '"    暂停或关停线路",2,100.0%,0,,trunk:lease 2026-31 lessee:bank 2026-33',
    "拦截非法主叫,15,,1,+1400.0%,",
    '"    非白名单",1,6.7%,1,0.0%,gw-a-t3k9x1-2',
    '"    隐藏号码",2,13.3%,0,,gw-a-t3k9x1-3 gw-a-t3k9x1-33',
    '"    空号",1,6.7%,0,,gw-a-t3k9x1-11',
    '"    ""+86""不规范主叫",1,6.7%,0,,gw-a-t3k9x1-10',
    '"    400",1,6.7%,0,,gw-a-t3k9x1-12',
    '"    公安通报黑名单",2,13.3%,0,,gw-a-t3k9x1-13 gw-a-t3k9x1-31',
    '"    转接类信令",1,6.7%,0,,gw-a-t3k9x1-14',
    '"    频次",1,6.7%,0,,gw-a-t3k9x1-20',
    '"    其他黑名单",1,6.7%,0,,gw-a-t3k9x1-21',
    '"    主叫信息不一致",1,6.7%,0,,gw-a-t3k9x1-24',
    '"    营销外呼与禁呼名单",1,6.7%,0,,gw-a-t3k9x1-25',
    '"    临时拦截",1,6.7%,0,,gw-a-t3k9x1-22',
    '"    线路暂停或关停",1,6.7%,0,,gw-a-t3k9x1-23',
    "非实名,12,,10,+20.0%,",
    '"    固话",12,100.0%,10,+20.0%,',
    "关停涉案号码,3,,未导入,,",
    "查处人员,未导入,,未导入,,",
  ]);
  const report = JSON.parse((await place.report({ format: "json", by: ["trunk", "branch", "owner"] })).out);
  t.same(report.networks, [
    { network: "own", attempts: 16, refused: 14 },
    { network: "other", attempts: 1, refused: 1 },
  ]);
  t.equal(report.notCounted, 41, "refused for the load");
  t.same(
    report.breakdowns.map(
      ({ dimension, rows }: { dimension: string; rows: readonly { name: string; refused: number }[] }) => [
        dimension,
        ...rows.map(({ name, refused }) => `${name} ${refused}`),
      ],
    ),
    [
      ["trunk", "lease 14", "peer 1"],
      ["branch", "西城 14", " 1"],
      ["owner", "王 14", " 1"],
    ],
  );
  t.same(report.gaps, [
    { from: "2026-10-08T23:59:00.000Z", to: "2026-10-09T00:00:00.000Z", lost: 7, why: "restart" },
  ]);
});

void t.test("the same month gives the same octets: open, half sealed, sealed", async (t) => {
  const place = open(t);
  put(place, whole);
  const formats = ["csv", "json", "html"] as const;
  const all = async (): Promise<readonly string[]> =>
    Promise.all(formats.map(async (format) => (await place.report({ format })).out));
  const before = await all();
  t.same(await all(), before);
  const half = await seal(place.records, Date.parse("2026-10-06T02:30:00Z"));
  if (half.code !== 0) {
    t.pass("sealing", { skip: `no hour can be sealed here: ${half.err}` });
    return;
  }
  t.same(await all(), before, "half sealed");
  await seal(place.records, Date.parse("2026-12-01T00:00:00Z"));
  t.notOk(
    place.files().some((name) => name.endsWith(".ndjson")),
    "everything is sealed",
  );
  t.same(await all(), before, "sealed");
});

void t.test("a page of its own: nothing is fetched, nothing that peers wrote becomes markup", async (t) => {
  const place = open(t);
  put(place, [
    call(1, "2026-10-05T02:00:00.000Z", { trunk: '<script>alert(1)</script>"&', lessee: "'<img src=x>" }),
  ]);
  for (const language of ["zh", "en"] as const) {
    const { out } = await place.report({ format: "html", language });
    t.notMatch(out, /<script|<img|<link|@import|url\(|https?:/);
    t.match(out, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&amp;/);
    t.match(
      out,
      language === "zh"
        ? /<html lang="zh-CN">[\s\S]*违规出租语音专线/
        : /<html lang="en">[\s\S]*Illegal callers refused/,
    );
    t.match(out, /<svg viewBox/);
  }
  const csv = await place.report();
  t.match(csv.out, /\n"<script>alert\(1\)<\/script>""&",1,1,/, "a trunk in CSV");
});

void t.test("what can't be reported", async (t) => {
  const place = open(t);
  for (const month of ["2026", "2026-13", "2026-1", "october"]) {
    const ran = await place.report({ month });
    t.equal(ran.code, 2, month);
    t.match(ran.err, /expected a month like 2026-11/);
  }
  writeFileSync(join(place.folder, "wrong.csv"), "month,head,count\n2026-10,persons,many\n");
  const wrong = await place.report({ monthly: [join(place.folder, "wrong.csv")] });
  t.equal(wrong.code, 1);
  t.match(wrong.err, /wrong\.csv:2:3: "many" is no whole number/);
  const missing = await place.report({ monthly: ["/nowhere.csv"] });
  t.match(missing.err, /can't read \/nowhere\.csv: no such file/);
});
