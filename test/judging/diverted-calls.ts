import t from "tap";
import { basicPolicy, compileText, createTestProxy, outcomeOf, peers, request } from "../support/proxy.ts";

const policy = compileText(`${basicPolicy}lists:\n  police: { file: police.csv, kind: police }\n`, {
  "bank.csv": "number,may_forward\n+861087654300..+861087654398,no\n+861087654399,yes\n+861087654299,yes\n",
  "police.csv": "number\n+861066667777\n+442079461111\n",
});

const listed = "<sip:+861087654321@a>;tag=1";
const stranger = "<sip:+8613912345678@a>;tag=1";
const foreign = "<sip:+442079460000@a>;tag=1";
const passes = `to ${peers.core}`;
const unlicensed = "diversion-unlicensed";
const called = "02787654321";

/** One entry, or several entries, of History-Info. */
const history = (...entries: readonly string[]): string => `History-Info: ${entries.join(", ")}`;
const licence = "Diversion: <tel:+861087654399>;reason=unconditional";

type Row = readonly [what: string, peer: string, from: string, headers: readonly string[], outcome: string];

const rows: readonly Row[] = [
  // Rerouted to the called number: no forwarding.
  ...[
    history(`<sip:${called}@a?Reason=SIP%3Bcause%3D503>;index=1`, `<sip:${called}@b;cause=503>;index=1.1`),
    history("<sip:+862787654321@a?Reason=SIP%3Bcause%3D408>;index=1", "<tel:0086-27-87654321>;index=1.1"),
    `Diversion: <sip:027-8765-4321@a>;reason=unavailable`,
  ].flatMap((field): Row[] => [
    [`rerouted: ${field}`, peers.lessee, listed, [field], passes],
    [`rerouted: it gives a stranger no licence: ${field}`, peers.lessee, stranger, [field], "cli-not-listed"],
    [`rerouted, from abroad: ${field}`, peers.abroad, foreign, [field], passes],
    [`rerouted, from abroad: a home caller: ${field}`, peers.abroad, listed, [field], "home-cli-from-abroad"],
  ]),
  [
    "a number that may forward is called: naming it forwards nothing",
    peers.lessee,
    stranger,
    [history("<sip:02787654321@a>;index=1"), "Diversion: <sip:02787654321@a>"],
    "cli-not-listed",
  ],
  [
    "a diversion behind a reroute",
    peers.lessee,
    listed,
    [
      history(
        `<sip:${called}@a>;index=1`,
        `<sip:${called}@b;cause=503>;index=1.1`,
        "<sip:95588@c>;index=1.2",
      ),
    ],
    unlicensed,
  ],
  // Every diverting party is judged.
  ["with a licence", peers.lessee, stranger, [licence], passes],
  ["without one", peers.lessee, listed, ["Diversion: <tel:+8613800138000>"], unlicensed],
  ...[
    history("<sip:+8613800138000@a>;index=1", `<sip:${called}@b;cause=302>;index=1.1`),
    history("<sip:+8613800138000@a>;index=1", `<sip:${called}@b>;index=1.1`),
    history("<sip:+8613800138000@a>;index=1"),
    history("<sip:+8613800138000@a>"),
    history(`<sip:${called}@b>;index=1.1`, "<sip:+8613800138000@a>;index=1"),
    history('<sip:+8613800138000@a?Reason=SIP;cause=302;text="Moved">;index=1'),
  ].flatMap((field): Row[] => [
    [`no licence: ${field}`, peers.lessee, listed, [field], unlicensed],
    [`not even for a stranger: ${field}`, peers.lessee, stranger, [field], unlicensed],
    [`contradicts a licence: ${field}`, peers.lessee, stranger, [licence, field], unlicensed],
    [`also behind the field: ${field}`, peers.lessee, stranger, [field, licence], unlicensed],
    [`from abroad it looks domestic: ${field}`, peers.abroad, foreign, [field], "home-cli-from-abroad"],
  ]),
  ...[
    history("<sip:+442079461111@a>;index=1"),
    history("<sip:+442079461111@a>;index=1", `<sip:${called}@b>;index=1.1`),
    history("<sip:+442079462222@a>;index=1.1", "<sip:+442079461111@b>;index=1"),
  ].map((field): Row => [`on the police's list: ${field}`, peers.abroad, foreign, [field], "police-listed"]),
  ["a foreign diverting party", peers.abroad, foreign, [history("<sip:+442079462222@a>;index=1")], passes],
  [
    "a history that agrees keeps the licence",
    peers.lessee,
    stranger,
    [licence, history("<sip:010-87654399@a>;index=1", `<sip:${called}@b;cause=302>;index=1.1`)],
    passes,
  ],
  [
    "two licensed numbers that contradict each other",
    peers.lessee,
    stranger,
    [licence, history("<sip:+861087654299@a>;index=1")],
    unlicensed,
  ],
  [
    "the order says the licensed one, the indexes another",
    peers.lessee,
    stranger,
    [history("<sip:+8613800138000@a>;index=1.1", "<sip:+861087654399@b>;index=1")],
    unlicensed,
  ],
  [
    "the licensed one last",
    peers.lessee,
    stranger,
    [history("<sip:+8613800138000@a>;index=1", "<sip:+861087654399@b>;index=1.1")],
    passes,
  ],
  [
    "a history of the licensed number and of a proxy",
    peers.lessee,
    stranger,
    [
      history(
        "<sip:+861087654399@a>;index=1",
        "<sip:sbc.example>;index=1.1",
        `<sip:${called}@b>;index=1.1.1`,
      ),
    ],
    passes,
  ],
];

void t.test("who diverted a call, through the whole filter", (t) => {
  for (const [what, peer, from, headers, expected] of rows) {
    const proxy = createTestProxy(policy);
    const sent = proxy.receive(peer, request({ uri: `sip:${called}@192.0.2.1`, from, headers }));
    const verdict = proxy.decisions[0]?.verdict;
    t.equal(verdict?.kind === "reject" ? verdict.reason : outcomeOf(sent), expected, what);
    t.same(proxy.faults, [], `${what}: no fault`);
  }
  t.end();
});
