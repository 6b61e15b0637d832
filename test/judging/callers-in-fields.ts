import { Buffer } from "node:buffer";
import t from "tap";
import { basicPolicy, compileText, createTestProxy, outcomeOf, peers, request } from "../support/proxy.ts";

const policy = compileText(basicPolicy);
const paiFirst = compileText(
  basicPolicy.replaceAll("side: lessee, match:", "side: lessee, identity: pai-first, match:"),
);

const passes = `to ${peers.core}`;
const malformed = "cli-malformed";
const home = "home-cli-from-abroad";
const hidden = "cli-hidden";
const notListed = "cli-not-listed";
const listed = "<sip:+861087654321@a>;tag=1";

type Row = readonly [what: string, peer: string, from: string, headers: readonly string[], outcome: string];

function testRows(name: string, rows: readonly Row[], inForce = policy): void {
  void t.test(name, (t) => {
    for (const [what, peer, from, headers, expected] of rows) {
      const proxy = createTestProxy(inForce);
      const invite = request({ uri: "sip:02787654321@192.0.2.1", from, headers });
      const sent = proxy.receive(peer, Buffer.from(invite, "latin1"));
      const verdict = proxy.decisions[0]?.verdict;
      t.equal(verdict?.kind === "reject" ? verdict.reason : outcomeOf(sent), expected, what);
      t.same(proxy.faults, [], `${what}: no fault`);
    }
    t.end();
  });
}

const context = (digits: string, of: string): string => `<tel:${digits};phone-context=${of}>`;

/** A caller from abroad who writes its number in a context. */
function local(digits: string, of: string, outcome: string): Row {
  return [`${digits} in ${of}`, peers.abroad, `${context(digits, of)};tag=1`, [], outcome];
}

/** The same beside the whole number in another field. */
function beside(digits: string, of: string, whole: string, outcome: string): Row {
  const headers = [`P-Asserted-Identity: ${context(digits, of)}`];
  return [`${digits} in ${of} beside ${whole}`, peers.abroad, `<sip:${whole}@a>;tag=1`, headers, outcome];
}

testRows("phone-context of another country", [
  local("0791234567", "+41", passes),
  local("5551234", "+1312", passes),
  local("91234567", "+852", passes),
  local("7911123456", "+44", passes),
  local("13812345678", "+1", malformed),
  local("15112345678", "+49", malformed),
  local("02079460000", "+44", malformed),
  local("95588", "+49", malformed),
  local("095588", "+49", malformed),
  local("110", "+49", malformed),
  local("4008208820", "+49", malformed),
  local("8613912345678", "+49", malformed),
  // A fixed number of home without its trunk prefix, unless another field proves another number.
  local("5544433333", "+55", home),
  local("2125551234", "+1", home),
  local("1087654321", "+49", home),
  beside("5544433333", "+55", "+555544433333", passes),
  beside("2125551234", "+1", "+12125551234", passes),
  beside("2125551234", "+1", "+12125551235", home),
  beside("2125551234", "+1", "2125551234", home),
  beside("13812345678", "+1", "+442079460000", malformed),
  // Under +86 it is a number of home, as it says.
  local("01087654321", "+86", home),
]);

const rpid = (value: string): string => `Remote-Party-ID: ${value}`;

