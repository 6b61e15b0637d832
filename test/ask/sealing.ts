import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type Fields, textIn } from "../../src/records/lines/line-fields.ts";
import { decided, ended, HOUR, LATER, openRecords, readBack, seal } from "../support/records-folder.ts";

const NAME = "2026-10-03/08-gw-a.ndjson";
const sealedNames = ["attempts", "endings", "others"].map((table) => `2026-10-03/08-gw-a.${table}.parquet`);
/** A moment of the hour. */
const at = (minute: number, second = 0): string =>
  new Date(HOUR + minute * 60_000 + second * 1000).toISOString();

/** Lines that come back as they were written. */
const lines: Readonly<Record<string, Fields>> = {
  "a refused call": decided(),
  "a forwarded call": decided({
    id: "gw-a-t3k9x1-20",
    verdict: "accept",
    reason: "listed",
    rule: "default",
    action: "forwarded",
    nextHop: "udp:192.0.2.200:5060",
  }),
  "its end": ended({ id: "gw-a-t3k9x1-2" }),
  "an end of a tenth of a second": ended({ id: "gw-a-t3k9x1-3", seconds: 0.1 }),
  "everything that a call can have": decided({
    id: "gw-a-t3k9x1-4",
    listener: "udp:192.0.2.1:5060",
    tlsName: "peer.example",
    privacy: ["id"],
    displays: ['"Bank"', ""],
    bodies: ["application/sdp", "application/isup"],
    agent: "Huawei",
    codecs: "PCMA/8000",
    fromHost: "203.0.113.10",
    marks: [{ verdict: "label", reason: "home-cli-from-abroad" }],
    shadow: [
      { rule: "display-name", verdict: "reject", reason: "display-name-misleading" },
      {
        rule: "deny-lists",
        verdict: "reject",
        reason: "denylisted",
        number: "+861088881234",
        listLine: "a.csv:4",
      },
    ],
    isup: { opc: 1, dpc: 2, cic: 14, natureOfAddress: 3, screening: 3 },
    diversion: [
      { source: "diversion", raw: "+861088881234", number: "+861088881234", presentation: "allowed" },
    ],
    overlapOf: "gw-a-t3k9x1-3",
    listLine: "lists/police.csv:17",
    notice: "公刑通2026-114",
    contract: "HT-2026-0117",
    rawHex: { callId: "ff00" },
  }),
  "an unknown field": decided({ id: "gw-a-t3k9x1-5", stirAttest: "A", nested: { deep: [1, null, "x"] } }),
  "an unknown field inside a party": decided({
    id: "gw-a-t3k9x1-6",
    calling: [
      { source: "from", raw: "01087654400", number: "+861087654400", presentation: "allowed", odd: 1 },
    ],
  }),
  "a field of another type": decided({ id: "gw-a-t3k9x1-7", status: "403", privacy: [1], called: "nobody" }),
  "a number beyond 32 bits": decided({ id: "gw-a-t3k9x1-8", cause: 4_294_967_296 }),
  "a field that is null": decided({ id: "gw-a-t3k9x1-9", notice: null }),
  "fields named as columns of ours": decided({
    id: "gw-a-t3k9x1-10",
    more: "{",
    caller: "x",
    otherCallers: ["y"],
    requestUriAround: {},
  }),
  "no called party": decided({
    id: "gw-a-t3k9x1-11",
    called: { raw: "", why: "empty" },
    requestUri: "sip:192.0.2.1",
  }),
  "a called party that is not in the URI": decided({
    id: "gw-a-t3k9x1-12",
    called: { raw: "12" },
    requestUri: "tel:+86",
  }),
  "a called party that is in the URI twice": decided({
    id: "gw-a-t3k9x1-13",
    called: { raw: "1" },
    requestUri: "sip:1@192.0.2.1",
  }),
  "markup and controls": decided({
    id: "gw-a-t3k9x1-14",
    callId: "=cmd|' /C calc'!A0<b>\u001b[2J\u202e'\"\\\u0000",
    agent: "𝒳公🇨🇳",
  }),
  "a called party beyond the BMP": decided({
    id: "gw-a-t3k9x1-15",
    called: { raw: "𝒳公" },
    requestUri: "sip:🇨🇳𝒳公@𝒳",
  }),
  "numbers in every spelling": decided({
    id: "gw-a-t3k9x1-21",
    calling: [
      ["+861087654400", "+861087654400"],
      ["861087654400", "+861087654400"],
      ["01087654400", "+861087654400"],
      ["1087654400", "+861087654400"],
      ["87654400", "+861087654400"],
      ["00861087654400", "+861087654400"],
      ["95588", "95588"],
      ["442079460000", "+442079460000"],
      ["5588", "95588"],
      ["", "+"],
      ["0", undefined],
      [undefined, "+861087654400"],
      [undefined, undefined],
    ].map(([raw, number]) =>
      Object.fromEntries(
        Object.entries({ source: "from", raw, number }).filter(([, text]) => text !== undefined),
      ),
    ),
    diversion: [{ source: "diversion", raw: "13912345678", number: "+8613912345678" }],
    called: { raw: "13912345678", number: "+8613912345678" },
    requestUri: "sip:13912345678@192.0.2.1;user=phone",
  }),
  "no party at all": decided({ id: "gw-a-t3k9x1-22", called: {}, calling: [], diversion: [] }),
  microseconds: decided({ id: "gw-a-t3k9x1-16", time: "2026-10-03T08:15:02.123456Z" }),
  "a time without milliseconds": decided({ id: "gw-a-t3k9x1-17", time: "2026-10-03T08:15:02Z" }),
  "a time with an offset": decided({ id: "gw-a-t3k9x1-18", time: "2026-10-03T16:15:02.5+08:00" }),
  "a request": { ...decided({ id: "gw-a-t3k9x1-19" }), record: "request", method: "MESSAGE" },
  "a policy": {
    record: "policy",
    node: "gw-a",
    time: at(1),
    revision: "9f2c41aa03b7",
    previous: "000000000000",
    cause: "SIGHUP",
  },
  "an order": {
    record: "order",
    node: "gw-a",
    time: at(2),
    line: "trunk:lease",
    state: "suspended",
    previous: "active",
    order: "No. 7",
    reason: "fraud",
    calls: "release",
    released: 3,
    by: "command",
  },
  "a gap": {
    record: "gap",
    node: "gw-a",
    time: at(3),
    from: at(1),
    to: at(2),
    lost: 12_345_678_901,
    why: "full disk",
  },
  "shed calls": {
    record: "shed",
    node: "gw-a",
    time: at(4),
    trunk: "lease",
    reason: "overload",
    status: 503,
    count: 400,
    from: at(3),
    to: at(4),
  },
  "a finding": {
    record: "finding",
    node: "gw-a",
    time: at(5),
    detector: "one-ring",
    subject: "+861087654400",
    calls: 17,
  },
  "a kind that nobody knows": { record: "odd", node: "gw-a", time: at(6), whatever: [{ a: 1 }] },
};

