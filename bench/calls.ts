/** Whole calls through the relay without sockets, over the full dataset: what sigwall adds to the price of its sockets. */
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallEvent } from "../src/domain/call.ts";
import type { Policy } from "../src/policy/policy.ts";
import { createCounters } from "../src/observe/counters.ts";
import { createListener } from "../src/routing/listener.ts";
import { createSipProxy } from "../src/proxy/sip-proxy.ts";
import { createScreeningState } from "../src/screening/state.ts";
import { createKeyedTags } from "../src/sip/tag.ts";
import { allowedCalls, type LoadCall, makeDataset, rejectedCalls } from "./dataset.ts";
import { type Layout, writeSigwallPolicy } from "./dataset-files.ts";
import { answerTo, type CallText, inviteOf, requestOf } from "./messages.ts";
import type { LoadKind } from "./load.ts";
import { median } from "./report.ts";
import { loadPolicy } from "../src/config/load-policy.ts";

const callCount = 20_000;
/** 800 calls of each kind a second, as in the timed load. */
const millisPerCall = 1.25;
const layout: Layout = { trunkPort: 5060, coreAddress: "127.0.0.1", corePort: 5090, overload: "off" };
const filter = "127.0.0.1:5062";

type Step = "INVITE allowed" | "answers to it" | "ACK" | "BYE" | "INVITE rejected" | "ACK of the 403";

/** Rows of step, median ns and mean ns; the means include garbage collection. The last rows are whole calls. */
export function measureCalls(): readonly (readonly string[])[] {
  const spent = new Map<Step, number[]>();
  playCalls(callCount, {
    took(step, nanos, call) {
      if (call < callCount / 2) return;
      const earlier = spent.get(step);
      if (earlier === undefined) spent.set(step, [nanos]);
      else earlier.push(nanos);
    },
  });
  return report(spent);
}

/** A proxy without sockets: datagrams in, the last datagram out. */
export interface Relay {
  handle(now: number, address: string, port: number, bytes: Buffer): void;
  /** The datagram that left last. Valid until the next `handle`; empty when none left. */
  sent(): Buffer;
}

/** Makes a proxy with the whole dataset and a fixed key: the same datagrams in, the same datagrams out. */
export function createRelay(happened: (event: CallEvent) => void = () => undefined): Relay {
  const policy = compile();
  let out: Buffer = Buffer.alloc(0);
  let length = 0;
  const listener = createListener(`udp:${filter}`, 0, "udp", "127.0.0.1", 5062);
  const proxy = createSipProxy({
    policy: () => policy,
    listeners: [listener],
    tags: createKeyedTags(Buffer.alloc(32, 7)),
    state: createScreeningState(policy.tables),
    counters: createCounters(),
    elapsed: () => performance.now(),
    transactionsSize: 16,
    ledgerSize: policy.tables.calls,
    callBytes: policy.tables.callBytes,
    failoverSize: 1000,
    naming: { node: "bench", epoch: 1_700_000_000 },
    sink: {
      send: (_listener, _address, _port, bytes, size) => {
        out = bytes;
        length = size;
        return true;
      },
      happened,
      fault: (error) => {
        throw error;
      },
    },
  });

  return {
    handle(now, address, port, bytes) {
      length = 0;
      proxy.handle(now, listener, address, port, bytes);
    },
    sent: () => out.subarray(0, length),
  };
}

/** A datagram of a call, as the relay got it. */
export interface Input {
  readonly now: number;
  readonly address: string;
  readonly port: number;
  readonly bytes: Buffer;
  /** Octets of the datagram that left because of it. */
  readonly sent: number;
}

/** Watches calls being played. */
export interface CallWatch {
  /** Learns how long each step took, in nanoseconds, and of which call it was, from 0. */
  took?(step: Step, nanos: number, call: number): void;
  /** Learns what the relay was given. The bytes are the watcher's. */
  given?(input: Input, kind: LoadKind): void;
  /** Learns what the proxy tells of calls. */
  happened?(event: CallEvent): void;
}

/**
 * Places `count` calls of each kind.
 *
 * @param block so many allowed calls, then as many rejected ones, and so on
 */
