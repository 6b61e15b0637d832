import t from "tap";
import {
  answeredRoute,
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  headers,
  outcomeOf,
  peers,
  request,
  respond,
} from "../support/proxy.ts";
import { createStreamProxy, type StreamProxy } from "../support/streams.ts";

const policy = compileText(
  basicPolicy.replace(
    "id: intl, side: international,",
    "id: intl, side: international, rules: { home-cli-from-abroad: { roamers: withhold } },",
  ),
);

const number = "8613912345678";
const roamer = `"Wang" <sip:+${number}@203.0.113.20;user=phone>;tag=caller;x=${number}`;
const anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=caller';
const telling = [
  `P-Asserted-Identity: <sip:+${number}@a>`,
  `P-Asserted-Identity: <tel:+${number}>`,
  `Remote-Party-ID: <sip:+${number}@a>;party=calling`,
  `P-Preferred-Identity: <sip:+${number}@a>`,
  `b: <sip:+${number}@a>`,
  `Reply-To: <sip:+${number}@a>`,
  `y: eyJhbGci`,
  "s: call from Wang",
];
const branch = (name: string): readonly string[] => [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bK${name}`];

void t.test("withhold: the call goes on, and nothing in it tells who calls", async (t) => {
  const proxy = createTestProxy(policy);
  const rest = ["Contact: <sip:gw@203.0.113.20:5060>", "X-Other: kept"];
  const invite = request({
    from: roamer,
    via: branch("i"),
    callId: "w1",
    headers: [...telling, "Privacy: none", ...rest],
  });
  const [out] = proxy.receive(peers.abroad, invite);
  const text = out?.text ?? "";
  t.equal(out?.to, peers.core);
  t.match(proxy.decisions[0]?.verdict, { kind: "withhold", reason: "home-cli-from-abroad" });
  t.equal(header(text, "From"), anonymous, "RFC 3323; the tag stays, and with it the dialog");
  t.same(headers(text, "Privacy"), ["id"]);
  t.notMatch(text, number, "no field, not our own token either");
  for (const name of [
    "P-Asserted-Identity",
    "Remote-Party-ID",
    "P-Preferred-Identity",
    "b",
    "Reply-To",
    "y",
    "s",
  ])
    t.same(headers(text, name), [], name);
  t.same(headers(text, "X-Other"), ["kept"]);
  t.equal(proxy.receive(peers.abroad, invite)[0]?.text, text, "a repeat");

  const asking = request({ from: roamer, via: branch("p"), headers: ["Privacy: header;critical"] });
  t.equal(header(proxy.receive(peers.abroad, asking)[0]?.text ?? "", "Privacy"), "id;header;critical");

  const cancel = request({ method: "CANCEL", from: roamer, via: branch("i"), callId: "w1" });
  t.equal(
    header(proxy.receive(peers.abroad, cancel)[0]?.text ?? "", "From"),
    anonymous,
    "CANCEL like its INVITE",
  );
  const ack = request({ method: "ACK", from: roamer, via: branch("i"), callId: "w1", to: "<sip:1@a>;tag=c" });
  t.equal(header(proxy.receive(peers.abroad, ack)[0]?.text ?? "", "From"), anonymous, "ACK of a refusal");

  const other = request({ from: "<sip:+442079460000@a>;tag=caller", via: branch("o") });
  t.match(
    header(proxy.receive(peers.abroad, other)[0]?.text ?? "", "From"),
    "+442079460000",
    "a foreign caller is shown",
  );
});

void t.test("withhold: the dialog stands, both ways, without state", async (t) => {
  const proxy = createTestProxy(policy);
  const invite = request({ from: roamer, via: branch("i"), callId: "w2" });
  const text = proxy.receive(peers.abroad, invite)[0]?.text ?? "";
  const [answered] = proxy.receive(peers.core, respond(text, 200));
  t.equal(answered?.to, peers.abroad);
  t.match(
    header(answered?.text ?? "", "From"),
    ";tag=caller",
    "the calling side knows its dialog by the tag",
  );
  const route = answeredRoute(proxy, text);

  // Another node, or this one after a restart, has nothing but the key.
  const later = createTestProxy(policy);
  const fromCaller = (method: string, more: readonly string[] = []): string => {
    const [sent] = later.receive(
      peers.abroad,
      request({
        method,
        from: roamer,
        to: "<sip:02787654321@192.0.2.1>;tag=called",
        callId: "w2",
        via: branch(method),
        headers: [`Route: ${route}`, ...more],
      }),
    );
    t.equal(sent?.to, peers.core, method);
    return sent?.text ?? "";
  };
  for (const method of ["ACK", "PRACK", "INFO", "INVITE", "UPDATE", "BYE"]) {
    const sent = fromCaller(method, telling);
    t.equal(header(sent, "From"), anonymous, `${method}: the same caller as in the INVITE`);
    t.notMatch(sent, number, method);
  }
  const fromCalled = request({
    method: "BYE",
    uri: "sip:gw@203.0.113.20:5060",
    from: "<sip:02787654321@192.0.2.1>;tag=called",
    to: anonymous,
    callId: "w2",
    via: [`SIP/2.0/UDP ${peers.core};branch=z9hG4bKbye`],
    headers: [`Route: ${route}`],
  });
  const [bye] = later.receive(peers.core, fromCalled);
  t.equal(bye?.to, peers.abroad, "BYE of the called side, which knows nobody but Anonymous");
  t.equal(header(bye?.text ?? "", "To"), anonymous);
});

void t.test("withhold: who is redirected is refused, since the number would be shown", async (t) => {
  const proxy = createTestProxy(
    compileText(
      basicPolicy.replace(
        "id: intl, side: international,",
        "id: intl, side: international, mode: redirect, rules: { home-cli-from-abroad: { roamers: withhold } },",
      ),
    ),
  );
  t.equal(outcomeOf(proxy.receive(peers.abroad, request({ from: roamer, via: branch("r") }))), "403");
  t.match(proxy.decisions[0]?.verdict, { kind: "reject", reason: "home-cli-from-abroad" });
});

function follow(method: "CANCEL" | "ACK", id: string, from: string): string {
  return request({
    method,
    from,
    via: branch(id),
    callId: id,
    headers: telling,
    ...(method === "ACK" ? { to: "<sip:02787654321@192.0.2.1>;tag=called" } : {}),
  });
}

void t.test("withhold: a CANCEL whose INVITE nobody remembers shows no number either", async (t) => {
  const shown = compileText(basicPolicy);
  const large = compileText(
    basicPolicy.replace(
      "id: intl, side: international,",
      "id: intl, side: international, tcpAbove: 1300, rules: { home-cli-from-abroad: { roamers: withhold } },",
    ),
  );
  const bulk = `X-Bulk: ${"x".repeat(1400)}`;
  const begin = (proxy: StreamProxy, id: string, from: string, more: readonly string[] = []): void => {
    const [sent] = proxy.receive(
      "udp",
      peers.abroad,
      request({ from, via: branch(id), callId: id, headers: more }),
    );
    t.equal(sent?.text.startsWith("INVITE "), true);
  };
  const foreign = "<sip:+442079460000@a>;tag=caller";
  const minutes = 60_000;
  const rows = [
    ["rung for five minutes", policy, policy, roamer, 5 * minutes, [], "same", anonymous],
    ["after a restart, or on another node", policy, policy, roamer, 1000, [], "other", anonymous],
    ["moved by tcpAbove, rung for 20 s", large, large, roamer, 20_000, [bulk], "same", anonymous],
    ["moved by tcpAbove, rung for a minute", large, large, roamer, minutes, [bulk], "same", anonymous],
    ["a reload ended the withholding", policy, shown, roamer, 5 * minutes, [], "same", anonymous],
    // Whose number was shown can't be told any more either.
    ["a foreign caller, remembered", policy, policy, foreign, 20_000, [], "same", foreign],
    ["a foreign caller, forgotten", policy, policy, foreign, 5 * minutes, [], "same", anonymous],
    ["nothing is withheld here", shown, shown, foreign, 5 * minutes, [], "same", foreign],
  ] as const;
  for (const [name, before, after, from, rings, more, node, expected] of rows) {
    for (const method of ["CANCEL", "ACK"] as const) {
      let current = before;
      const proxy = createStreamProxy(() => current);
      begin(proxy, "c1", from, more);
      proxy.wait(rings);
      current = after;
      proxy.wait(100);
      const later = node === "same" ? proxy : createStreamProxy(() => current);
      const sent = later.receive("udp", peers.abroad, follow(method, "c1", from));
      t.ok(sent.length >= 1, `${name}: ${method} goes on`);
      for (const { text, to } of sent) {
        t.equal(to, peers.core);
        t.equal(header(text, "From"), expected, `${name}: ${method}`);
        if (expected === anonymous) t.notMatch(text, number, `${name}: no field of the ${method}`);
        else t.match(text, "Reply-To", `${name}: ${method} as it came`);
        t.equal(header(text, "Call-ID"), "c1");
      }
      t.same(later.faults, []);
    }
  }
});
