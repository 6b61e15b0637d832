import { Buffer } from "node:buffer";
import tap from "tap";
import { readRetryAfter } from "../../src/sip/fields/retry-after.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { outcomeOf, peers, respond, type TestProxy } from "../support/proxy.ts";
import { createHopProxy, follow, hop, invite } from "../support/next-hops.ts";

const both = '["sip:198.51.100.1:5060", { uri: "sip:198.51.100.2:5060", priority: 2 }]';
const one = '["sip:198.51.100.1:5060"]';
const health = (more = ""): string => `nextHopHealth: { intervalSeconds: 10, missesUntilDown: 3${more} }`;

const fields: readonly (readonly [written: string, seconds: number | undefined])[] = [
  ["Retry-After: 600", 600],
  ["Retry-After: 0600", 600],
  ["retry-after:1", 1],
  ["Retry-After: 120 (I'm in a meeting)", 120],
  ["Retry-After: 120(meeting)", 120],
  ["Retry-After: 18000;duration=3600", 18_000],
  ["Retry-After: 18000 ; duration=3600", 18_000],
  ["Retry-After: 999999999", 999_999_999],
  ["Retry-After: 9999999999", Infinity],
  [`Retry-After: ${"9".repeat(5000)}`, Infinity],
  ["Retry-After: 5\r\nRetry-After: 900", 5],
  ["Retry-After: 0", undefined],
  ["Retry-After: -5", undefined],
  ["Retry-After: +5", undefined],
  ["Retry-After: 5.5", undefined],
  ["Retry-After: 5s", undefined],
  ["Retry-After: 0x10", undefined],
  ["Retry-After: soon", undefined],
  ["Retry-After: Mon, 30 Nov 2026 00:00:00 GMT", undefined],
  ["Retry-After:", undefined],
  ["X-Retry-After: 600", undefined],
];

void tap.test("Retry-After: seconds, whatever stands behind them; anything else is none", async (t) => {
  const message = createMessage();
  for (const [written, seconds] of fields) {
    scan(message, Buffer.from(`SIP/2.0 503 No\r\n${written}\r\nContent-Length: 0\r\n\r\n`, "latin1"));
    t.equal(readRetryAfter(message), seconds, written.slice(0, 60));
  }
});

/** Adds a field to a response. */
function withField(response: string, field: string): string {
  return response.replace("\r\nContent-Length", `\r\n${field}\r\nContent-Length`);
}

/** How next hops answer: INVITE and OPTIONS of `a`, OPTIONS of `b`; undefined: silence. */
interface World {
  readonly a: string | undefined;
  readonly b?: number;
}

/** Lets time pass while next hops answer OPTIONS; returns how many OPTIONS `a` got. */
function live(proxy: TestProxy, millis: number, { a, b = 200 }: World): number {
  let asked = 0;
  for (const end = proxy.now + millis; proxy.now < end;)
    for (const { to, text } of proxy.pass(100)) {
      if (!text.startsWith("OPTIONS ")) continue;
      if (to === hop.a) asked++;
      const plain = respond(text, to === hop.b ? b : a === undefined ? 200 : 503);
      proxy.receive(to, to === hop.a && a !== undefined ? withField(plain, a) : plain);
    }
  return asked;
}

/** Where a call goes. Its INVITE is refused at once, so that nothing waits. */
let calls = 0;
function targetOf(proxy: TestProxy): string {
  const number = 1000 + calls++;
  const sent = proxy.receive(peers.lessee, invite(number));
  const [out] = sent;
  if (out !== undefined && !out.text.startsWith("SIP/2.0")) {
    proxy.receive(out.to, respond(out.text, 486));
    proxy.receive(peers.lessee, follow("ACK", number));
  }
  return outcomeOf(sent);
}

/** Sends a call to `a`, which answers 503 with the field. */
function refuseCall(proxy: TestProxy, field: string): void {
  const [out] = proxy.receive(peers.lessee, invite(calls++));
  if (out?.to !== hop.a) throw new Error(`the call went to ${out?.to}`);
  proxy.receive(hop.a, withField(respond(out.text, 503), field));
}

