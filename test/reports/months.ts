import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type Ran, seal, sealed } from "../support/records-folder.ts";
import { refusalKinds } from "../../src/reports/refusal-kinds.ts";
import { call, edges, open, put, whole } from "./report-folder.ts";

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
    "违规出租语音专线,无记录,,无记录,,",
    '"    疑似转租线索",无记录,,无记录,,',
    '"    暂停或关停线路",无记录,,无记录,,',
    "拦截非法主叫,无记录,,无记录,,",
    ...refusalKinds.map(({ zh }) => `"    ${zh.replaceAll('"', '""')}",无记录,,无记录,,`),
    "非实名,未导入,,未导入,,",
    "关停涉案号码,未导入,,未导入,,",
    "查处人员,未导入,,未导入,,",
  ]);
  t.match(ran.err, /there are no records of 2026-10: heads 1 and 2 have no figures, which is not 0/);
  const { attempts, refused, heads } = JSON.parse((await report({ format: "json" })).out);
  t.same([attempts, refused, ...heads.map(({ count }: { count: unknown }) => count)], Array(7).fill(null));
});

void t.test("a month of a node that ran without a call has figures: they are 0", async (t) => {
  const place = open(t);
  put(place, [
    { record: "policy", node: "gw-a", time: "2026-10-05T02:00:00.000Z", revision: "9f2c41aa03b7" },
  ]);
  const ran = await place.report();
  t.same(headsOf(ran).slice(0, 2), ["违规出租语音专线,0,,无记录,,", "拦截非法主叫,0,,无记录,,"]);
});

void t.test("a month that has not begun is no month to report", async (t) => {
  const place = open(t, "Asia/Shanghai", Date.parse("2026-09-30T15:59:59.999Z"));
  const ran = await place.report();
  t.equal(ran.code, 2);
  t.match(ran.err, /--month 2026-10: this month has not begun/);
  t.equal(ran.out, "");
});

void t.test(
  "a month that is not over: hours to come are not missed, and the page says until when",
  async (t) => {
    // 10:30 on the second of October in Shanghai.
    const place = open(t, "Asia/Shanghai", Date.parse("2026-10-02T02:30:00.000Z"));
    const hours = Array.from({ length: 34 }, (_, index) =>
      call(index, new Date(Date.UTC(2026, 8, 30, 16 + index)).toISOString()),
    );
    put(place, hours);
    const ran = await place.report({ format: "json" });
    const report = JSON.parse(ran.out);
    t.same(report.completeness.silent, []);
    t.equal(report.until, "2026-10-02T02:30:00.000Z");
    t.same(
      report.days.map(({ day }: { day: string }) => day),
      ["2026-10-01", "2026-10-02"],
    );
    t.match(
      (await place.report({ format: "html" })).out,
      /数据截至<\/dt><dd class="wide">2026-10-02 10:30:00 \+08:00 \(本月未结束\)/,
    );
    t.match((await place.report()).out, /数据截至,2026-10-02 10:30:00 \+08:00,本月未结束/);
  },
);

void t.test("who reports and when it was made stand there where they are told", async (t) => {
  const place = open(t);
  put(place, edges);
  const told = { unit: "<某市>电信公司", madeAt: "2026-11-03T09:00" };
  t.match((await place.report(told)).out, /填报单位,<某市>电信公司\r?\n制表时间,2026-11-03 09:00:00 \+08:00/);
  const { out } = await place.report({ ...told, format: "html" });
  t.match(out, /填报单位<\/dt><dd class="wide">&lt;某市&gt;电信公司<\/dd>/);
  t.notMatch((await place.report()).out, /制表时间|填报单位/);
  const wrong = await place.report({ madeAt: "soon" });
  t.equal(wrong.code, 2);
  t.match(wrong.err, /--made-at "soon" is no time/);
});

void t.test("a figure of a month stands once: two files don't add up in silence", async (t) => {
  const place = open(t);
  put(place, edges);
  const folder = join(place.folder, "monthly");
  const write = (name: string, rows: string): void =>
    writeFileSync(join(folder, name), `month,head,item,count\n${rows}\n`);
  mkdirSync(folder);
  write("2026-10.csv", "2026-10,unregistered,固话,12\n2026-10,persons,代理商,3");
  t.match(headsOf(await place.report()), [/^/, /^/, /^/, /^/, "非实名,12,,未导入,,"]);
  const rows: readonly (readonly [name: string, again: string, says: RegExp | undefined])[] = [
    [
      "a copy",
      "2026-10,unregistered,固话,12",
      /again\.csv:2: 2026-10 unregistered 固话 stands in .*2026-10\.csv:2 already/,
    ],
    [
      "a correction",
      "2026-10,persons,代理商,4",
      /again\.csv:2: 2026-10 persons 代理商 stands in .*2026-10\.csv:3 already/,
    ],
    ["another month", "2026-09,unregistered,固话,12", undefined],
    ["another head", "2026-10,shut-down,固话,12", undefined],
    ["another item", "2026-10,unregistered,手机,12", undefined],
    ["an empty cell is no figure", "2026-10,unregistered,固话,", undefined],
    ["a total that is the sum", "2026-10,unregistered,,12", undefined],
    [
      "a total that is not",
      "2026-10,unregistered,,13",
      /again\.csv:2: 2026-10 unregistered is 13 for all of the head, and its items are 12 together/,
    ],
  ];
  for (const [name, again, says] of rows) {
    write("again.csv", again);
    const ran = await place.report();
    t.equal(ran.code, says === undefined ? 0 : 2, `${name}: ${ran.err}`);
    if (says !== undefined) t.match(ran.err, says, name);
    else if (!again.includes("手机")) t.ok(ran.out.includes("\n非实名,12,"), name);
  }
  writeFileSync(join(folder, "again.csv"), "month,head,count\n");
  writeFileSync(join(folder, "十月.xlsx"), "PK");
  t.match(
    (await place.report()).err,
    /十月\.xlsx is not read; `sigwall import .* --kind monthly --out .*十月\.csv`/,
  );
});

