import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { type EvidenceExportOptions, exportEvidence } from "../../src/cli/evidence-export.ts";
import { findBlocks } from "../../src/records/evidence/call-search.ts";
import { logFiles } from "../../src/records/evidence/log-files.ts";
import { gather, parseLines, type Ran, seal, search } from "../support/records-folder.ts";
import { block, createPlace, day, fill, noon, openLog, publicKey, segmentsBelow } from "./evidence-place.ts";

function exportFrom(
  folder: string | undefined,
  out: string,
  callIds: readonly string[],
  ids: readonly string[] = [],
  more: Partial<EvidenceExportOptions> = {},
): Promise<Ran> {
  const options = { folder, out, callIds, ids, records: [], ...more };
  return gather(({ stdout, stderr }) => exportEvidence(options, { stdout, stderr, now: noon + 3 * day }));
}

/** Writes record lines of an hour. */
function writeHour(base: string, hour: string, lines: readonly object[]): void {
  const path = join(base, "records", `${hour}.ndjson`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

const hasForeign = ["python3", "openssl"].every((name) => spawnSync(name, ["version"]).error === undefined);

function foreign(
  folder: string,
  ...more: readonly string[]
): { readonly code: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(
    "python3",
    ["test/verify/evidence_verifier.py", folder, ...more],
    { encoding: "utf8" },
  );
  return { code: status, out: stdout + stderr };
}

/** A policy that was kept: REVISION.json, and its list by hash. */
function keepPolicy(base: string, folder = "policies"): void {
  const list = "number,notice\n+861087654400,公安[2026]12号 <b>=cmd|</b>\n";
  const sha256 = createHash("sha256").update(list).digest("hex");
  mkdirSync(join(base, folder, "files"), { recursive: true });
  writeFileSync(join(base, folder, "files", sha256), gzipSync(list));
  const kept = {
    revision: "9f2c",
    timeZone: "Asia/Shanghai",
    files: [{ path: "/etc/sigwall/lists/police.csv", sha256 }],
  };
  writeFileSync(join(base, folder, "9f2c.json"), JSON.stringify(kept));
}

void t.test("evidence export: a foreign verifier accepts it, and refuses a forged one", async (t) => {
  const place = createPlace(t);
  keepPolicy(place.base);
  const log = openLog(place, { segmentOctets: 60_000 });
  fill(log, 400, 60);
  log.append(block("call-7", noon + 5000));
  log.checkpoint(noon);
  log.append(block("call-7", noon + 6000));
  log.close();
  // A decision without a block, and lines of other calls.
  writeHour(place.base, "2026-11-30/12-gw-a", [
    JSON.parse(block("call-7", noon + 4000).line),
    JSON.parse(block("call-70").line),
  ]);
  const out = join(place.base, "out");
  const ran = await exportFrom(place.folder, out, ["call-7"], ["gw-a-t3k9x1-call-399"]);
  t.equal(ran.code, 0, ran.err);
  t.match(ran.out, /^3 blocks with their proofs are in /);
  t.match(ran.err, "1 blocks are not signed yet");
  t.match(readdirSync(out).toSorted(), [
    "checkpoint",
    "evidence.pcapng",
    "index.html",
    /^leaf-\d+\.tlog-proof$/,
    /^leaf-\d+\.tlog-proof$/,
    /^leaf-\d+\.tlog-proof$/,
    "policy.ndjson",
    "public.key",
    "records.ndjson",
  ]);
  const lines = readFileSync(join(out, "records.ndjson"), "utf8").trimEnd().split("\n");
  t.equal(lines.length, 4, "three decisions of blocks, and one that has no block");
  t.match(lines[3], /"time":"2026-11-30T12:00:04.000Z"/);
  const page = readFileSync(join(out, "index.html"), "utf8");
  for (const text of [
    "固定证据 · Evidence",
    "拦截 · refused",
    "公安通报黑名单",
    "lists/police.csv:2",
    "公安[2026]12号 &lt;b&gt;=cmd|&lt;/b&gt;",
    "2026-11-30 20:00:00 UTC+08:00",
    "呼叫结果 · what became of the call</th><td>呼叫在此终止:应答 603<br>the call ended here: answered 603</td>",
    publicKey(place.folder).line,
  ])
    t.ok(page.includes(text), text);
  t.match(await exportFrom(place.folder, out, ["call-8"]), { code: 1, err: /is not empty/ });
  t.match(await exportFrom(place.folder, join(place.base, "none"), ["call-"]), {
    code: 1,
    err: /no signed block of this call was found/,
  });
  if (!hasForeign) {
    t.pass("foreign verifier", { skip: "python3 or openssl is not installed" });
    return;
  }
  t.same(foreign(out), { code: 0, out: "3 blocks proved\n" });
  t.same(foreign(out, logFiles(place.folder, "gw-a").publicKey).code, 0);
  const other = createPlace(t);
  openLog(other).close();
  const forgeries: readonly (readonly [what: string, forge: (folder: string) => void, why: RegExp])[] = [
    [
      "an octet of a message",
      (folder) => swap(join(folder, "evidence.pcapng"), "01087654400", "01087654401"),
      /is not in the tree/,
    ],
    [
      "an octet of a decision",
      (folder) => swap(join(folder, "evidence.pcapng"), "police-listed", "denylistedxx"),
      /./,
    ],
    ["another place", (folder) => swap(proofOf(folder), "index ", "index 1"), /./],
    ["another root", (folder) => swapRoot(proofOf(folder)), /signature of the checkpoint is wrong/],
    ["a proof taken out", (folder) => rmSync(proofOf(folder)), /3 blocks and 2 proofs/],
    [
      "another key",
      (folder) => cpSync(logFiles(other.folder, "gw-a").publicKey, join(folder, "public.key")),
      /not signed by this key/,
    ],
  ];
  for (const [what, forge, why] of forgeries) {
    const folder = join(place.base, "forged");
    cpSync(out, folder, { recursive: true });
    forge(folder);
    const { code, out: said } = foreign(folder);
    t.equal(code, 1, `${what}: ${said}`);
    t.match(said, /^refused: /, what);
    t.match(said, why, what);
    rmSync(folder, { recursive: true });
  }
});

function proofOf(folder: string): string {
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".tlog-proof")) ?? "");
}