export function playCalls(count: number, watch: CallWatch, block = 1): void {
  const dataset = makeDataset();
  const relay = createRelay((event) => watch.happened?.(event));
  let playing = 0;
  let kind: LoadKind = "allowed";
  let now = Date.parse("2026-06-01T00:00:00Z");

  /** Hands one datagram in and returns what came out; it must begin as expected. */
  function pass(step: Step, text: string, address: string, port: number, expected: string): string {
    const bytes = Buffer.from(text, "latin1");
    const begun = process.hrtime.bigint();
    relay.handle(now, address, port, bytes);
    const nanos = Number(process.hrtime.bigint() - begun);
    watch.took?.(step, nanos, playing);
    const sent = relay.sent().toString("latin1");
    watch.given?.({ now, address, port, bytes: Buffer.from(text, "latin1"), sent: sent.length }, kind);
    if (!sent.startsWith(expected))
      throw new Error(`${step}: expected ${expected}, got ${sent.split("\r\n", 1)[0]}`);
    return sent;
  }

  function answer(request: string, status: string, withBody: boolean): string {
    const text = answerTo(request, status, "core", withBody);
    return pass("answers to it", text, layout.coreAddress, layout.corePort, "SIP/2.0 ");
  }

  function allow(call: CallText): void {
    const toCore = (step: Step, text: string, expected: string): string =>
      pass(step, text, call.address, call.port, expected);
    const invite = toCore("INVITE allowed", inviteOf(call), "INVITE ");
    answer(invite, "100 Trying", false);
    answer(invite, "180 Ringing", false);
    const ok = answer(invite, "200 OK", true);
    const route =
      ok
        .split("\r\n")
        .find((line) => line.startsWith("Record-Route: "))
        ?.slice("Record-".length) ?? "";
    toCore("ACK", requestOf(call, "ACK", 1, "core", [route]), "ACK ");
    answer(toCore("BYE", requestOf(call, "BYE", 2, "core", [route]), "BYE "), "200 OK", false);
  }

  function reject(call: CallText): void {
    const refusal = pass("INVITE rejected", inviteOf(call), call.address, call.port, "SIP/2.0 403 ");
    const tag =
      refusal
        .split("\r\n")
        .find((line) => line.startsWith("To: "))
        ?.split(";tag=")[1] ?? "";
    // RFC 3261 section 17.1.1.3: the ACK of a refusal carries the branch of its INVITE.
    const ack = requestOf(call, "ACK", 1, tag).replace("-ACK;rport", "-INVITE;rport");
    pass("ACK of the 403", ack, call.address, call.port, "");
  }

  const allowed = allowedCalls(dataset);
  const rejected = rejectedCalls(dataset);
  for (let from = 0; from < count; from += block) {
    const indexes = Array.from({ length: Math.min(block, count - from) }, (_, i) => from + i);
    kind = "allowed";
    for (playing of indexes) {
      now += millisPerCall;
      allow(callOf(allowed, playing));
    }
    kind = "rejected";
    for (playing of indexes) reject({ ...callOf(rejected, playing), callId: `r${playing}-4711@127.0.0.1` });
  }
}

function callOf(from: readonly LoadCall[], index: number): CallText {
  const call = from[index % from.length];
  if (call === undefined) throw new Error("the dataset holds no calls");
  return { ...call, port: layout.trunkPort, callId: `${index}-${from.length}-4711@127.0.0.1`, filter };
}

function report(spent: ReadonlyMap<Step, readonly number[]>): readonly (readonly string[])[] {
  const calls = callCount / 2;
  const rows: (readonly string[])[] = [];
  const whole = { allowed: { median: 0, mean: 0 }, rejected: { median: 0, mean: 0 } };
  for (const [step, nanos] of spent) {
    const middle = median(nanos);
    const mean = nanos.reduce((total, one) => total + one, 0) / nanos.length;
    rows.push([`calls: ${step}`, middle.toFixed(0), mean.toFixed(0)]);
    const call = step === "INVITE rejected" || step === "ACK of the 403" ? whole.rejected : whole.allowed;
    call.median += (middle * nanos.length) / calls;
    call.mean += (mean * nanos.length) / calls;
  }
  for (const [kind, { median: middle, mean }] of Object.entries(whole)) {
    rows.push([`calls: a whole ${kind} call`, middle.toFixed(0), mean.toFixed(0)]);
  }
  return rows;
}

function compile(): Policy {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-calls-"));
  try {
    writeSigwallPolicy(folder, makeDataset(), layout, filter, "127.0.0.1:9464");
    const { policy, issues } = loadPolicy(
      (path) => ({ bytes: readFileSync(path) }),
      join(folder, "policy.yaml"),
    );
    if (policy === undefined)
      throw new Error(issues.map(({ line, message }) => `policy.yaml:${line} ${message}`).join("\n"));
    return policy;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
