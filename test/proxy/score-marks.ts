// What a score does to a call on the wire: withheld or labelled, on trunks of lessees and of other networks.
import t from "tap";
import {
  basicLists,
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  headers,
  outcomeOf,
  peers,
  request,
} from "../support/proxy.ts";

const policy = compileText(
  `${basicPolicy}
lists:
  scores: { file: scores.csv, kind: score, threshold: 0.9, bands: [{ from: 0.3, do: label }, { from: 0.6, do: withhold }] }
  trusted: { file: trusted.csv, kind: trusted }
`,
  {
    ...basicLists,
    "scores.csv":
      "number,score\n+861087654301,0.9\n+861087654302,0.6\n+861087654303,0.3\n+861087654304,0.95\n+861087654305,0.2999\n+442079460001,0.6\n",
    "trusted.csv": "number\n+861087654304\n",
  },
);

const via = (peer: string): readonly string[] => [`SIP/2.0/UDP ${peer};branch=z9hG4bKscore`];

void t.test("a lessee's call: refused, withheld, labelled, or as it was", (t) => {
  for (const [user, outcome, label, from] of [
    ["01087654301", "603", 0, undefined],
    ["01087654302", `to ${peers.core}`, 0, "anonymous"],
    ["01087654303", `to ${peers.core}`, 1, "01087654303"],
    ["01087654304", `to ${peers.core}`, 0, "01087654304"],
    ["01087654305", `to ${peers.core}`, 0, "01087654305"],
  ] as const) {
    const proxy = createTestProxy(policy);
    const sent = proxy.receive(
      peers.lessee,
      request({ via: via(peers.lessee), from: `<sip:${user}@h>;tag=a`, callId: `c-${label}` }),
    );
    t.equal(outcomeOf(sent), outcome, user);
    if (from === undefined) {
      t.match(header(sent[0]?.text ?? "", "Reason"), "cause=21");
      continue;
    }
    const text = sent[0]?.text ?? "";
    t.match(header(text, "From"), from);
    t.equal(headers(text, "P-Sigwall-Label").length, label, `${user}: label`);
    if (from === "anonymous") t.notMatch(text, "1087654302", "nothing tells the number");
  }
  t.end();
});

void t.test("a caller from abroad is withheld like any other", (t) => {
  const proxy = createTestProxy(policy);
  const sent = proxy.receive(
    peers.abroad,
    request({ via: via(peers.abroad), from: "<sip:+442079460001@h>;tag=a", callId: "gb" }),
  );
  t.equal(outcomeOf(sent), `to ${peers.core}`);
  t.match(header(sent[0]?.text ?? "", "From"), "anonymous");
  t.match(proxy.decisions[0]?.verdict, { kind: "withhold", reason: "score-listed" });
  t.equal(proxy.decisions[0]?.rule, "deny-lists");
  t.ok(policy.trunkById("lease")?.mayWithhold, "a forgotten call is cancelled without its caller");
  t.end();
});