function swap(path: string, from: string, to: string): void {
  const text = readFileSync(path, "latin1");
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(path, text.replace(from, to), "latin1");
}

function swapRoot(path: string): void {
  const lines = readFileSync(path, "utf8").split("\n");
  const at = lines.indexOf("sigwall/gw-a") + 2;
  const root = Buffer.from(lines[at] ?? "", "base64");
  root[0] = root[0]! ^ 1;
  lines[at] = root.toString("base64");
  writeFileSync(path, lines.join("\n"));
}

/** A call that was let through without its number, and its record lines. */
function withheld(callId: string, at: number): { readonly line: string; readonly lines: readonly object[] } {
  const decided: Record<string, unknown> = {
    ...JSON.parse(block(callId, at).line),
    verdict: "withhold",
    action: "forwarded",
    nextHop: "udp:192.0.2.5:5060",
  };
  const { id } = decided;
  const stamp = (after: number): object => ({
    id,
    node: "gw-a",
    trunk: "bj-lease-01",
    time: new Date(at + after).toISOString(),
  });
  return {
    line: JSON.stringify(decided),
    lines: [
      decided,
      { record: "moved", ...stamp(1000), nextHop: "udp:192.0.2.6:5060", why: "503" },
      {
        record: "ended",
        ...stamp(64_000),
        ringingMs: 1200,
        answeredMs: 3400,
        seconds: 60.6,
        by: "called",
        how: "released",
        status: 200,
        cause: 16,
      },
      { record: "ended", ...stamp(80_000), by: "filter", how: "lost" },
    ],
  };
}

void t.test("evidence export: what became of the call, out of open and sealed hours", async (t) => {
  const place = createPlace(t);
  const [early, late] = [withheld("early", noon), withheld("late", noon + 12 * 3_600_000 - 1000)];
  const log = openLog(place);
  log.append({ ...block("early"), line: early.line });
  log.append({ ...block("late", noon + 12 * 3_600_000 - 1000), line: late.line });
  log.checkpoint(noon + day);
  log.close();
  const config = join(place.base, "sigwall.yaml");
  writeFileSync(
    config,
    "listen: [udp:127.0.0.1:0]\nadmin: 127.0.0.1:0\npolicy: policy.yaml\nkeyFile: secret.key\n" +
      "records: { folder: records, policies: kept }\nevidence: { folder: evidence }\n",
  );
  keepPolicy(place.base, "kept");
  writeHour(place.base, "2026-11-30/12-gw-a", early.lines);
  writeHour(place.base, "2026-11-30/23-gw-a", late.lines.slice(0, 1));
  writeHour(place.base, "2026-12-01/00-gw-a", late.lines.slice(1));
  const check = async (what: string, callId: string, out: string): Promise<void> => {
    const ran = await exportFrom(undefined, join(place.base, out), [callId], [], { config, case: "JG-17" });
    t.equal(ran.code, 0, ran.err);
    t.equal(ran.err, "", what);
    const lines = parseLines(readFileSync(join(place.base, out, "records.ndjson"), "utf8"));
    t.same(
      lines.map(({ record }) => record),
      ["decided", "moved", "ended"],
      `${what}: of two ends, the one that was seen`,
    );
    const page = readFileSync(join(place.base, out, "index.html"), "utf8");
    t.ok(
      page.includes(
        "由被叫方结束,1.2 秒后振铃,3.4 秒后应答,通话 60.6 秒,原因值 16<br>" +
          "ended by the called party, ringing after 1.2 s, answered after 3.4 s, 60.6 s long, cause 16",
      ),
      what,
    );
    t.ok(page.includes("lists/police.csv:2"), "the policies are where records.policies says");
  };
  await check("open hours", "early", "open");
  await check("an end on the next day", "late", "next-day");
  const sealing = await seal(join(place.base, "records"), noon + 2 * day);
  t.equal(sealing.code, 0, sealing.err);
  await check("sealed hours", "early", "sealed");
  await check("sealed hours of two days", "late", "sealed-next-day");
  const { out } = await search([join(place.base, "records")], { kinds: ["access"], json: true });
  const access = parseLines(out);
  t.equal(access.length, 4);
  t.match(access[0], {
    command: "evidence export",
    case: "JG-17",
    found: 1,
    asked: { callId: /early|late/ },
  });
});

