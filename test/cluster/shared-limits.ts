// Limits over several nodes: split traffic passes no more calls than one node lets pass, but those of the time of an exchange.
import t from "tap";
import { createTestCluster } from "../support/nodes.ts";
import { basicPolicy, outcomeOf, peers, request, respond } from "../support/proxy.ts";
import { via } from "../support/released-call.ts";

const policy = (limits: string): string =>
  `${basicPolicy.replace("id: lease, side: lessee,", `id: lease, side: lessee, limits: ${limits},`)}nextHopHealth: { probe: off }\n`;

interface Load {
  readonly limits: string;
  /** Calls a second over all nodes. */
  readonly perSecond: number;
  readonly seconds: number;
  /** The caller of a call. */
  readonly caller: (call: number) => string;
  /** Calls are ended at once, or stay. */
  readonly ends: boolean;
}

/** Sends calls to the nodes in turn. @returns how many went on */
function passed(names: readonly string[], { limits, perSecond, seconds, caller, ends }: Load): number {
  const cluster = createTestCluster(policy(limits), names);
  let count = 0;
  let calls = 0;
  for (let tick = 0; tick < seconds * 10; tick++) {
    for (let each = 0; each < perSecond / 10; each++, calls++) {
      const node = cluster.nodes[calls % names.length]!;
      const callId = `c${calls}`;
      const from = `<sip:${caller(calls)}@203.0.113.10>;tag=${callId}`;
      const sent = node.receive(peers.lessee, request({ callId, from, via: via(peers.lessee) }));
      if (outcomeOf(sent) !== `to ${peers.core}`) continue;
      count++;
      if (ends) node.receive(peers.core, respond(sent[0]!.text, 486));
    }
    cluster.pass(100);
  }
  return count;
}

const one = (): string => "+861087654321";
const many = (call: number): string => `+8610876543${String(call % 100).padStart(2, "0")}`;

const rows: readonly [name: string, load: Load][] = [
  [
    "callsPerSecond",
    { limits: "{ callsPerSecond: 20 }", perSecond: 100, seconds: 6, caller: many, ends: true },
  ],
  ["channels", { limits: "{ channels: 30 }", perSecond: 100, seconds: 5, caller: many, ends: false }],
  [
    "attempts of a caller in a minute",
    { limits: "{ attemptsPerCallerPerMinute: 30 }", perSecond: 40, seconds: 4, caller: one, ends: true },
  ],
  [
    "frequency of a caller",
    {
      limits: "{ frequency: [{ per: caller, calls: 3, within: 1m }] }",
      perSecond: 100,
      seconds: 6,
      caller: many,
      ends: true,
    },
  ],
  [
    "frequency of a trunk in a day",
    {
      limits: "{ frequency: [{ per: trunk, calls: 200, within: 1d }] }",
      perSecond: 100,
      seconds: 4,
      caller: many,
      ends: true,
    },
  ],
  [
    "unanswered calls of a caller",
    {
      limits: "{ frequency: [{ per: caller, calls: 20, within: 1h, onlyUnanswered: true }] }",
      perSecond: 50,
      seconds: 3,
      caller: one,
      ends: true,
    },
  ],
];

for (const [name, load] of rows)
  void t.test(name, async (t) => {
    const alone = passed(["gw-a"], load);
    for (const names of [
      ["gw-a", "gw-b"],
      ["gw-a", "gw-b", "gw-c", "gw-d"],
    ]) {
      const together = passed(names, load);
      // What the others let pass within one exchange: here 100 ms.
      const bound = Math.ceil((load.perSecond / 10) * ((names.length - 1) / names.length));
      const burst = load.limits.includes("callsPerSecond") ? bound : 0;
      t.ok(together >= alone - bound, `${names.length} nodes let ${together} pass; one node ${alone}`);
      t.ok(together <= alone + bound + burst, `at most ${bound + burst} more than one node`);
    }
  });
