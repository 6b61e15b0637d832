import t from "tap";
import { compileText, header, outcomeOf, request, respond } from "../support/proxy.ts";
import { createStreamProxy, listenerFor, type StreamProxy } from "../support/streams.ts";
import type { SipTransport } from "../../src/domain/trunk.ts";
import type { DeliveryFailure } from "../../src/proxy/connection-events.ts";
import type { Policy } from "../../src/policy/policy.ts";

const a = "198.51.100.1:5060";
const b = "198.51.100.2:5060";
const caller: Readonly<Record<SipTransport, string>> = {
  udp: "203.0.113.10:5070",
  tcp: "203.0.113.10:40001",
  tls: "203.0.113.10:40002",
};

/** Two next hops, the second for when the first is down. */
function policyOver(transport: SipTransport, more = ""): Policy {
  return compileText(`
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.0/24] } }
  - id: lease
    side: lessee
    match: { addresses: [203.0.113.10] }
    lessee: bank
    areaCode: "10"
    nextHops: ["sip:${a};transport=${transport}", { uri: "sip:${b};transport=${transport}", priority: 2 }]
lessees:
  - { id: bank, numbers: bank.csv }
nextHopHealth: { probe: off${more} }
`);
}

function call(transport: SipTransport, method = "INVITE", to?: string): string {
  return request({
    method,
    cseq: `1 ${method}`,
    via: [`SIP/2.0/${transport.toUpperCase()} 203.0.113.10:5070;branch=z9hG4bKcall`],
    ...(to === undefined ? {} : { to }),
  });
}

function refuseConnection(
  proxy: StreamProxy,
  place: string,
  bytes: Buffer,
  why: DeliveryFailure = "unreached",
): ReturnType<StreamProxy["take"]> {
  const [address = "", port = ""] = place.split(":");
  proxy.proxy.undelivered(proxy.now, listenerFor("tcp", address), address, Number(port), bytes, why);
  return proxy.take();
}

for (const ingress of ["udp", "tcp"] as const) {
  void t.test(
    `${ingress} to tcp: no connection to the first next hop, and the call goes to the second`,
    async (t) => {
      const proxy = createStreamProxy(policyOver("tcp"));
      const [first] = proxy.receive(ingress, caller[ingress], call(ingress));
      t.equal(first?.to, a);
      const [second, ...more] = refuseConnection(proxy, a, first?.bytes ?? Buffer.alloc(0));
      t.equal(more.length, 0, "the caller hears nothing of it");
      t.equal(second?.to, b);
      t.ok(second?.text.startsWith("INVITE "));
      t.equal(outcomeOf(proxy.receive("tcp", b, respond(second?.text ?? "", 200))), "200");
      const [next] = proxy.receive(
        ingress,
        caller[ingress],
        call(ingress).replaceAll("call-1@", "call-2@").replace("bKcall", "bKcall2"),
      );
      t.equal(next?.to, b, "and the next call goes there at once");
      const [last, ...rest] = refuseConnection(proxy, b, next?.bytes ?? Buffer.alloc(0));
      t.equal(rest.length, 0);
      t.equal(last?.to, caller[ingress]);
      t.match(last?.text, /^SIP\/2\.0 503 /u, "with nobody left it is told");
      t.same(proxy.faults, []);
    },
  );

  void t.test(`${ingress} to tcp: 503 of the first next hop`, async (t) => {
    const proxy = createStreamProxy(policyOver("tcp"));
    const [first] = proxy.receive(ingress, caller[ingress], call(ingress));
    const sent = proxy.receive("tcp", a, respond(first?.text ?? "", 503));
    t.same(
      sent.map(({ to, text }) => `${text.slice(0, text.indexOf(" "))} ${to}`),
      [`ACK ${a}`, `INVITE ${b}`],
    );
    t.equal(
      header(sent[0]?.text ?? "", "Via"),
      header(first?.text ?? "", "Via"),
      "our ACK has the branch of its INVITE",
    );
    t.equal(outcomeOf(proxy.receive("tcp", b, respond(sent[1]?.text ?? "", 486))), "486");
    const [ack] = proxy.receive(
      ingress,
      caller[ingress],
      call(ingress, "ACK", "<sip:02787654321@192.0.2.1>;tag=called"),
    );
    t.equal(ack?.to, b, "the caller's ACK goes to who answered");
  });
}