void tap.test("a 503 with Retry-After to an INVITE: no call and no OPTIONS for that time", async (t) => {
  const rows: readonly (readonly [field: string, rest: number, more?: string])[] = [
    ["Retry-After: 600", 600],
    ["Retry-After: 30", 30],
    ["Retry-After: 7200", 3600],
    [`Retry-After: ${"9".repeat(400)}`, 3600],
    ["Retry-After: 600", 60, ", longestRetryAfterSeconds: 60"],
  ];
  for (const [field, rest, more] of rows) {
    const name = `${field.slice(0, 24)}${more ?? ""}`;
    const proxy = createHopProxy(both, health(more));
    live(proxy, 1100, { a: undefined });
    t.equal(targetOf(proxy), `to ${hop.a}`, `${name}: a is preferred`);
    refuseCall(proxy, field);
    t.match(proxy.changes.at(-1), `up: answered 503 with Retry-After: no new calls for ${rest} s`, name);
    t.equal(proxy.nextHops()[0]?.isResting, true, name);
    t.equal(live(proxy, rest * 1000 - 200, { a: undefined }), 0, `${name}: no OPTIONS`);
    t.equal(targetOf(proxy), `to ${hop.b}`, `${name}: no calls`);
    t.ok(live(proxy, 1000, { a: undefined }) > 0, `${name}: asked when it is over`);
    t.equal(targetOf(proxy), `to ${hop.a}`, `${name}: calls again`);
    t.equal(proxy.nextHops()[0]?.isResting, false, name);
    t.match(proxy.changes.at(-1), "Retry-After is over", name);
  }
});

void tap.test("what is no rest", async (t) => {
  const rows: readonly (readonly [name: string, field: string, more?: string])[] = [
    ["no field", "X-Other: 1"],
    ["no number", "Retry-After: later"],
    ["nothing to wait for", "Retry-After: 0"],
    ["switched off", "Retry-After: 600", ", longestRetryAfterSeconds: 0"],
  ];
  for (const [name, field, more] of rows) {
    const proxy = createHopProxy(both, health(more));
    live(proxy, 1100, { a: undefined });
    refuseCall(proxy, field);
    t.equal(targetOf(proxy), `to ${hop.a}`, name);
    t.equal(proxy.nextHops()[0]?.isResting, false, name);
  }
  const busy = createHopProxy(both, health());
  live(busy, 1100, { a: undefined });
  const [out] = busy.receive(peers.lessee, invite(calls++));
  busy.receive(hop.a, withField(respond(out?.text ?? "", 486), "Retry-After: 600"));
  t.equal(targetOf(busy), `to ${hop.a}`, "a busy called party: its Retry-After is not that of the server");
});

void tap.test("a 503 with Retry-After to OPTIONS is heeded too", async (t) => {
  const proxy = createHopProxy(both, health());
  t.equal(live(proxy, 590_000, { a: "Retry-After: 600" }), 1);
  t.equal(targetOf(proxy), `to ${hop.b}`);
  live(proxy, 30_000, { a: undefined });
  t.equal(targetOf(proxy), `to ${hop.a}`);
});

void tap.test("with no other next hop up it is tried all the same", async (t) => {
  const alone = createHopProxy(one, health());
  live(alone, 1100, { a: undefined });
  refuseCall(alone, "Retry-After: 600");
  t.equal(targetOf(alone), `to ${hop.a}`, "the only one");
  t.ok(live(alone, 60_000, { a: undefined }) >= 4, "asked as before");

  const proxy = createHopProxy(both, health());
  live(proxy, 1100, { a: undefined });
  refuseCall(proxy, "Retry-After: 600");
  t.equal(targetOf(proxy), `to ${hop.b}`);
  live(proxy, 60_000, { a: undefined, b: 503 });
  t.equal(proxy.nextHops()[1]?.state, "down");
  t.equal(targetOf(proxy), `to ${hop.a}`, "the other one went down");
  live(proxy, 120_000, { a: undefined });
  t.equal(targetOf(proxy), `to ${hop.b}`, "the other one is up again");
});

void tap.test("failover: a resting next hop gets a call only where none is up without a rest", async (t) => {
  const proxy = createHopProxy(both, health());
  live(proxy, 1100, { a: undefined });
  refuseCall(proxy, "Retry-After: 600");
  const [out] = proxy.receive(peers.lessee, invite(calls++));
  t.equal(out?.to, hop.b);
  const plain = proxy.receive(hop.b, respond(out?.text ?? "", 503));
  t.same(
    plain.map(({ to }) => to),
    [peers.lessee],
    "b is up and takes calls later: a is left in peace, the caller gets the 503",
  );
  const [next] = proxy.receive(peers.lessee, invite(calls++));
  t.equal(next?.to, hop.b);
  const both503 = proxy.receive(hop.b, withField(respond(next?.text ?? "", 503), "Retry-After: 60"));
  t.same(
    both503.map(({ to }) => to),
    [hop.b, hop.a],
    "now both rest: the call is tried at a",
  );
});