void t.test("an empty cell of an item stays there as not imported", async (t) => {
  const place = open(t);
  put(place, edges);
  mkdirSync(join(place.folder, "monthly"));
  writeFileSync(
    join(place.folder, "monthly", "10.csv"),
    "month,head,item,count\n2026-10,persons,代理商,2\n2026-10,persons,员工,\n",
  );
  t.same(headsOf(await place.report()).slice(-3), [
    "查处人员,2,,未导入,,",
    '"    代理商",2,100.0%,未导入,,',
    '"    员工",未导入,,未导入,,',
  ]);
});

void t.test("ids are the first by time: by the start of the process and the count of the call", async (t) => {
  const place = open(t);
  const ids = ["gw-b-t3k9x1-9", "gw-b-t3k9x1-10", "gw-a-t3k9zz-1", "gw-a-t3k9x0-100", "gw-a-t3k9x1-9"];
  put(
    place,
    ids.map((id, index) => ({ ...call(1, `2026-10-05T02:00:0${index}.000Z`), id })),
  );
  const first = "gw-a-t3k9x0-100 gw-a-t3k9x1-9 gw-b-t3k9x1-9 gw-b-t3k9x1-10 gw-a-t3k9zz-1";
  t.match(headsOf(await place.report())[2], first);
  if (!(await sealed(t, place.records, Date.parse("2026-12-01T00:00:00Z")))) return;
  t.match(headsOf(await place.report())[2], first, "sealed");
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
    "违规出租语音专线,1,,0,,",
    '"    疑似转租线索",1,100.0%,0,,trunk:lease gw-a-t3k9x1-30',
    '"    暂停或关停线路",1,100.0%,0,,trunk:lease 2026-31 2026-33',
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
  t.same(
    report.networks.map((row: { network: string; attempts: number; refused: number; ids: string[] }) => [
      row.network,
      row.attempts,
      row.refused,
      row.ids[0],
    ]),
    [
      ["own", 16, 14, "gw-a-t3k9x1-2"],
      ["other", 1, 1, "gw-a-t3k9x1-31"],
      ["international", 0, 0, undefined],
    ],
  );
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
  t.match(report.gaps, [
    {
      node: "gw-a",
      from: "2026-10-08T23:59:00.000Z",
      to: "2026-10-09T00:00:00.000Z",
      times: 1,
      lost: 7,
      why: "restart",
      affects: "records",
    },
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
  if (!(await sealed(t, place.records, Date.parse("2026-10-06T02:30:00Z")))) return;
  t.same(await all(), before, "half sealed");
  await seal(place.records, Date.parse("2026-12-01T00:00:00Z"));
  t.notOk(
    place.files().some((name) => name.endsWith(".ndjson")),
    "everything is sealed",
  );
  t.same(await all(), before, "sealed");
});

const gap = {
  record: "gap",
  node: "<node>",
  from: "2026-10-05T02:00:00.000Z",
  to: "2026-10-05T02:00:01.000Z",
  lost: 1,
  why: "<img src=y>",
};

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
  writeFileSync(
    join(place.folder, "policy.yaml"),
    `version: 1
trunks: [{ id: lease, side: lessee, lessee: bank, match: { addresses: [192.0.2.1] }, area: { province: "<b>p", city: "'><i>", branch: "</td><script>" } }]
lessees: [{ id: bank, name: "</title><script>", owner: "<svg onload=x>", numbers: bank.csv }]
`,
  );
  writeFileSync(
    join(place.folder, "figures.csv"),
    'month,head,item,count\n2026-10,persons,"<script src=""//x"">",1\n',
  );
  put(place, [
    call(1, "2026-10-05T02:00:00.000Z", { trunk: '<script>alert(1)</script>"&' }),
    call(2, "2026-10-05T02:00:00.000Z"),
    { ...gap, time: "2026-10-05T02:00:01.000Z" },
  ]);
  const named = await place.report({ format: "html", monthly: [join(place.folder, "figures.csv")] });
  t.equal(named.code, 0, named.err);
  t.match(named.out, /&lt;\/title&gt;&lt;script&gt;/, "the name of a lessee");
  t.match(named.out, /&lt;svg onload=x&gt;/, "an owner");
  t.match(named.out, /&lt;script src=&quot;\/\/x&quot;&gt;/, "an imported item");
  t.match(named.out, /&lt;img src=y&gt;/, "a cause");
  t.notMatch(named.out, /<script|<img|<svg onload|<b>|<i>|<\/title>.*<\/title>/);
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
  t.match(wrong.err, /wrong\.csv:2:3: "many" is no whole number/);
  t.equal(wrong.code, 2);
  const missing = await place.report({ monthly: ["/nowhere.csv"] });
  t.match(missing.err, /can't read \/nowhere\.csv: no such file/);
});
