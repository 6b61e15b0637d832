import { naming } from "../support/events.ts";
import t from "tap";
import { createScreeningState } from "../../src/screening/state.ts";
import { createCounters, eachAttemptCount } from "../../src/observe/counters.ts";
import type { Engine, EngineParts } from "../../src/engines/engine.ts";
import { freePort } from "../support/free-port.ts";
import { basicLists, compileText } from "../support/proxy.ts";
import {
  openSipJsPeer,
  sdp,
  type Answering,
  type CallResult,
  type PlacedCall,
  type SipJsPeer,
} from "../support/sip-js-peer.ts";

/** Who calls: each has a trunk of its own, but the stranger. */
type Caller = "lessee" | "abroad" | "moved" | "slow" | "paired" | "core" | "stranger";

/** One call through a running engine: what its peers do, and what must come of it. */
export interface Scenario {
  readonly name: string;
  readonly from: Caller;
  /** The called number; {@link called} when left out. */
  readonly to?: string;
  readonly call: PlacedCall;
  readonly answering: Answering;
  /** Final status at the calling side; undefined: silence. */
  readonly status: number | undefined;
  /** Reason code that is counted. */
  readonly reason?: string;
  /** True when the INVITE must reach the called side. */
  readonly reaches: boolean;
  /** A provisional answer that the calling side must see. */
  readonly provisional?: number;
}

/** What is otherwise with an engine, and why: by the name of the scenario. */
export type Differences = Readonly<
  Record<string, Pick<Scenario, "status" | "reaches" | "reason"> & { readonly because: string }>
>;

/** An engine that is up, and where it takes SIP. */
export interface RunningEngine {
  readonly engine: Engine;
  readonly address: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** The lessee's number, and one next to it that is not the lessee's. */
const listed = "01087654321";
const unlisted = "01087654400";
const called = "02787654321";

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
    name: "early media",
    from: "lessee",
    call: { from: listed },
    answering: "early-media",
    status: 200,
    reason: "listed",
    reaches: true,
    provisional: 183,
  },
  {
    name: "no answer",
    from: "lessee",
    call: { from: listed },
    answering: "no-answer",
    status: 480,
    reason: "listed",
    reaches: true,
    provisional: 180,
  },
  {
    name: "INVITE sent twice",
    from: "lessee",
    call: { from: listed, repeat: true },
    answering: "answer",
    status: 200,
    reason: "listed",
    reaches: true,
  },
  {
    name: "INVITE of a refused call sent twice",
    from: "lessee",
    call: { from: unlisted, repeat: true },
    answering: "answer",
    status: 403,
    reason: "cli-not-listed",
    reaches: false,
  },
  {
    name: "the first next hop is down",
    from: "paired",
    call: { from: listed },
    answering: "answer",
    status: 200,
    reason: "listed",
    reaches: true,
  },
  {
    name: "from the core",
    from: "core",
    call: { from: called },
    answering: "answer",
    status: 404,
    reason: "default",
    reaches: false,
  },
  {
    name: "malformed number",
    from: "lessee",
    call: { from: "+8601087654321" },
    answering: "answer",
    status: 403,
    reason: "cli-malformed",
    reaches: false,
  },
  {
    name: "fields that contradict each other",
    from: "lessee",
    call: {
      from: listed,
      headers: [
        "P-Asserted-Identity: <sip:+861087654321@a>",
        "Remote-Party-ID: <sip:+861087654322@a>;party=calling",
      ],
    },
    answering: "answer",
    status: 403,
    reason: "cli-conflict",
    reaches: false,
  },
  {
    name: "an address that does not end",
    from: "lessee",
    call: { from: listed, headers: ["Diversion: <sip:+861087654321@a"] },
    answering: "answer",
    status: 400,
    reason: "message-malformed",
    reaches: false,
  },
  {
    name: "a 400 number from abroad",
    from: "abroad",
    call: { from: "+864001234567" },
    answering: "answer",
    status: 403,
    reason: "home-cli-from-abroad",
    reaches: false,
  },
  {
    name: "on the police list",
    from: "abroad",
    call: { from: "+442079460666" },
    answering: "answer",
    status: 603,
    reason: "police-listed",
    reaches: false,
  },
  {
    name: "forwarded without a licence",
    from: "lessee",
    call: { from: "+442079460000", headers: ["Diversion: <sip:+861087654321@a>;reason=unconditional"] },
    answering: "answer",
    status: 403,
    reason: "diversion-unlicensed",
    reaches: false,
  },
  {
    name: "a display name that shows another number",
    from: "lessee",
    call: { from: listed, headers: ['P-Asserted-Identity: "110" <sip:+861087654321@a>'] },
    answering: "answer",
    status: 200,
    reason: "listed",
    reaches: true,
  },
  {
    // The called side knows no 110 and says so: the filter would have said 403.
    name: "emergency, whoever calls",
    from: "lessee",
    to: "110",
    call: { from: unlisted },
    answering: "answer",
    status: 404,
    reason: "emergency",
    reaches: false,
  },
  {
    name: "the one call that a slow trunk may place",
    from: "slow",
    call: { from: listed },
    answering: "answer",
    status: 200,
    reason: "listed",
    reaches: true,
  },
  {
    name: "too many calls a second",
    from: "slow",
    call: { from: listed },
    answering: "answer",
    status: 503,
    reason: "call-rate-exceeded",
    reaches: false,
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
  { call, to = called }: Scenario,
  expectsSilence: boolean,
  peer: SipJsPeer,
  proof: () => Promise<unknown>,
): Promise<Partial<CallResult>> {
  const result = peer.call(to, call);
  if (!expectsSilence) return result;
  return Promise.race([result, proof().then(() => ({}))]);
}

