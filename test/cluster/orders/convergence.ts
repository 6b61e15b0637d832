// Three nodes that give orders at random and hear each other late and out of step: in the end all of them have the same in force.
import t from "tap";
import type { Finding } from "../../../src/domain/finding.ts";
import { DAY } from "../../support/attempt.ts";
import { createOrderCluster, type OrderCluster, type OrderNode } from "../../support/order-nodes.ts";
import { basicPolicy } from "../../support/proxy.ts";
import { createDice } from "../../support/record-lines.ts";

const policy = `${basicPolicy}detectors:
  one-ring: { mode: enforce, quarantine: { subject: caller, for: 1d } }
  call-bombing: { mode: enforce, quarantine: { subject: called, for: 1d } }
`;
const states = ["active", "observe", "suspended", "closed"] as const;
const lines = ["trunk:lease", "trunk:intl", "lessee:bank"] as const;
const ROUNDS = 40;
const STEPS = 60;

function finding(id: string, at: number, dice: () => number): Finding {
  const isBombing = dice() < 0.5;
  const caller = { trunk: "lease", number: `+861391000000${Math.floor(dice() * 9)}` };
  return {
    id,
    detector: isBombing ? "call-bombing" : "one-ring",
    profile: "1",
    subject: isBombing
      ? { kind: "called", number: "+8613800138000" }
      : { kind: "caller", ...caller, number: "+8613910000001" },
    at,
    until: at + DAY,
    strength: 10 + Math.floor(dice() * 60),
    facts: {},
    evidence: [],
    participants: isBombing ? [caller] : [],
  };
}

/** Whatever a node may do; what is refused changes nothing. */
async function act(cluster: OrderCluster, node: OrderNode, dice: () => number, step: number): Promise<void> {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(dice() * values.length)]!;
  const subject = pick(["caller:+8613910000001@lease", "called:+8613800138000", "trunk:lease"]);
  switch (Math.floor(dice() * 6)) {
    case 0:
    case 1:
      await node.line(`${pick(lines)} ${pick(states)} JG-${step}`);
      break;
    case 2:
      node.quarantine.take(finding(`f1${node.name}-9${step}`, cluster.now, dice));
      break;
    case 3:
      await node.hold({ order: "add", subject, for: "1h" });
      break;
    case 4:
      await node.hold({ order: "release", subject });
      break;
    default: {
      const { participants, ...joined } = finding("f1x-1", cluster.now, dice);
      for (const participant of participants)
        node.quarantine.join({ ...joined, participants, calls: 1 }, participant, false);
    }
  }
}

function inForce({ commanded, table }: OrderNode): unknown {
  return {
    lines: [...commanded.orders].toSorted(([one], [other]) => one.localeCompare(other)),
    held: [...table.entries()]
      .map(({ held }) => ({
        ...held,
        participants: held.participants.map(({ number }) => number).toSorted(),
      }))
      .toSorted(
        (one, other) =>
          JSON.stringify(one.subject).localeCompare(JSON.stringify(other.subject)) ||
          one.holder.localeCompare(other.holder),
      ),
  };
}

void t.test("nodes agree when everything was heard", async (t) => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const dice = createDice(seed);
    const cluster = createOrderCluster(policy);
    const nodes = ["a", "b", "c"].map((name) =>
      cluster.start(name, { ahead: Math.floor(dice() * 10_000) - 5000 }),
    );
    for (let step = 0; step < STEPS; step++) {
      const node = nodes[Math.floor(dice() * nodes.length)]!;
      await act(cluster, node, dice, step);
      if (dice() < 0.3) cluster.now += Math.floor(dice() * 300);
      if (dice() < 0.4) cluster.trickle(dice);
    }
    cluster.deliver();
    const [first, ...others] = nodes.map(inForce);
    for (const [index, other] of others.entries())
      if (!t.same(other, first, `seed ${seed}: node ${index + 2}`)) return;
    const late = cluster.start("late");
    if (!t.same(inForce(late), first, `seed ${seed}: a node that starts`)) return;
  }
});