for (const why of ["no-room", "back-off"] as const) {
  void t.test(`${why}: the call goes to the second next hop, and the first is not down for it`, async (t) => {
    const proxy = createStreamProxy(policyOver("tcp"));
    const [first] = proxy.receive("udp", caller.udp, call("udp"));
    const [second, ...more] = refuseConnection(proxy, a, first?.bytes ?? Buffer.alloc(0), why);
    t.equal(more.length, 0);
    t.equal(second?.to, b);
    t.same(
      proxy.proxy.nextHops().map(({ state }) => state),
      ["unknown", "unknown"],
    );
    const [last] = refuseConnection(proxy, b, second?.bytes ?? Buffer.alloc(0), why);
    t.match(last?.text, /^SIP\/2\.0 503 /u, "with nowhere left to go the caller is told");
    for (let count = 2; count < 8; count++) {
      const next = call("udp").replaceAll("call-1@", `call-${count}@`).replace("bKcall", `bKcall${count}`);
      const [sent] = proxy.receive("udp", caller.udp, next);
      t.equal(sent?.to, a, "the next call is tried as ever");
      refuseConnection(proxy, a, sent?.bytes ?? Buffer.alloc(0), why);
    }
    proxy.wait(10_000);
    t.equal(proxy.proxy.nextHops()[0]?.state, "unknown", "calls that were not sent met no silence");
  });
}

void t.test("an OPTIONS that there was no room for is none that met no answer", async (t) => {
  const probing = compileText(`
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.0/24] } }
  - { id: abroad, side: international, match: { addresses: [203.0.113.20] }, nextHops: ["sip:${a};transport=tcp"] }
`);
  for (const [why, state] of [
    ["no-room", "unknown"],
    ["back-off", "down"],
    ["unreached", "down"],
  ] as const) {
    const proxy = createStreamProxy(probing);
    let asked = 0;
    for (const end = proxy.now + 60_000; proxy.now < end;)
      for (const { bytes } of proxy.wait(100)) {
        asked++;
        refuseConnection(proxy, a, bytes, why);
      }
    t.equal(proxy.proxy.nextHops()[0]?.state, state, why);
    t.ok(asked > 1 && asked < 60, `${why}: asked ${asked} times in a minute`);
  }
});

void t.test("tcp to udp: what was given up is not repeated any more, and ends in no 408", async (t) => {
  const proxy = createStreamProxy(policyOver("udp"));
  const [first] = proxy.receive("tcp", caller.tcp, call("tcp"));
  const [, second] = proxy.receive("udp", a, respond(first?.text ?? "", 503));
  t.equal(second?.to, b);
  t.equal(outcomeOf(proxy.receive("udp", b, respond(second?.text ?? "", 180))), "180");
  const later = proxy.wait(40_000);
  t.same(later, [], "neither is said again");
  t.equal(outcomeOf(proxy.receive("udp", b, respond(second?.text ?? "", 200))), "200");
});

void t.test("silence of a datagram hop is no sign of life", async (t) => {
  const proxy = createStreamProxy(policyOver("udp", ", missesUntilDown: 1, timeoutSeconds: 5"));
  const [first] = proxy.receive("tcp", caller.tcp, call("tcp"));
  t.equal(first?.to, a);
  const sent = proxy.wait(60_000);
  t.ok(
    sent.some(({ to, text }) => to === b && text.startsWith("INVITE ")),
    "the call went on to the second",
  );
  const toCaller = sent.filter(({ to }) => to === caller.tcp).map(({ text }) => text.slice(8, 11));
  t.ok(toCaller.length >= 1 && toCaller.every((status) => status === "408"), "and was told 408 in the end");
  t.same(proxy.faults, []);
});