void t.test("evidence export: without records it says so, and exports all the same", async (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  const call = withheld("alone", noon);
  log.append({ ...block("alone"), line: call.line });
  log.checkpoint(noon + day);
  log.close();
  const out = join(place.base, "out");
  const ran = await exportFrom(place.folder, out, ["alone"]);
  t.match(ran, { code: 0, err: /there is no records folder: .* no access line was written/ });
  t.match(readFileSync(join(out, "index.html"), "utf8"), /no end is recorded: the call is in progress/);
  const none = await exportFrom(place.folder, out, ["alone"], [], { records: [join(place.base, "no")] });
  t.match(none, { code: 2, err: /no: no such folder/ });
});

void t.test("evidence export: a record line tells which segments are read", (t) => {
  const place = createPlace(t);
  const log = openLog(place, { segmentOctets: 20_000 });
  for (let i = 0; i < 4; i += 1) fill(log, 100, 50, noon + i * 10 * day, i * 100);
  log.close();
  const segments = segmentsBelow(place.folder);
  t.ok(segments.length > 12, `${segments.length} segments`);
  const at = noon + 20 * day + 50;
  const query = { field: "callId", value: "call-250" } as const;
  const known = [{ id: "gw-a-t3k9x1-call-250", at }];
  const [all] = findBlocks(place.folder, "gw-a", [query]);
  t.same(findBlocks(place.folder, "gw-a", [query], known), [all]);
  t.same(findBlocks(place.folder, "gw-a", [query], []), [], "no decision is known that may have a block");
  // A folder can't be read as a segment: the segments of other days are not even opened.
  const others = segments.filter((path) => dirname(path) !== dirname(all?.segment ?? ""));
  const contents = others.map((path) => readFileSync(path));
  for (const path of others) {
    rmSync(path);
    mkdirSync(path);
  }
  t.same(findBlocks(place.folder, "gw-a", [query], known), [all]);
  t.throws(() => findBlocks(place.folder, "gw-a", [query]), { code: "EISDIR" });
  for (const [index, path] of others.entries()) {
    rmSync(path, { recursive: true });
    writeFileSync(path, contents[index] ?? "");
  }
  // A clock that stepped back: the time of the record is another one, and all is read.
  for (const wrong of [noon - 40 * day, noon, at - 60_000, at + 400 * day])
    t.same(findBlocks(place.folder, "gw-a", [query], [{ ...known[0]!, at: wrong }]), [all], String(wrong));
  t.end();
});

void t.test("evidence export: a hostile call stays text", async (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  const callId = '"><script>alert(1)</script>\u202e\u001b[31m=cmd|';
  const sound = block("x");
  const decision: Record<string, unknown> = {
    ...JSON.parse(sound.line),
    callId,
    revision: "../../etc/passwd",
  };
  decision["calling"] = [{ source: "from", raw: "<img src=x>\u0000\u2066", presentation: "allowed" }];
  log.append({ ...sound, line: JSON.stringify(decision) });
  log.checkpoint(noon);
  log.close();
  const out = join(place.base, "out");
  const ran = await exportFrom(place.folder, out, [callId]);
  t.equal(ran.code, 0, ran.err);
  const page = readFileSync(join(out, "index.html"), "utf8");
  t.notMatch(page.replaceAll("\n", ""), /<script|<img|[\p{Cc}\p{Cf}]/u);
  t.ok(page.includes("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\x1b[31m=cmd|"));
  t.ok(page.includes("&lt;img src=x&gt;\\x00\\u2066"));
  t.ok(page.includes("is no revision of a policy"));
});