void t.test("seal: a line comes back as it was written", async (t) => {
  const { records, write, files } = openRecords(t);
  write(NAME, Object.values(lines));
  const before = await readBack(records);
  const { code, out, err } = await seal(records);
  t.equal(code, 0, err);
  t.match(out, /^2026-10-03 08-gw-a sealed: 20 attempts, 2 endings, 6 others\n$/);
  t.same(
    files().filter((name) => !name.includes("console@")),
    sealedNames,
    "the NDJSON is gone",
  );
  const after = new Map((await readBack(records)).map((line) => [key(line), line]));
  t.equal(before.length, Object.keys(lines).length, "open lines were found");
  t.equal(after.size, Object.keys(lines).length);
  for (const [what, line] of Object.entries(lines)) t.same(after.get(key(line)), line, what);
});

function key(line: Fields): string {
  const [record, id, time] = ["record", "id", "time"].map((name) => textIn(line[name]));
  return `${record} ${id === "" ? time : id}`;
}

void t.test(
  "seal: what can't be read goes to .bad, counted, and the hour is sealed all the same",
  async (t) => {
    const bad = [
      "no JSON",
      '{"record":"decided","time":"2026-10-03T08:15:02.000Z"', // cut
      "[]",
      "null",
      "7",
      '{"record":"decided"}', // no time
      '{"record":7,"time":"2026-10-03T08:15:02.000Z"}',
      '{"record":"decided","time":"yesterday"}',
      '{"record":"decided","time":"+012026-10-03T08:15:02.000Z"}', // a year that no table holds
      "{".repeat(100_000),
      `{"record":"${"x".repeat(3_000_000)}"`, // longer than any line
    ];
    const { records, write } = openRecords(t);
    write(NAME, [decided(), "", ...bad, ended()]);
    const { code, out } = await seal(records);
    t.equal(code, 0);
    t.equal(
      out,
      `2026-10-03 08-gw-a sealed: 1 attempts, 1 endings, 0 others; ${bad.length} lines that can't be read in 08-gw-a.bad\n`,
    );
    t.same(readFileSync(join(records, "2026-10-03/08-gw-a.bad"), "utf8").trimEnd().split("\n"), bad);
  },
);