function policyText(address: string, peers: Readonly<Record<Caller, SipJsPeer>>, deadPort: number): string {
  const host = address.includes(":") ? `[${address}]` : address;
  const hop = `sip:${host}:${peers.core.port}`;
  const trunk = (id: Caller, side: string, rest: string): string =>
    `  - { id: ${id}, side: ${side}, match: { addresses: ["${address}"], ports: [${peers[id].port}] }${rest} }`;
  const lessee = 'lessee: bank, areaCode: "10"';
  return `
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
${trunk("core", "core", "")}
${trunk("lessee", "lessee", `, ${lessee}, nextHops: ["${hop}"]`)}
${trunk("abroad", "international", `, nextHops: ["${hop}"], rules: { home-cli-from-abroad: { roamers: withhold } }`)}
${trunk("moved", "lessee", `, ${lessee}, nextHops: ["${hop}"], mode: redirect`)}
${trunk("slow", "lessee", `, ${lessee}, nextHops: ["${hop}"], limits: { callsPerSecond: 0.01 }`)}
${trunk("paired", "lessee", `, ${lessee}, nextHops: ["sip:${host}:${deadPort}", { uri: "${hop}", priority: 2 }]`)}
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
lists:
  police: { file: police.csv, kind: police }
nextHopHealth: { timeoutSeconds: 1 }
`;
}

/** Runs every scenario through an engine that `start` has started. */
export function runScenarios(
  name: string,
  start: (parts: EngineParts) => Promise<RunningEngine>,
  address: string,
  differences: Differences = {},
): void {
  void t.test(`${name} on ${address}`, async (t) => {
    const open = (id: Caller): Promise<SipJsPeer> => openSipJsPeer(id === "core" ? called : id, address);
    const peers: Record<Caller, SipJsPeer> = {
      lessee: await open("lessee"),
      abroad: await open("abroad"),
      moved: await open("moved"),
      slow: await open("slow"),
      paired: await open("paired"),
      core: await open("core"),
      stranger: await open("stranger"),
    };
    const opened = Object.values(peers);
    const { core, lessee } = peers;
    const policy = compileText(policyText(address, peers, await freePort(address)), {
      ...basicLists,
      "police.csv": "number\n+442079460666\n",
    });
    const counters = createCounters();
    const host = address.includes(":") ? `[${address}]` : address;
    const { engine, port, close } = await start({
      listen: [{ id: `udp:${host}:0`, transport: "udp", address, port: 0 }],
      policy: () => policy,
      state: createScreeningState(policy.tables),
      counters,
      key: new Uint8Array(32).fill(7),
      naming,
      happened: () => undefined,
      fault: (error) => t.fail(String(error)),
    });
    for (const peer of opened) peer.proxy = { address, port };
    t.ok(engine.isReady(), "ready");
    let byes = 0;
    let cancels = 0;

    for (const scenario of scenarios) {
      await t.test(scenario.name, async (t) => {
        const expected = { ...scenario, ...differences[scenario.name] };
        core.answering = scenario.answering;
        const caller = peers[scenario.from];
        caller.answering = scenario.answering;
        const before = core.seen.invites.length;
        const counted = reasonCount(expected.reason);
        const { status, provisional } = await callOrSilence(
          scenario,
          expected.status === undefined,
          caller,
          () => lessee.call(called, { from: unlisted }),
        );
        t.equal(status, expected.status, "final status");
        t.equal(core.seen.invites.length - before, expected.reaches ? 1 : 0, "INVITEs at the called side");
        if (expected.reason !== undefined)
          t.equal(reasonCount(expected.reason) - counted, 1, `counted as ${expected.reason}`);
        if (expected.reaches) t.equal(core.seen.bodies.at(-1), sdp.content, "body byte for byte");
        if (scenario.provisional !== undefined)
          t.ok(provisional?.includes(scenario.provisional), `the caller saw ${scenario.provisional}`);
        if (expected.status === 200 && scenario.answering !== "answer-and-hang-up") byes++;
        if (scenario.call.cancel === true) cancels++;
      });
    }
    t.equal(core.seen.byes, byes, "every answered call that its caller ended was ended by BYE");
    t.equal(core.seen.cancels, cancels);
    for (const about of Object.keys(differences))
      t.ok(
        scenarios.some((scenario) => scenario.name === about),
        `the difference "${about}" is about a scenario`,
      );

    await close();
    t.notOk(engine.isReady());
    await Promise.all(opened.map((peer) => peer.close()));

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