testRows("Remote-Party-ID", [
  ["the name is hidden", peers.lessee, listed, [rpid('"Ops" <sip:+861087654321@a>;privacy=name')], passes],
  [
    "the name is hidden, quoted",
    peers.lessee,
    listed,
    [rpid('<sip:+861087654321@a>;privacy="name"')],
    passes,
  ],
  ["the number is hidden", peers.lessee, listed, [rpid("<sip:+861087654321@a>;privacy=uri")], hidden],
  ["both are", peers.lessee, listed, [rpid("<sip:+861087654321@a>;privacy=full")], hidden],
  ["both are, in a list", peers.lessee, listed, [rpid("<sip:+861087654321@a>;privacy=name,uri")], hidden],
  [
    "the name is Anonymous, in both fields",
    peers.lessee,
    `"Anonymous" ${listed}`,
    [rpid('"Anonymous" <sip:+861087654321@a>;party=calling;privacy=name;screen=yes')],
    passes,
  ],
  ["Anonymous without a number", peers.lessee, '"Anonymous" <sip:a>;tag=1', [], hidden],
  ["the called party", peers.lessee, listed, [rpid("<sip:02787654321@a>;party=called")], passes],
  ["another called party", peers.lessee, listed, [rpid("<sip:95588@a>;party=called")], notListed],
  ["nobody said, the called number", peers.lessee, listed, [rpid("<sip:02787654321@a>")], notListed],
  ["from abroad", peers.abroad, "<sip:+442079460000@a>;tag=1", [rpid("<sip:02787654321@a>")], home],
  [
    "from abroad, another",
    peers.abroad,
    "<sip:+442079460000@a>;tag=1",
    [rpid("<sip:95588@a>;party=called")],
    home,
  ],
]);

const stranger = "<sip:+8613912345678@a>;tag=1";

testRows(
  "identity: pai-first",
  [
    ["PAI", peers.lessee, stranger, ["P-Asserted-Identity: <tel:+861087654321>"], passes],
    [
      "PAI of a sip and a tel URI",
      peers.lessee,
      "<sip:8001@a>;tag=1",
      ["P-Asserted-Identity: <sip:alice@b>, <tel:+861087654321>"],
      passes,
    ],
    [
      "a forged tel URI",
      peers.lessee,
      listed,
      ["P-Asserted-Identity: <sip:alice@b>, <tel:+8613912345678>"],
      notListed,
    ],
    ["a PAI without a number", peers.lessee, stranger, ["P-Asserted-Identity: <sip:alice@b>"], notListed],
    ["the calling party", peers.lessee, stranger, [rpid("<sip:+861087654321@a>;party=calling")], passes],
    ["nobody said", peers.lessee, stranger, [rpid("<sip:+861087654321@a>")], passes],
    [
      "a listed number as the called party",
      peers.lessee,
      stranger,
      [rpid("<sip:+861087654321@a>;party=called")],
      notListed,
    ],
    ["and of no known party", peers.lessee, stranger, [rpid("<sip:+861087654321@a>;party=other")], notListed],
    [
      "the dialled number as the called party",
      peers.lessee,
      stranger,
      [rpid("<sip:02787654321@a>;party=called")],
      notListed,
    ],
  ],
  paiFirst,
);

testRows("display names in GBK that end in an octet 0x5C", [
  ["From", peers.lessee, `"\xb3\x5c" ${listed}`, [], passes],
  ["From of a stranger", peers.lessee, `"\xb3\x5c" ${stranger}`, [], notListed],
  ["PAI", peers.lessee, listed, ['P-Asserted-Identity: "\xd5\x5c" <sip:+861087654321@a>'], passes],
  [
    "PAI, two values",
    peers.lessee,
    listed,
    ['P-Asserted-Identity: "\xd5\x5c" <sip:+861087654321@a>, "\xd5\x5c" <tel:+861087654321>'],
    passes,
  ],
  [
    "the second value is judged",
    peers.lessee,
    listed,
    ['P-Asserted-Identity: "\xd5\x5c" <sip:+861087654321@a>, "\xd5\x5c" <tel:95588>'],
    "cli-conflict",
  ],
  ["two addresses", peers.lessee, `"\xb3\x5c" <sip:95588@b>, " ${listed}`, [], "message-malformed"],
  [
    "an address in a parameter",
    peers.lessee,
    listed,
    ['P-Preferred-Identity: "\xb3\x5c" <sip:+861087654321@a>;x="<tel:95588>"'],
    "message-malformed",
  ],
]);
