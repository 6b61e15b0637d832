import t from "tap";
import { compileText, createTestProxy, peers, request, respond, type TestProxy } from "../support/proxy.ts";
import { hop, invite, policyWith, summary } from "../support/next-hops.ts";
import { createStreamProxy, streamPolicy } from "../support/streams.ts";

const ranked = `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2 }, { uri: "sip:${hop.c}", priority: 3 }]`;

/** A socket that fails towards some places, as long as it is told to. */
function createBrokenSocket(): { readonly places: Set<string>; readonly sending: (to: string) => void } {
  const places = new Set<string>();
  return {
    places,
    sending(to) {
      if (places.has(to)) throw new Error(`nothing goes to ${to}`);
    },
  };
}

const set = (hours: number) => (proxy: TestProxy) => void (proxy.state.wall.ahead = hours * 3_600_000);

void t.test("a wall clock that is set ends no call; time that passes does", (t) => {
  for (const [how, advance, ended] of [
    ["set ahead", set(1), []],
    ["set back", set(-8), []],
    ["passed", (proxy: TestProxy) => void proxy.pass(3_600_000), ["timed-out"]],
  ] as const) {
    const proxy = createTestProxy();
    const [out] = proxy.receive(peers.lessee, request());
    const answer = respond(out?.text ?? "", 200).replace("\r\n\r\n", "\r\nSession-Expires: 1800\r\n\r\n");
    proxy.receive(peers.core, answer);
    advance(proxy);
    proxy.pass(1000);
    t.same(
      proxy.events.flatMap((event) => (event.kind === "ended" ? [event.how] : [])),
      ended,
      how,
    );
  }
  t.end();
});

void t.test("a probe that can't be sent: the others are, and waiting calls move", async (t) => {
  const { places, sending } = createBrokenSocket();
  const proxy = createTestProxy(compileText(policyWith(ranked)), { sending });
  places.add(hop.a);
  const probed = new Set(proxy.pass(2000).map(({ to }) => to));
  t.same([...probed].toSorted(), [hop.b, hop.c], "those behind it in the list");
  t.ok(proxy.counters.faults > 0, "counted");
  t.equal(proxy.faults.length, proxy.counters.faults, "and told");

  places.clear();
  t.same(summary(proxy.receive(peers.lessee, invite(1))), [`INVITE to ${hop.a}`]);
  places.add(hop.b);
  proxy.unreachable(hop.a);
  proxy.pass(100);
  places.clear();
  // The move to b was made and failed; its repeat is due a T1 later.
  const calls = summary(proxy.pass(600)).filter((each) => each.startsWith("INVITE"));
  t.same(calls, [`INVITE to ${hop.b}`]);
});

void t.test("a call that can't be moved: the others are", async (t) => {
  const { places, sending } = createBrokenSocket();
  const policy = `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2, weight: 1 }, { uri: "sip:${hop.c}", priority: 2, weight: 1 }]`;
  const proxy = createTestProxy(compileText(policyWith(policy, "nextHopHealth: { probe: off }")), {
    sending,
  });
  for (let call = 1; call <= 20; call++) proxy.receive(peers.lessee, invite(call));
  places.add(hop.b);
  proxy.unreachable(hop.a);
  const moved = proxy.pass(100).filter(({ to }) => to === hop.c).length;
  t.ok(moved > 3 && moved < 17, `${moved} of 20 went to c`);
  t.equal(proxy.counters.faults, 20 - moved, "each of the others is a fault of its own");
});

void t.test("a repeat that can't be sent: those of others are, and it is tried again", async (t) => {
  const { places, sending } = createBrokenSocket();
  const proxy = createStreamProxy(streamPolicy("udp"), { sending });
  const begin = (call: number): void => {
    const via = [`SIP/2.0/TCP 203.0.113.10:5070;branch=z9hG4bK${call}`];
    proxy.receive("tcp", "203.0.113.10:40001", request({ via, callId: `call-${call}` }));
  };
  begin(1);
  begin(2);
  places.add("198.51.100.1:5060");
  t.same(summary(proxy.wait(600)), [], "both were due");
  t.equal(proxy.counters.faults, 2, "and both were tried");
  places.clear();
  t.same(summary(proxy.wait(1000)), Array(2).fill("INVITE to 198.51.100.1:5060"), "timer A goes on");

  places.add("203.0.113.10:40001");
  t.same(
    summary(proxy.wait(32_000)).filter((each) => !each.startsWith("INVITE")),
    [],
  );
  t.equal(proxy.counters.transactionTimeouts, 2, "timer B of either, though neither could be answered 408");
  t.equal(proxy.counters.faults, 4);
  places.clear();
  begin(3);
  t.same(summary(proxy.wait(600)), ["INVITE to 198.51.100.1:5060"], "and the next one is repeated");
});
