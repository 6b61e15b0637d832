import t from "tap";
import { createScreeningState } from "../../src/screening/state.ts";
import { createCounters, eachAttemptCount } from "../../src/observe/counters.ts";
import type { Engine, EngineParts } from "../../src/engines/engine.ts";
import { compileText } from "../support/proxy.ts";
import {
  openSipJsPeer,
  sdp,
  type Answering,
  type PlacedCall,
  type SipJsPeer,
} from "../support/sip-js-peer.ts";

/** One call through a running engine: what its peers do, and what must come of it. */
export interface Scenario {
  readonly name: string;
  readonly from: "lessee" | "abroad" | "moved" | "core" | "stranger";
  readonly call: PlacedCall;
  readonly answering: Answering;
  /** Final status at the calling side; undefined: silence. */
  readonly status: number | undefined;
  /** Reason code that is counted. */
  readonly reason?: string;
  /** True when the INVITE must reach the called side. */
  readonly reaches: boolean;
}

/** The lessee's number, and one next to it that is not the lessee's. */
const listed = "01087654321";
const unlisted = "01087654400";

/** The call scenarios that every engine must pass. */
export const scenarios: readonly Scenario[] = [
  {
    name: "allowed, to BYE of the caller",
    from: "lessee",
    call: { from: listed },
    answering: "answer",
    status: 200,
    reason: "listed",
    reaches: true,
  },
  {
    name: "allowed, to BYE of the called side",
    from: "lessee",
    call: { from: "+861087654321" },
    answering: "answer-and-hang-up",
    status: 200,
    reason: "listed",
    reaches: true,
  },
  {
    name: "busy",
    from: "lessee",
    call: { from: listed },
    answering: "busy",
    status: 486,
    reason: "listed",
    reaches: true,
  },
  {
    name: "given up while ringing",
    from: "lessee",
    call: { from: listed, cancel: true },
    answering: "ring",
    status: 487,
    reason: "listed",
    reaches: true,
  },
  {
    name: "not listed",
    from: "lessee",
    call: { from: unlisted },
    answering: "answer",
    status: 403,
    reason: "cli-not-listed",
    reaches: false,
  },
  {
    name: "hidden by Privacy",
    from: "lessee",
    call: { from: listed, headers: ["Privacy: id"] },
    answering: "answer",
    status: 433,
    reason: "cli-hidden",
    reaches: false,
  },
  {
    name: "anonymous",
    from: "lessee",
    call: { from: "anonymous", fromHost: "anonymous.invalid" },
    answering: "answer",
    status: 433,
    reason: "cli-hidden",
    reaches: false,
  },
  {
    name: "no number",
    from: "lessee",
    call: { from: "pbx" },
    answering: "answer",
    status: 403,
    reason: "cli-absent",
    reaches: false,
  },
  {
    name: "listed From, forged PAI",
    from: "lessee",
    call: { from: listed, headers: [`P-Asserted-Identity: <sip:${unlisted}@pbx.example>`] },
    answering: "answer",
    status: 403,
    reason: "cli-not-listed",
    reaches: false,
  },
  {
    name: "a foreign caller from abroad",
    from: "abroad",
    call: { from: "+442079460000" },
    answering: "answer",
    status: 200,
    reason: "default",
    reaches: true,
  },
  {
    name: "+86 from abroad",
    from: "abroad",
    call: { from: "+861087654321" },
    answering: "answer",
    status: 403,
    reason: "home-cli-from-abroad",
    reaches: false,
  },
  {
    name: "0086 from abroad",
    from: "abroad",
    call: { from: "00861087654321" },
    answering: "answer",
    status: 403,
    reason: "home-cli-from-abroad",
    reaches: false,
  },
  {
    name: "short code from abroad",
    from: "abroad",
    call: { from: "95588" },
    answering: "answer",
    status: 403,
    reason: "home-cli-from-abroad",
    reaches: false,
  },
  {
    name: "a roaming mobile, number withheld, to BYE of the caller",
    from: "abroad",
    call: { from: "+8613912345678" },
    answering: "answer",
    status: 200,
    reason: "home-cli-from-abroad",
    reaches: true,
  },
  {
    name: "a roaming mobile, number withheld, to BYE of the called side",
    from: "abroad",
    call: { from: "+8613912345678" },
    answering: "answer-and-hang-up",
    status: 200,
    reason: "home-cli-from-abroad",
    reaches: true,
  },
  {
    name: "redirected",
    from: "moved",
    call: { from: listed },
    answering: "answer",
    status: 302,
    reason: "listed",
    reaches: false,
  },
  {
    name: "nobody known",
    from: "stranger",
    call: { from: listed },
    answering: "answer",
    status: undefined,
    reaches: false,
  },
];