void t.test("seal: octets that are no UTF-8, and halves of pairs", async (t) => {
  const { records, write } = openRecords(t);
  write(NAME, [
    decided(),
    JSON.stringify(decided({ id: "gw-a-t3k9x1-2" })).replace("bank", "\\ud800 \\udc00 \\ud83d\\ude00"),
  ]);
  const path = join(records, NAME);
  const { appendFileSync } = await import("node:fs");
  appendFileSync(path, Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]));
  const { out } = await seal(records);
  t.match(out, /2 attempts, 0 endings, 0 others; 1 lines that can't be read/);
  const found = (await readBack(records)).find(({ id }) => id === "gw-a-t3k9x1-2");
  t.equal(found?.["lessee"], "\ufffd \ufffd 😀", "U+FFFD stands for each half");
});

void t.test("seal: two fields of one name, which readers of JSON take differently", async (t) => {
  const { records, write } = openRecords(t);
  const line = JSON.stringify(decided());
  write(NAME, [
    line.replace('"time":', '"time":"no time","time":'),
    line.replace('"status":', '"status":"x","status":'),
  ]);
  const { code, out, err } = await seal(records);
  t.equal(code, 0, err);
  t.match(out, /2 attempts/);
});

void t.test("seal: one end of each call is kept", async (t) => {
  const { records, write } = openRecords(t);
  const end = (id: string, how: string, minute: number, node = "gw-a"): object =>
    ended({ id, how, node, time: at(minute) });
  // Another node saw the end of call 4, which was sealed before; call 5 was lost for good.
  write("2026-10-03/07-gw-b.ndjson", [
    ended({ id: "gw-a-t-4", how: "released", node: "gw-b", time: new Date(HOUR - 60_000).toISOString() }),
  ]);
  await seal(records, HOUR + 10 * 60_000);
  write(NAME, [
    end("gw-a-t-1", "lost", 1),
    end("gw-a-t-1", "released", 2, "gw-b"),
    end("gw-a-t-2", "released", 4),
    end("gw-a-t-2", "released", 3),
    end("gw-a-t-3", "lost", 5),
    end("gw-a-t-4", "lost", 6),
    ended({ id: undefined, time: at(7) }),
    ended({ id: undefined, time: at(8) }),
  ]);
  const { out } = await seal(records);
  t.match(out, /0 attempts, 5 endings, 0 others; 3 ends of calls with another end left out/);
  const ends = (await readBack(records)).map((line) =>
    ["id", "how", "node", "time"].map((name) => textIn(line[name])).join(" "),
  );
  t.same(ends.toSorted(), [
    ` released gw-a ${at(7)}`,
    ` released gw-a ${at(8)}`,
    `gw-a-t-1 released gw-b ${at(2)}`,
    `gw-a-t-2 released gw-a ${at(3)}`,
    `gw-a-t-3 lost gw-a ${at(5)}`,
    `gw-a-t-4 released gw-b ${new Date(HOUR - 60_000).toISOString()}`,
  ]);
});

void t.test("seal: closed hours only", async (t) => {
  const cases: readonly (readonly [now: number, isSealed: boolean, what: string])[] = [
    [HOUR + 3_600_000 + 5 * 60_000, true, "five minutes after the end"],
    [HOUR + 3_600_000 + 5 * 60_000 - 1, false, "a millisecond before"],
    [HOUR, false, "in the hour"],
  ];
  for (const [now, isSealed, what] of cases) {
    const { records, write, files } = openRecords(t);
    write(NAME, [decided()]);
    const { code } = await seal(records, now);
    t.equal(code, 0);
    t.same(files(), isSealed ? sealedNames : [NAME], what);
  }
});

void t.test("seal: files of others are left alone", async (t) => {
  const { records, write, files } = openRecords(t);
  const others = [
    "2026-10-03/notes.ndjson",
    "2026-10-03/25-gw-a.ndjson",
    "2026-10-03/08.ndjson",
    "lists/08-gw-a.ndjson",
  ];
  for (const name of others) write(name, [decided()]);
  t.match(await seal(records), { code: 0, out: /^nothing to seal: no hour is closed/, err: "" });
  t.same(files(), others.toSorted());
});

void t.test("seal: an hour without lines, and a node whose name has dots", async (t) => {
  const { records, write, files } = openRecords(t);
  write("2026-10-03/08-a.attempts.b.ndjson", []);
  const { code, out } = await seal(records);
  t.same([code, out], [0, "2026-10-03 08-a.attempts.b sealed: 0 attempts, 0 endings, 0 others\n"]);
  t.equal(files().length, 3);
  t.match(await seal(records, LATER), { code: 0, out: /^nothing to seal: /, err: "" }, "once is enough");
});
