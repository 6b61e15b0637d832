import { Buffer } from "node:buffer";
import type { Policy, TrunkPolicy } from "../src/policy/policy.ts";
import type { SignallingSource } from "../src/domain/attempt.ts";
import { createScreeningState } from "../src/screening/state.ts";
import { readAttempt } from "../src/sip/attempt/sip-attempt.ts";
import { createMessage } from "../src/sip/message.ts";
import { scan } from "../src/sip/scan.ts";
import { makeDataset } from "./dataset.ts";
import { measureCallMemory } from "./call-memory.ts";
import { measureCalls } from "./calls.ts";
import { createIamJudge, iamsOf, measureSs7Replay } from "./isup.ts";
import { type CallText, inviteOf } from "./messages.ts";
import { measureReplay } from "./replay.ts";
import { formatColumns, median } from "./report.ts";
import { measureRelayGarbage } from "./figures/relay-garbage.ts";
import { loadPolicy } from "../src/config/load-policy.ts";

/** What the core costs without sockets: ns per message, medians over batches; then `replay` over a generated capture. */

const distinct = 4_096;
const batchSize = 256;
const batches = 240;
/** Longer than 32 s for one turn through all messages, so that none meets its own ledger entry. */
const millisPerCall = 10;

const trunkAddress = "192.0.2.10";
const coreAddress = "192.0.2.90";
const listen = "udp:192.0.2.60:5060";
const { trunks } = makeDataset();
const numbers = trunks.flatMap(({ lessee }) => lessee?.numbers ?? []);

const policy = compile();
const source = policy.matchTrunk(listen, trunkAddress, 5060);
if (source === undefined) throw new Error("the bench policy has no trunk for its own address");
const rows = measureScreening(source);
process.stdout.write(`${numbers.length} numbers listed; INVITE of ${inviteBytes(0, true).length} bytes\n`);
process.stdout.write(`${formatColumns([["step", "ns median", "ns 90 %"], ...rows])}\n\n`);
process.stdout.write(
  `${formatColumns([["relay, datagram in to datagram out", "ns median", "ns mean"], ...measureCalls()])}\n\n`,
);
process.stdout.write(`${formatColumns([["calls", "ns median"], ...measureCallMemory()])}\n\n`);
process.stdout.write(
  `${formatColumns([["garbage of the relay, by call", "KB"], ...measureRelayGarbage()])}\n\n`,
);
process.stdout.write(`${await measureReplay()}\n`);
process.stdout.write(`${await measureSs7Replay()}\n`);

/** One lessee with all 100,000 numbers behind one trunk. */
function compile(): Policy {
  const limits = "{ callsPerSecond: 100000, attemptsPerCallerPerMinute: 100000 }";
  const files = new Map([
    [
      "policy.yaml",
      `version: 1
home: { country: "86" }
trunks:
  - { id: core, side: core, match: { addresses: [${coreAddress}] } }
  - { id: lease, side: lessee, lessee: all, areaCode: "10", match: { addresses: [${trunkAddress}] }, nextHops: ["sip:${coreAddress}:5060"], limits: ${limits} }
lessees:
  - { id: all, name: all, contract: HT-1, numbers: all.csv }
lists:
  police: { file: police.csv, kind: police }
`,
    ],
    ["all.csv", `number\n${numbers.map((number) => `+${number}\n`).join("")}`],
    ["police.csv", "number\n+85291234567\n"],
  ]);
  const { policy: compiled, issues } = loadPolicy((path) => {
    const text = files.get(path);
    return text === undefined ? { error: "not found" } : { bytes: Buffer.from(text) };
  }, "policy.yaml");
  if (compiled === undefined)
    throw new Error(issues.map(({ line, message }) => `policy.yaml:${line} ${message}`).join("\n"));
  return compiled;
}

function callText(index: number, isListed: boolean): CallText {
  const number = isListed ? numbers[(index * 23) % numbers.length] : 862560000000 + index;
  const callId = `${isListed ? "a" : "r"}${index}-4711@${trunkAddress}`;
  return {
    address: trunkAddress,
    port: 5060,
    caller: `+${number}`,
    called: `${13_700_000_000 + index}`,
    callId,
    filter: "192.0.2.60:5060",
  };
}

function inviteBytes(index: number, isListed: boolean): Buffer {
  return Buffer.from(inviteOf(callText(index, isListed)), "latin1");
}

function measureScreening({ trunk, screen }: TrunkPolicy): readonly (readonly string[])[] {
  const allowed = Array.from({ length: distinct }, (_, index) => inviteBytes(index, true));
  const refused = Array.from({ length: distinct }, (_, index) => inviteBytes(index, false));
  const origin: SignallingSource = {
    signalling: "sip",
    transport: "udp",
    sourceAddress: trunkAddress,
    sourcePort: 5060,
    destinationAddress: "192.0.2.60",
    destinationPort: 5060,
  };
  const message = createMessage();
  const state = createScreeningState(policy.tables);
  let now = Date.parse("2026-06-01T00:00:00Z");
  const judge = (bytes: Buffer, expected: string): void => {
    now += millisPerCall;
    const { verdict } = screen.judge(readAttempt(scan(message, bytes), trunk, now, origin), state);
    if (verdict.kind !== expected)
      throw new Error(`${verdict.kind} (${verdict.reason}) instead of ${expected}`);
  };
  const listed = screen.tables.lesseeNumbers?.numbers;
  const iams = iamsOf(
    Array.from({ length: distinct }, (_, index) => numbers[(index * 23) % numbers.length] ?? 0),
  );
  const judgeIam = createIamJudge({ trunk, screen, mayWithhold: false }, state);
  return [
    measure("scan", (turn) => scan(message, at(allowed, turn))),
    measure("scan + identity", (turn) => readAttempt(scan(message, at(allowed, turn)), trunk, now, origin)),
    measure("scan + identity + screen, allowed", (turn) => judge(at(allowed, turn), "accept")),
    measure("scan + identity + screen, refused", (turn) => judge(at(refused, turn), "reject")),
    measure("the same, one INVITE again and again", () => judge(at(allowed, 0), "accept")),
    measure("M3UA + ISUP + screen, allowed", (turn) =>
      judgeIam(at(iams, turn), (now += millisPerCall), "accept"),
    ),
    measure("number set: find, listed", (turn) =>
      listed?.find(numbers[(turn * 7919) % numbers.length] ?? 0, now),
    ),
    measure("number set: find, not listed", (turn) => listed?.find(862_560_000_000 + turn, now)),
  ];
}

/** Median and 90th percentile over batches, after as many warm-up batches. */
function measure(name: string, operation: (turn: number) => unknown): readonly string[] {
  const nanos: number[] = [];
  let turn = 0;
  for (let batch = -batches; batch < batches; batch += 1) {
    const begun = process.hrtime.bigint();
    for (let i = 0; i < batchSize; i += 1) operation(turn++);
    const spent = Number(process.hrtime.bigint() - begun) / batchSize;
    if (batch >= 0) nanos.push(spent);
  }
  const sorted = nanos.toSorted((left, right) => left - right);
  return [name, median(nanos).toFixed(0), (sorted[Math.floor(sorted.length * 0.9)] ?? 0).toFixed(0)];
}

function at<Item>(items: readonly Item[], turn: number): Item {
  const item = items[turn % items.length];
  if (item === undefined) throw new Error("no items");
  return item;
}