/** How long silence must last: a stranger's INVITE is followed by another call, and answers keep their order on loopback. */
async function callOrSilence(
  scenario: Scenario,
  peer: SipJsPeer,
  proof: () => Promise<unknown>,
  called: string,
): Promise<number | undefined> {
  const result = peer.call(called, scenario.call).then(({ status }) => status);
  if (scenario.status !== undefined) return result;
  return Promise.race([result, proof().then(() => undefined)]);
}

/** Runs every scenario through an engine made by `create`. */
export function runScenarios(name: string, create: (parts: EngineParts) => Engine, address: string): void {
  void t.test(`${name} on ${address}`, async (t) => {
    const called = "02787654321";
    const [lessee, abroad, moved, stranger, core] = await Promise.all([
      openSipJsPeer("lessee", address),
      openSipJsPeer("abroad", address),
      openSipJsPeer("moved", address),
      openSipJsPeer("stranger", address),
      openSipJsPeer(called, address),
    ]);
    const host = address.includes(":") ? `[${address}]` : address;
    const policy = compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: ["${address}"], ports: [${core.port}] } }
  - { id: lease, side: lessee, match: { addresses: ["${address}"], ports: [${lessee.port}] }, lessee: bank, areaCode: "10", nextHops: ["sip:${host}:${core.port}"] }
  - { id: intl, side: international, match: { addresses: ["${address}"], ports: [${abroad.port}] }, nextHops: ["sip:${host}:${core.port}"], rules: { home-cli-from-abroad: { roamers: withhold } } }
  - { id: moved, side: lessee, match: { addresses: ["${address}"], ports: [${moved.port}] }, lessee: bank, areaCode: "10", nextHops: ["sip:${host}:${core.port}"], mode: redirect }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`);
    const counters = createCounters();
    const engine = create({
      listen: [{ id: `udp:${host}:0`, transport: "udp", address, port: 0 }],
      policy: () => policy,
      state: createScreeningState(policy.tables),
      counters,
      key: new Uint8Array(32).fill(7),
      decided: () => undefined,
      fault: (error) => t.fail(String(error)),
    });
    const [bound] = await engine.start();
    const port = Number(bound?.slice(bound.lastIndexOf(":") + 1));
    for (const peer of [lessee, abroad, moved, stranger, core]) peer.proxy = { address, port };
    t.ok(engine.isReady(), "ready");

    for (const scenario of scenarios) {
      await t.test(scenario.name, async (t) => {
        core.answering = scenario.answering;
        const caller = { lessee, abroad, moved, stranger, core }[scenario.from];
        caller.answering = scenario.answering;
        const before = core.seen.invites.length;
        const counted = reasonCount(scenario.reason);
        const status = await callOrSilence(
          scenario,
          caller,
          () => lessee.call(called, { from: unlisted }),
          called,
        );
        t.equal(status, scenario.status, "final status");
        t.equal(core.seen.invites.length - before, scenario.reaches ? 1 : 0, "INVITEs at the called side");
        if (scenario.reason !== undefined)
          t.equal(reasonCount(scenario.reason) - counted, 1, `counted as ${scenario.reason}`);
        if (scenario.reaches) t.equal(core.seen.bodies.at(-1), sdp.content, "body byte for byte");
      });
    }
    t.equal(core.seen.byes, 3, "every answered call that its caller ended was ended by BYE");
    t.equal(core.seen.cancels, 1);

    await engine.stop();
    t.notOk(engine.isReady());
    await Promise.all([lessee, abroad, moved, stranger, core].map((peer) => peer.close()));

    function reasonCount(reason: string | undefined): number {
      let sum = 0;
      eachAttemptCount(
        counters,
        (labels, count) => (sum += labels.reason === reason && labels.mode === "enforce" ? count : 0),
      );
      return sum;
    }
  });
}
