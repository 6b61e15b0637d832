import t from "tap";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  outcomeOf,
  peers,
  request,
  type RequestParts,
} from "../support/proxy.ts";

const policy = compileText(
  basicPolicy
    .replaceAll("side: lessee,", "side: lessee, mode: redirect,")
    .replace(
      "id: lease-2, side: lessee, mode: redirect,",
      "id: lease-2, side: lessee, mode: redirect, methods: { MESSAGE: screen },",
    )
    .replace(/(id: lease-6.*)"sip:198\.51\.100\.1:5060"/u, '$1"sip:[2001:db8::c]:5070"'),
);

const branch = (name: string): Pick<RequestParts, "via"> => ({
  via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${name}`],
});

void t.test("redirect: an accepted call is told where to go, and is gone", async (t) => {
  const proxy = createTestProxy(policy);
  const invite = request(branch("a"));
  const [answer, ...more] = proxy.receive(peers.lessee, invite);
  t.equal(more.length, 0);
  t.equal(answer?.to, peers.lessee);
  t.match(answer?.text, /^SIP\/2\.0 302 Moved Temporarily\r\n/u);
  t.equal(header(answer?.text ?? "", "Contact"), "<sip:02787654321@198.51.100.1:5060>");
  t.equal(header(answer?.text ?? "", "Reason"), undefined);
  const [again] = proxy.receive(peers.lessee, invite);
  t.equal(again?.text, answer?.text, "a repeat gets the same bytes");
  t.equal(proxy.decisions.length, 1);
  t.match(proxy.decisions[0]?.verdict, { kind: "accept", reason: "listed" });

  const to = header(answer?.text ?? "", "To") ?? "";
  const ack = request({ ...branch("a"), method: "ACK", to });
  t.same(proxy.receive(peers.lessee, ack), [], "its ACK is absorbed");
  t.same(proxy.receive(peers.lessee, request({ ...branch("a"), method: "CANCEL" })), [], "and its CANCEL");
  const restarted = createTestProxy(policy);
  t.same(restarted.receive(peers.lessee, ack), [], "after a restart too");
  t.same(restarted.receive(peers.lessee, request({ ...branch("a"), method: "CANCEL" })), []);
  t.equal(
    restarted.receive(peers.lessee, invite)[0]?.text,
    answer?.text,
    "the same answer from another node",
  );
  t.equal(
    outcomeOf(proxy.receive(peers.lessee, request({ ...branch("b"), method: "BYE", to }))),
    "481",
    "there is no dialog through here",
  );
});

void t.test("redirect: refusals are what they were", async (t) => {
  const proxy = createTestProxy(policy);
  const rows: readonly (readonly [string, RequestParts, string])[] = [
    ["not listed", { from: "<sip:+861087654400@a>;tag=c" }, "403"],
    ["hidden", { headers: ["Privacy: id"] }, "433"],
    ["a foreign Route", { headers: ["Route: <sip:203.0.113.66;lr>"] }, "403"],
    ["a method", { method: "MESSAGE" }, "405"],
    [
      "a misleading display name, which can't be taken away",
      { from: '"95588" <sip:+861087654321@a>;tag=c' },
      "403",
    ],
  ];
  for (const [index, [name, parts, status]] of rows.entries())
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, request({ ...branch(`r${index}`), ...parts }))),
      status,
      name,
    );
  const [refused] = proxy.receive(peers.lessee, request({ ...branch("m"), method: "MESSAGE" }));
  t.equal(header(refused?.text ?? "", "Allow"), "INVITE, ACK, CANCEL, OPTIONS");
});

void t.test("redirect: the policy chooses the target, the message only whom it is for", async (t) => {
  const proxy = createTestProxy(policy);
  const rows = [
    [
      "sip:02787654321@203.0.113.66:9999;transport=tcp;maddr=203.0.113.66",
      "<sip:02787654321@198.51.100.1:5060>",
    ],
    ["sip:+862787654321@192.0.2.1;user=phone", "<sip:+862787654321@198.51.100.1:5060;user=phone>"],
    ["tel:+862787654321", "<sip:+862787654321@198.51.100.1:5060;user=phone>"],
    ["sip:192.0.2.1", "<sip:198.51.100.1:5060>"],
    ["urn:service:sos", "<sip:198.51.100.1:5060>"],
    ["sip:1>;x=<sip:2@192.0.2.1", "<sip:1%3E;x=%3Csip%3A2@198.51.100.1:5060>"],
    ['sip:1"%41@192.0.2.1', "<sip:1%22%41@198.51.100.1:5060>"],
  ] as const;
  for (const [index, [uri, contact]] of rows.entries()) {
    const [answer] = proxy.receive(peers.lessee, request({ ...branch(`u${index}`), uri }));
    t.equal(header(answer?.text ?? "", "Contact"), contact, uri);
  }
  const [sixth] = proxy.receive(
    peers.sixth,
    request({ via: [`SIP/2.0/UDP ${peers.sixth};branch=z9hG4bK6`] }),
  );
  t.equal(header(sixth?.text ?? "", "Contact"), "<sip:02787654321@[2001:db8::c]:5070>");
  const [message] = proxy.receive(
    peers.second,
    request({ method: "MESSAGE", via: [`SIP/2.0/UDP ${peers.second};branch=z9hG4bKm`] }),
  );
  t.match(message?.text, /^SIP\/2\.0 302 /u, "a MESSAGE that was judged, likewise");
});

void t.test("redirect: a label is told in the answer", async (t) => {
  const proxy = createTestProxy(
    compileText(
      basicPolicy.replace(
        "id: intl, side: international,",
        "id: intl, side: international, mode: redirect, rules: { home-cli-from-abroad: { roamers: label } },",
      ),
    ),
  );
  const [answer] = proxy.receive(
    peers.abroad,
    request({ from: "<sip:+8613912345678@a>;tag=c", via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKl`] }),
  );
  t.match(answer?.text, /^SIP\/2\.0 302 /u);
  t.equal(header(answer?.text ?? "", "P-Sigwall-Label"), "home-cli-from-abroad");
});
