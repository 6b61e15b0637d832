import t from "tap";
import type { Policy } from "../../src/policy/policy.ts";
import {
  compileText,
  createTestProxy,
  outcomeOf,
  peers,
  request,
  respond,
  type TestProxy,
} from "../support/proxy.ts";

/** What was counted of the strays of a trunk. */
function straysOf({ counters }: TestProxy, trunk: string): Record<string, number> {
  const strays = Object.entries(counters.trunks.get(trunk)?.strays ?? {});
  return Object.fromEntries(strays.filter(([, count]) => count > 0));
}

function branchOf(text: string | undefined): string {
  return /branch=([^;\r]+)/u.exec(text ?? "")?.[1] ?? "?";
}

/** A policy whose lessee `lease` has these limits; `lease-2` has none. */
function policyOf(limits: string, mode = "proxy"): Policy {
  return compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, mode: ${mode}, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", limits: ${limits}, nextHops: ["sip:198.51.100.1:5060"] }
  - { id: lease-2, side: lessee, match: { addresses: [203.0.113.11] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`);
}

/** An ACK or CANCEL of an INVITE that the filter has never seen. */
function stray(
  method: "ACK" | "CANCEL",
  call: number,
  address = "203.0.113.10",
  headers?: readonly string[],
): string {
  return request({
    method,
    via: [`SIP/2.0/UDP ${address}:5060;branch=z9hG4bKstray${call}`],
    callId: `stray-${call}`,
    to: "<sip:02787654321@192.0.2.1>" + (method === "ACK" ? ";tag=called" : ""),
    ...(headers === undefined ? {} : { headers }),
  });
}

void t.test("stray ACK and CANCEL: as many a second as the trunk may make calls, at least 50", (t) => {
  const rows = [
    ["{}", 500],
    ["{ callsPerSecond: 200 }", 200],
    ["{ callsPerSecond: 51 }", 51],
    ["{ callsPerSecond: 49 }", 50],
    ["{ callsPerSecond: 1 }", 50],
    ["{ attemptsPerSecond: 100 }", 100],
    ["{ callsPerSecond: 60, attemptsPerSecond: 100 }", 60],
    ["{ messagesPerSecond: 1 }", 500],
  ] as const;
  for (const [limits, most] of rows) {
    const proxy = createTestProxy(policyOf(limits));
    let passed = 0;
    for (let call = 0; call < 700; call++) {
      const method = call % 2 === 0 ? "ACK" : "CANCEL";
      if (outcomeOf(proxy.receive(peers.lessee, stray(method, call))) === `to ${peers.core}`) passed++;
    }
    t.equal(passed, most, limits);
    t.same(straysOf(proxy, "lease"), {
      "ACK passed": Math.ceil(most / 2),
      "CANCEL passed": Math.floor(most / 2),
      "ACK dropped": 350 - Math.ceil(most / 2),
      "CANCEL dropped": 350 - Math.floor(most / 2),
    });
    t.equal(
      outcomeOf(proxy.receive(peers.second, stray("ACK", 1, "203.0.113.11"))),
      `to ${peers.core}`,
      "another trunk",
    );
    proxy.pass(1000);
    t.equal(outcomeOf(proxy.receive(peers.lessee, stray("CANCEL", 1))), `to ${peers.core}`, "a second later");
  }
  t.end();
});

void t.test("what belongs to something is no stray, however much of it comes", (t) => {
  const proxy = createTestProxy(policyOf("{ callsPerSecond: 1000 }"), { ledgerSize: 10_000 });
  for (let call = 0; call < 300; call++) {
    const via = [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${call}`];
    const parts = { via, callId: `call-${call}` };
    const [out] = proxy.receive(peers.lessee, request(parts));
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, request({ ...parts, method: "CANCEL", cseq: "1 CANCEL" }))),
      `to ${peers.core}`,
      "a CANCEL of a call",
    );
    proxy.receive(peers.core, respond(out?.text ?? "", 487));
    const ack = { ...parts, method: "ACK", cseq: "1 ACK", to: "<sip:02787654321@192.0.2.1>;tag=called" };
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, request(ack))),
      `to ${peers.core}`,
      "the ACK of its refusal",
    );
  }
  t.same(straysOf(proxy, "lease"), {});
  t.end();
});

void t.test("honest strays pass: another node has seen the INVITE, the filter was restarted", (t) => {
  const policy = policyOf("{ callsPerSecond: 1 }");
  const before = createTestProxy(policyOf("{}"));
  const after = createTestProxy(policy);
  for (let call = 0; call < 40; call++) {
    const parts = { via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${call}`], callId: `call-${call}` };
    const [out] = before.receive(peers.lessee, request({ ...parts, from: "<sip:+861087654321@x>;tag=a" }));
    const cancel = request({
      ...parts,
      from: "<sip:+861087654321@x>;tag=a",
      method: "CANCEL",
      cseq: "1 CANCEL",
    });
    const [there] = after.receive(peers.lessee, cancel);
    t.equal(branchOf(there?.text), branchOf(out?.text), "with the branch of its INVITE");
    t.equal(there?.to, peers.core);
  }
  t.end();
});

void t.test(
  "strays of the core are counted and not bounded; those of a trunk that redirects go nowhere",
  (t) => {
    const proxy = createTestProxy(policyOf("{}"));
    for (let call = 0; call < 600; call++) {
      const text = stray("CANCEL", call, "198.51.100.1").replace(
        "sip:02787654321@192.0.2.1 SIP",
        "sip:1@203.0.113.10 SIP",
      );
      t.equal(outcomeOf(proxy.receive(peers.core, text)), `to ${peers.lessee}`);
    }
    t.same(straysOf(proxy, "core"), { "CANCEL passed": 600 });
    const redirecting = createTestProxy(policyOf("{}", "redirect"));
    t.equal(outcomeOf(redirecting.receive(peers.lessee, stray("ACK", 1))), "nothing");
    t.same(straysOf(redirecting, "lease"), { "ACK dropped": 1 });
    t.end();
  },
);

void t.test("a stray with a Route of its own choice is refused, and takes nothing from the others", (t) => {
  const proxy = createTestProxy(policyOf("{}"));
  for (let call = 0; call < 600; call++)
    t.equal(
      outcomeOf(
        proxy.receive(peers.lessee, stray("CANCEL", call, undefined, ["Route: <sip:198.51.100.77;lr>"])),
      ),
      "403",
    );
  t.equal(outcomeOf(proxy.receive(peers.lessee, stray("CANCEL", 1))), `to ${peers.core}`);
  t.end();
});
