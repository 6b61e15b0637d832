// Limits and detectors over captures: what a capture shows counts at its own time, once, and the same every time.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { readFromDisk } from "../../src/app/read-file.ts";
import type { CallEvent } from "../../src/domain/call.ts";
import type { Finding } from "../../src/domain/finding.ts";
import { type PacketRecord, writePcap } from "../../src/pcap/writer.ts";
import { createCallFeed } from "../../src/replay/call-feed.ts";
import { readRecordedEvent } from "../../src/replay/recorded-calls.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { parseLines, replay, type Line } from "../verify/run.ts";
import { captureOf, packetsOf } from "./call-script.ts";
import { writePolicy, type PolicyAdditions } from "./policy.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
t.teardown(() => rmSync(folder, { recursive: true }));
const detectors = `detectors:
  one-ring: {}
  two-places: {}
tables: { calls: 1000, subjects: 1000 }
`;
const watching = writePolicy(folder, "watching", detectors);

function write(name: string, packets: readonly PacketRecord[]): string {
  const file = join(folder, name);
  writeFileSync(file, captureOf(packets));
  return file;
}

/** A caller who rings one number after the other and hangs up: `rings` seconds each, a call every 20 seconds. */
function campaign(caller: string, calls: number, rings: number, begin = 0): readonly PacketRecord[] {
  return Array.from({ length: calls }, (_, i) => {
    const at = begin + 20 * i;
    const script = `${at} lease>edge INVITE ${caller}-${begin}-${i}
      ${at + 1} edge>lease 180 ${caller}-${begin}-${i}
      ${at + 1 + rings} lease>edge CANCEL ${caller}-${begin}-${i}
      ${at + 1.1 + rings} edge>lease 487 ${caller}-${begin}-${i}`;
    return packetsOf(script, { caller, called: `0278765${4000 + 37 * i}` });
  }).flat();
}

/** Calls that are answered and talked over. */
function family(caller: string, calls: number): readonly PacketRecord[] {
  return Array.from({ length: calls }, (_, i) => {
    const at = 7 + 20 * i;
    const script = `${at} lease>edge INVITE ${caller}-${i}
      ${at + 1} edge>lease 180 ${caller}-${i}
      ${at + 9} edge>lease 200 ${caller}-${i}
      ${at + 300} edge>lease BYE ${caller}-${i}
      ${at + 300.1} lease>edge 200 BYE ${caller}-${i}`;
    return packetsOf(script, { caller, called: `0278766${4000 + 37 * i}` });
  }).flat();
}

const abusive = campaign("+861087654321", 9, 2);
const honest = [...campaign("+861087654377", 12, 25), ...family("+861087654388", 12)];
const file = write("campaign.pcap", [...abusive, ...honest]);

const isFinding = ({ record }: Line): boolean => record === "finding";

