// The filter carries calls at virtual time; a capture of both of its sides is replayed: the same ends, the same findings.
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { createDetection } from "../../src/app/detection.ts";
import { createLog } from "../../src/observe/log.ts";
import { addressBytes, type PacketEnd, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { type PacketRecord, writePcap } from "../../src/pcap/writer.ts";
import { describeEnd, type NoteLine } from "../../src/records/lines/record-line.ts";
import {
  basicLists,
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  peers,
  request,
  respond,
  type Sent,
} from "../support/proxy.ts";
import { parseLines, replay } from "../verify/run.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
t.teardown(() => rmSync(folder, { recursive: true }));
const FILTER = "192.0.2.1:5060";
const policyText = `${basicPolicy}detectors: { one-ring: {}, short-calls: {}, call-bombing: {} }\ntables: { calls: 1000, subjects: 1000 }\n`;
const config = join(folder, "sigwall.yaml");
writeFileSync(config, `listen: [udp:${FILTER}]\npolicy: policy.yaml\nkeyFile: sigwall.key\n`);
writeFileSync(join(folder, "policy.yaml"), policyText);
writeFileSync(join(folder, "bank.csv"), basicLists["bank.csv"] ?? "");

function endOf(place: string): PacketEnd {
  const colon = place.lastIndexOf(":");
  return { address: place.slice(0, colon), port: Number(place.slice(colon + 1)) };
}

/** A filter whose datagrams are captured on both sides. */
function createCapturedFilter() {
  const policy = compileText(policyText);
  const proxy = createTestProxy(policy);
  const findings: NoteLine[] = [];
  const detection = createDetection({
    policy: () => policy,
    state: proxy.state,
    log: createLog(
      "error",
      () => proxy.now,
      () => undefined,
    ),
    note: (line) => void findings.push(line),
    folder: { path: "", why: "a test keeps nothing", epoch: 1 },
    fault: (error) => t.fail(String(error)),
  });
  t.teardown(detection.close);
  const packets: PacketRecord[] = [];
  let told = 0;

  function capture(from: string, to: string, bytes: Buffer): void {
    const [source, target] = [endOf(from), endOf(to)];
    const ip = writeIp(
      addressBytes(source.address),
      addressBytes(target.address),
      17,
      writeUdp(source, target, bytes),
    );
    const seconds = Math.floor(proxy.now / 1000);
    packets.push({ seconds, nanos: (proxy.now - seconds * 1000) * 1_000_000, bytes: writeEthernet(ip) });
  }

  function tell(): void {
    for (; told < proxy.events.length; told++) detection.happened(proxy.events[told]!);
  }

  return {
    proxy,
    findings,
    packets,
    send(from: string, text: string): readonly Sent[] {
      capture(from, FILTER, Buffer.from(text, "latin1"));
      const sent = proxy.receive(from, text);
      for (const each of sent) capture(FILTER, each.to, each.bytes);
      tell();
      return sent;
    },
    pass(millis: number): void {
      proxy.pass(millis);
      tell();
    },
  };
}

type CapturedFilter = ReturnType<typeof createCapturedFilter>;

/** What becomes of a call: it rings, then the steps follow, `SECONDS WHAT`. */
type Ending =
  | "cancelled"
  | "busy"
  | "answered, caller releases"
  | "answered, called releases"
  | "dropped at once";

function play(filter: CapturedFilter, index: number, caller: string, ending: Ending): void {
  const called = `0278765${4000 + index}`;
  const callId = `call-${index}`;
  const callerParty = `<sip:${caller}@203.0.113.10>;tag=caller-${index}`;
  const via = [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall-${index}`];
  const parts = {
    uri: `sip:${called}@192.0.2.1`,
    from: callerParty,
    to: `<sip:${called}@192.0.2.1>`,
    callId,
    via,
  };
  const invited = filter.send(peers.lessee, request(parts))[0];
  if (invited === undefined) throw new Error("the INVITE did not go on");
  const answer = (status: number): readonly Sent[] =>
    filter.send(peers.core, respond(invited.text, status, { contact: "<sip:198.51.100.1:5060>" }));
  filter.pass(800);
  answer(180);
  if (ending === "cancelled") {
    filter.pass(2200);
    const cancel = filter.send(peers.lessee, request({ ...parts, method: "CANCEL", cseq: "1 CANCEL" }))[0];
    filter.pass(100);
    filter.send(peers.core, respond(cancel?.text ?? "", 200));
    answer(487);
    return;
  }
  filter.pass(5000);
  if (ending === "busy") {
    answer(486);
    return;
  }
  const learnt = answer(200)[0]?.text ?? "";
  filter.pass(ending === "dropped at once" ? 1500 : 45_000);
  const byCaller = ending !== "answered, called releases";
  const calledParty = `${parts.to};tag=called`;
  const route = header(byCaller ? learnt : invited.text, "Record-Route") ?? "";
  const bye = request({
    method: "BYE",
    uri: byCaller ? "sip:198.51.100.1:5060" : "sip:pbx@203.0.113.10:5060",
    from: byCaller ? callerParty : calledParty,
    to: byCaller ? calledParty : callerParty,
    callId,
    cseq: "2 BYE",
    via: [`SIP/2.0/UDP ${byCaller ? peers.lessee : peers.core};branch=z9hG4bKbye-${index}`],
    headers: [`Route: ${route}`],
  });
  const forwarded = filter.send(byCaller ? peers.lessee : peers.core, bye)[0];
  if (forwarded === undefined) throw new Error("the BYE did not go on");
  filter.pass(50);
  filter.send(byCaller ? peers.core : peers.lessee, respond(forwarded.text, 200));
}

/** A line of a finding, whose calls are named by their Call-IDs. */
function withCallIds(line: object, names: ReadonlyMap<string, string>): object {
  const {
    calls,
    id: _id,
    unbound: _unbound,
    ...seen
  } = { calls: undefined, id: undefined, unbound: undefined, ...line };
  const ids: unknown = calls;
  return { ...seen, calls: Array.isArray(ids) ? ids.map((id) => names.get(String(id))) : ids };
}

void t.test("ends and findings of the running filter, and of a capture of what it carried", async (t) => {
  const filter = createCapturedFilter();
  const endings: readonly Ending[] = [
    "busy",
    "answered, caller releases",
    "answered, called releases",
    "dropped at once",
    "cancelled",
  ];
  for (let i = 0; i < 25; i++) {
    play(filter, i, "+861087654321", "cancelled");
    filter.pass(10_000);
    play(filter, 100 + i, `+8610876543${30 + (i % 40)}`, endings[i % endings.length]!);
    filter.pass(15_000);
  }
  const file = join(folder, "filter.pcap");
  writeFileSync(file, writePcap(filter.packets));
  const lines = parseLines((await replay([file], { config, ends: true })).stdout);

  const callIds = new Map<string, string>();
  for (const event of filter.proxy.events)
    if (event.kind === "decided") callIds.set(event.call.id, event.decision.attempt.callId);
  const frames = new Map(lines.map(({ frame, callId }) => [String(frame), String(callId)]));
  const told = filter.proxy.events.flatMap((event) =>
    event.kind === "ended" ? [{ ...describeEnd(event, "bank"), id: callIds.get(event.call.id) }] : [],
  );
  const shown = lines
    .filter(({ record }) => record === "ended")
    .map((line) => ({ ...line, id: frames.get(String(line["id"])) }));
  t.equal(told.length, 50);
  t.same(shown, JSON.parse(JSON.stringify(told)), "the same ends, to the millisecond");

  const found = lines.filter(({ record }) => record === "finding");
  t.ok(found.length > 0, "something is found");
  t.same(
    found.map((line) => withCallIds(line, frames)),
    filter.findings.map((line) => withCallIds(line, callIds)),
    "the same findings: subject, time, until, calls and facts",
  );
});
