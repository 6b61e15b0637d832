// Several filters as nodes of one cluster, at virtual time: what one tells reaches the others when the test says so.
import { createCallSharing, type CallSharing } from "../../src/cluster/call-sharing.ts";
import type { NodeRef } from "../../src/cluster/exchange.ts";
import type { CallEvent } from "../../src/domain/call.ts";
import { createScreeningListener } from "../../src/screening/limits/call-events.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { compileText, createTestProxy, type TestProxy } from "./proxy.ts";

/** Any start of a process, in seconds. All nodes of a test start in the same second: names must not meet. */
export const EPOCH = 1_700_000_000;

export interface TestNode extends TestProxy {
  readonly ref: NodeRef;
  readonly sharing: CallSharing;
  /** Events of other nodes. */
  readonly heard: CallEvent[];
  /** Calls of this node that have ended on others, by id. */
  readonly endedElsewhere: string[];
  /** Batches that wait for the others. */
  readonly outbox: Uint8Array[];
}

export interface TestCluster {
  readonly nodes: readonly TestNode[];
  /** Lets what was told so far reach every other node, `age` milliseconds later. */
  exchange(age?: number): void;
  /** Lets `millis` pass on every node, which exchange every 100 ms. */
  pass(millis: number): void;
}

/** @param names the nodes that there are; each is told of the others */
export function createTestCluster(
  policyText: string,
  names: readonly string[] = ["gw-a", "gw-b"],
  lists?: Readonly<Record<string, string>>,
): TestCluster {
  const nodes = names.map((node): TestNode => {
    const policy = compileText(policyText, lists);
    const state = createScreeningState(policy.tables);
    const naming = { node, epoch: EPOCH };
    const outbox: Uint8Array[] = [];
    const heard: CallEvent[] = [];
    const endedElsewhere: string[] = [];
    const listen = createScreeningListener(state, policy.tables.calls);
    const clock: { proxy?: TestProxy } = {};
    const sharing = createCallSharing({
      naming,
      state,
      policy: () => policy,
      send: (batch) => outbox.push(batch),
      heard(event) {
        heard.push(event);
        listen(event);
      },
      endedElsewhere: (id) => endedElsewhere.push(id),
      hears: () => true,
      now: () => clock.proxy?.now ?? 0,
    });
    const proxy = createTestProxy(policy, {
      naming,
      state,
      ledgerSize: 300_000,
      sharing: sharing.memory,
      told(event) {
        listen(event);
        sharing.happened(event);
      },
    });
    clock.proxy = proxy;
    return Object.assign(proxy, { ref: naming, sharing, heard, endedElsewhere, outbox });
  });
  const [first] = nodes;
  if (first === undefined) throw new Error("no node");

  function exchange(age = 0): void {
    for (const node of nodes) node.sharing.flush();
    for (const from of nodes)
      for (const batch of from.outbox.splice(0))
        for (const node of nodes) if (node !== from) node.sharing.batch(from.ref, batch, age);
  }

  for (const node of nodes)
    for (const other of nodes) if (other !== node) node.sharing.peer(other.ref, "new");
  return {
    nodes,
    exchange,
    pass(millis) {
      for (let left = millis; left > 0; left -= 100) {
        for (const node of nodes) node.pass(Math.min(100, left));
        exchange();
      }
    },
  };
}