void t.test(
  "a campaign of short rings is a finding of its caller; who waits, and who talks, is in none",
  async (t) => {
    const { stdout, stderr } = await replay([file], { config: watching });
    const lines = parseLines(stdout);
    const found = lines.filter(isFinding);
    t.match(found, [
      {
        record: "finding",
        detector: "one-ring",
        mode: "monitor",
        subject: { kind: "caller", trunk: "lease", number: "+861087654321" },
      },
    ]);
    t.equal(found.length, 1);
    const [{ time, until, calls } = {}] = found;
    t.equal(Date.parse(String(until)) - Date.parse(String(time)), 86_400_000, "it is in force for a day");
    const frames = lines
      .filter(({ callId }) => String(callId).startsWith("+861087654321"))
      .map(({ frame }) => String(frame));
    t.ok(
      Array.isArray(calls) && calls.length > 0 && calls.every((call) => frames.includes(String(call))),
      "calls are named by their frames",
    );
    const at = lines.findIndex(isFinding);
    t.ok(
      Number(lines[at - 1]?.["frame"]) < Number(lines[at + 1]?.["frame"]),
      "it stands between the attempts before and after it",
    );
    t.match(
      stderr,
      /^1 finding:\n {2}2026-10-03T16:1\d:\d\d\.\d{3}\+08:00 one-ring: caller \+861087654321 on lease \(calls /mu,
    );
    const table = await replay([file], { config: watching, json: false });
    t.match(table.stdout, /^1 finding:$/mu, "the summary of the text form names it");
  },
);

void t.test("the same captures give the same bytes, whatever --jobs says", async (t) => {
  const files = [file, write("later.pcap", packetsOf("9999 lease>edge INVITE z"))];
  const once = await replay(files, { config: watching, jobs: 1, ends: true });
  t.same(await replay(files, { config: watching, jobs: 1, ends: true }), once);
  t.same(await replay(files, { config: watching, jobs: 4, ends: true }), once);
  const expect = join(folder, "expected.ndjson");
  writeFileSync(expect, once.stdout);
  t.equal((await replay(files, { config: watching, ends: true, expect })).code, 0, "--expect takes them");
  writeFileSync(expect, once.stdout.replace('"detector":"one-ring"', '"detector":"spread"'));
  t.match(await replay(files, { config: watching, ends: true, expect }), { code: 1, stderr: /detector/u });
});

void t.test("calls and findings go on from one capture to the next", async (t) => {
  const all = [...abusive];
  const cut = all.findIndex(({ seconds }) => seconds >= 1_791_015_300 + 101);
  const parts = [write("part-1.pcap", all.slice(0, cut)), write("part-2.pcap", all.slice(cut))];
  const [whole] = parseLines((await replay([write("whole.pcap", all)], { config: watching })).stdout).filter(
    isFinding,
  );
  const split = parseLines((await replay(parts, { config: watching })).stdout).filter(isFinding);
  t.equal(split.length, 1);
  t.match(split[0], {
    capture: parts[1],
    time: whole?.["time"],
    until: whole?.["until"],
    subject: whole?.["subject"],
  });
  t.match(String(split[0]?.["calls"]), `${parts[0]}:`, "calls of the first capture are named with it");
  for (const [what, files] of [
    ["each part alone", [parts[0]!]],
    [
      "the same capture again: it begins before the former one has ended, so nothing counts twice",
      [parts[0]!, parts[0]!],
    ],
  ] as const)
    t.same(parseLines((await replay(files, { config: watching })).stdout).filter(isFinding), [], what);
});

/** A caller on the trunk `lease`, behind the proxy, and on another trunk at the same time. */
function callsAtOnce(second: string): readonly PacketRecord[] {
  return Array.from({ length: 6 }, (_, i) =>
    packetsOf(
      `${i * 10} lease>edge INVITE a${i}
         ${i * 10 + 0.01} edge>core INVITE a${i}
         ${i * 10 + 1} edge>lease 200 a${i}
         ${i * 10 + 2} ${second}>edge INVITE b${i}
         ${i * 10 + 3} edge>${second} 200 b${i}`,
      { caller: "+861087654321", called: `0278765${4000 + i}` },
    ),
  ).flat();
}

void t.test("one caller on a trunk and behind the proxy is at one place; on two trunks at two", async (t) => {
  const lessee = await replay([write("one-place.pcap", callsAtOnce("second"))], { config: watching });
  t.same(
    parseLines(lessee.stdout).filter(isFinding),
    [],
    "trunks of one lessee are one place, the copy behind the proxy is none",
  );
  t.equal(
    parseLines(lessee.stdout).filter(({ trunk }) => trunk === "proxy").length,
    6,
    "the copies are judged and printed",
  );
});

void t.test("the record lines of the same calls give the same finding", async (t) => {
  const { stdout } = await replay([file], { config: watching, ends: true });
  const lines = parseLines(stdout);
  const { policy } = loadPolicy(readFromDisk, join(folder, "watching/policy.yaml"), []);
  if (policy === undefined) return t.fail("the policy is sound");
  const found: Finding[] = [];
  const feed = createCallFeed(
    policy,
    createScreeningState(policy.tables),
    (finding) => void found.push(finding),
  );
  for (const line of lines.filter((each) => !isFinding(each))) {
    const recorded =
      "verdict" in line
        ? { ...line, record: "decided", id: `gw-a-t3k9x1-${String(line["frame"])}`, action: "forwarded" }
        : { ...line, id: `gw-a-t3k9x1-${String(line["id"])}` };
    const event = readRecordedEvent(recorded, (id) => policy.trunkById(id)?.trunk);
    if (event !== undefined) feed.happened(event);
  }
  const [shown] = lines.filter(isFinding);
  t.equal(found.length, 1);
  t.match(shown, { detector: found[0]?.detector, subject: found[0]?.subject, facts: found[0]?.facts });
  t.equal(shown?.["until"], new Date(found[0]?.until ?? 0).toISOString());
  t.same(
    shown?.["calls"],
    found[0]?.evidence.map(({ id }) => id.replace("gw-a-t3k9x1-", "")),
  );
});

void t.test("record lines that make no event", (t) => {
  const lines: readonly (readonly [what: string, line: Record<string, unknown>])[] = [
    ["another kind", { record: "policy", id: "a", time: "2026-10-03T08:15:02Z" }],
    ["no time", { record: "ended", id: "a" }],
    ["a time that is none", { record: "ended", id: "a", time: 17 }],
    ["no id", { record: "decided", time: "2026-10-03T08:15:02Z", trunk: "lease" }],
    ["a trunk that is gone", { record: "decided", id: "a", time: "2026-10-03T08:15:02Z", trunk: "gone" }],
  ];
  for (const [what, line] of lines)
    t.equal(
      readRecordedEvent(line, () => undefined),
      undefined,
      what,
    );
  const end: CallEvent | undefined = readRecordedEvent(
    { record: "ended", id: "a", time: "2026-10-03T08:15:02Z", by: 5, how: [], status: "x" },
    () => undefined,
  );
  t.match(end, { kind: "ended", by: "filter", how: "lost" }, "what is not known of an end says nothing");
  t.end();
});

/** Three calls, one after the other, each with this answer. */
function answeredBy(end: string): string {
  return ["a", "b", "c"]
    .map((call, i) => `${i * 50} lease>edge INVITE ${call}\n${i * 50 + 1} edge>lease ${end} ${call}`)
    .join("\n");
}

/** Verdicts by Call-ID. */
async function verdictsOf(
  name: string,
  additions: PolicyAdditions,
  ...scripts: readonly string[]
): Promise<readonly string[]> {
  const config = writePolicy(folder, name, "", additions);
  const files = scripts.map((script, i) => write(`${name}-${i}.pcap`, packetsOf(script)));
  return parseLines((await replay(files, { config })).stdout)
    .filter(({ trunk }) => trunk !== "proxy" && trunk !== "core")
    .map(({ callId, reason }) => `${String(callId)} ${String(reason)}`);
}

void t.test(
  "channels: taken by calls that the capture shows to stand, given back by their ends",
  async (t) => {
    const busy = `0 lease>edge INVITE a
    1 edge>lease 200 a
    2 lease>edge INVITE b
    3 edge>lease 486 b
    4 lease>edge INVITE c
    5 edge>lease 180 c
    6 lease>edge INVITE d
    7 lease>edge BYE a
    7.1 edge>lease 200 BYE a`;
    const more = `8 lease>edge INVITE e
    9 lease>edge INVITE f`;
    const expected = ["a listed", "b listed", "c listed", "d channels-exceeded"];
    t.same(await verdictsOf("channels", { lease: "{ channels: 2 }" }, busy), expected);
    t.same(
      await verdictsOf("channels-2", { lease: "{ channels: 2 }" }, busy, more),
      [...expected, "e listed", "f channels-exceeded"],
      "over two captures",
    );
  },
);

void t.test(
  "limits by contract: unanswered calls, copies on another hop, a capture that begins anew",
  async (t) => {
    const limit = { lease: "{ frequency: [{ per: trunk, calls: 2, within: 1h, onlyUnanswered: true }] }" };
    t.same(await verdictsOf("refused", limit, answeredBy("486")), [
      "a listed",
      "b listed",
      "c frequency-exceeded",
    ]);
    t.same(await verdictsOf("answered", limit, answeredBy("200")), ["a listed", "b listed", "c listed"]);
    t.same(
      await verdictsOf("challenged", limit, answeredBy("407")),
      ["a listed", "b listed", "c listed"],
      "credentials are asked for",
    );
    t.same(
      await verdictsOf("unseen", limit, answeredBy("100")),
      ["a listed", "b listed", "c frequency-exceeded"],
      "they may ring still",
    );
    t.same(
      await verdictsOf(
        "unheard",
        limit,
        `0 lease>edge INVITE a\n50 lease>edge INVITE b\n100 lease>edge INVITE c`,
      ),
      ["a listed", "b listed", "c listed"],
      "near miss: the answers are not in the capture",
    );
    const copied = `0 lease>edge INVITE a
    0.01 edge>core INVITE a
    0.02 second>edge INVITE a
    1 second>edge INVITE b
    2 lease>edge INVITE c`;
    t.same(
      await verdictsOf(
        "copies",
        { lessee: "{ frequency: [{ per: lessee, calls: 2, within: 1h }] }" },
        copied,
      ),
      ["a listed", "a listed", "b listed", "c frequency-exceeded"],
      "one call over three hops counts once",
    );
    const one = `0 lease>edge INVITE a\n30 lease>edge INVITE b`;
    const hourly = { lease: "{ frequency: [{ per: trunk, calls: 2, within: 1h }] }" };
    t.same(await verdictsOf("on", hourly, one, "60 lease>edge INVITE c"), [
      "a listed",
      "b listed",
      "c frequency-exceeded",
    ]);
    t.same(await verdictsOf("anew", hourly, one, "20 lease>edge INVITE c"), [
      "a listed",
      "b listed",
      "c listed",
    ]);
  },
);

void t.test("captures that are cut, mixed up or changed: no error, and bounded work", async (t) => {
  const config = writePolicy(folder, "hostile", detectors, { lease: "{ channels: 100 }" });
  let seed = 20_261_003;
  const below = (most: number): number => (seed = (seed * 48_271) % 2_147_483_647) % most;
  const packets = [...abusive, ...honest];
  for (let round = 0; round < 10; round++) {
    const changed = Array.from({ length: 300 }, (): PacketRecord => {
      const { seconds, nanos, bytes } = packets[below(packets.length)]!;
      const copy = Buffer.from(bytes);
      for (let i = 0; i < below(4); i++) copy[42 + below(copy.length - 42)] = below(256);
      return {
        seconds: below(8) === 0 ? below(2 ** 31) : seconds,
        nanos,
        bytes: copy.subarray(0, below(5) === 0 ? 20 + below(copy.length - 20) : copy.length),
        originalLength: copy.length,
      };
    });
    const name = join(folder, "hostile.pcap");
    writeFileSync(name, writePcap(changed));
    const { code, stdout } = await replay([name], { config, ends: true });
    if (code !== 0 || stdout === "") t.fail(`round ${round} ends with ${code}`);
  }
  t.pass("every capture was read to its end");
});

void t.test(
  "what is enforced binds in the capture too: calls after the finding are refused, by that trunk alone",
  async (t) => {
    const enforcing = writePolicy(
      folder,
      "enforcing",
      detectors.replace(
        "one-ring: {}",
        "one-ring: { mode: enforce, quarantine: { subject: caller, for: 1h } }",
      ),
    );
    const rest = [...campaign("+861087654321", 3, 2, 1000), ...campaign("+861087654321", 1, 2, 7000)];
    const long = write("enforced.pcap", [...abusive, ...honest, ...rest]);
    const { stdout } = await replay([long], { config: enforcing });
    const lines = parseLines(stdout);
    const found = lines.findIndex(isFinding);
    t.match(lines[found], { mode: "enforce", subject: { number: "+861087654321" } });
    const refused = lines.filter(({ reason }) => reason === "quarantined");
    t.ok(refused.length >= 3, "calls of that caller are refused");
    t.match(
      lines.slice(0, found).filter(({ reason }) => reason === "quarantined"),
      [],
    );
    for (const { calling } of refused) t.match(calling, [{ number: "+861087654321" }]);
    const last = lines.filter(({ record }) => record === undefined).at(-1);
    t.match(last, { verdict: "accept" }, "an hour later the entry has ended");
  },
);
