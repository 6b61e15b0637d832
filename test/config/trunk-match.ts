import tap from "tap";
import { parseNetwork } from "../../src/net/address.ts";
import { findTies } from "../../src/policy/match-ties.ts";
import { ANY_NAME, createMatcher } from "../../src/policy/trunk-match.ts";
import type { MatchEntry } from "../../src/policy/trunk-match.ts";

function entry(
  target: string,
  network: string,
  ports?: readonly number[],
  listener?: string,
  tlsName?: string,
): MatchEntry<string> {
  const parsed = parseNetwork(network);
  if (typeof parsed === "string") throw new Error(parsed);
  return { target, network: parsed, ports, listener, tlsName };
}

const a = "udp:192.0.2.1:5060";
const b = "udp:192.0.2.1:5080";

const entries = [
  entry("all", "0.0.0.0/0"),
  entry("ten", "10.0.0.0/8"),
  entry("ten-port", "10.0.0.0/8", [5061, 5062]),
  entry("ten-one", "10.1.0.0/16"),
  entry("host", "10.1.2.3", [5061]),
  entry("host-a", "10.1.2.3", [5061], a),
  entry("listener", "10.2.0.0/16", undefined, b),
  entry("six", "2001:db8::/32"),
  entry("six-host", "2001:db8::1", [5060]),
];

const sources: readonly (readonly [
  listener: string,
  address: string,
  port: number,
  target: string | undefined,
])[] = [
  [a, "192.0.2.9", 5060, "all"],
  [a, "10.9.9.9", 5060, "ten"],
  [a, "10.9.9.9", 5061, "ten-port"],
  [a, "10.9.9.9", 5063, "ten"],
  // The longer prefix wins over ports that are given.
  [a, "10.1.9.9", 5061, "ten-one"],
  [a, "10.1.2.3", 5061, "host-a"],
  [b, "10.1.2.3", 5061, "host"],
  [a, "10.1.2.3", 5062, "ten-one"],
  [b, "10.2.0.1", 9, "listener"],
  [a, "10.2.0.1", 9, "ten"],
  [a, "10.2.0.1", 5062, "ten-port"],
  [a, "::ffff:10.9.9.9", 5061, "ten-port"],
  [a, "2001:db8::1", 5060, "six-host"],
  [a, "2001:db8::1", 5061, "six"],
  [a, "2001:db8:ffff::1", 5061, "six"],
  [a, "2001:DB8:0::1", 5060, "six-host"],
  [a, "2001:db9::1", 5060, undefined],
  // The whole of IPv4 is not the whole of IPv6.
  [a, "::1", 5060, undefined],
  [a, "not an address", 5060, undefined],
  [a, "", 5060, undefined],
];

void tap.test("the most specific match wins: prefix, then ports, then listener", async (t) => {
  for (const order of [entries, entries.toReversed()]) {
    const match = createMatcher(order, 4);
    // Twice, so that both the search and what is remembered of it answer.
    for (const _ of [1, 2]) {
      for (const [listener, address, port, target] of sources) {
        t.equal(match(listener, address, port), target, `${address}:${port} on ${listener}`);
      }
    }
  }
});

void tap.test("a TLS name: proved or no match, and then before ports and listener", async (t) => {
  const match = createMatcher(
    [
      entry("plain", "10.0.0.0/8"),
      entry("port", "10.0.0.0/8", [5061], a),
      entry("named", "10.0.0.0/8", undefined, undefined, "pbx.example"),
      entry("other", "10.0.0.0/8", undefined, undefined, "other.example"),
      entry("near", "10.1.0.0/16", undefined, undefined, "near.example"),
    ],
    16,
  );
  const rows: readonly (readonly [names: readonly string[] | undefined, address: string, target: string])[] =
    [
      [undefined, "10.9.9.9", "port"],
      [[], "10.9.9.9", "port"],
      [["pbx.example"], "10.9.9.9", "named"],
      [["x.example", "other.example"], "10.9.9.9", "other"],
      [["PBX.example"], "10.9.9.9", "port"],
      [["x.pbx.example"], "10.9.9.9", "port"],
      [["pbx.example"], "10.1.9.9", "named"],
      [["near.example"], "10.1.9.9", "near"],
      // A longer prefix is more than a name.
      [["near.example", "pbx.example"], "10.1.9.9", "near"],
      [["near.example"], "10.9.9.9", "port"],
      [ANY_NAME, "10.1.9.9", "near"],
    ];
  for (const [names, address, target] of rows)
    t.equal(match(a, address, 5061, names), target, `${address} as ${String(names)}`);
});

void tap.test("a matcher without entries matches nothing", async (t) => {
  t.equal(createMatcher([], 16)(a, "10.0.0.1", 5060), undefined);
});

void tap.test("ties", async (t) => {
  const rows: readonly (readonly [
    name: string,
    entries: readonly MatchEntry<string>[],
    claims: readonly string[],
  ])[] = [
    ["the same address", [entry("x", "10.0.0.1"), entry("y", "10.0.0.1/32")], ["x y 10.0.0.1"]],
    ["the same address, mapped", [entry("x", "10.0.0.1"), entry("y", "::ffff:10.0.0.1")], ["x y 10.0.0.1"]],
    [
      "one port in common",
      [entry("x", "10.0.0.1", [1, 2]), entry("y", "10.0.0.1", [2, 3])],
      ["x y 10.0.0.1 port 2"],
    ],
    [
      "one report for a pair",
      [entry("x", "10.0.0.1", [1, 2]), entry("y", "10.0.0.1", [2, 1])],
      ["x y 10.0.0.1 port 2"],
    ],
    [
      "the same listener",
      [entry("x", "10.0.0.1", undefined, a), entry("y", "10.0.0.1", undefined, a)],
      [`x y 10.0.0.1 on ${a}`],
    ],
    [
      "the same name",
      [
        entry("x", "10.0.0.1", undefined, undefined, "n.example"),
        entry("y", "10.0.0.1", undefined, undefined, "n.example"),
      ],
      ["x y 10.0.0.1 as n.example"],
    ],
    [
      "another name",
      [
        entry("x", "10.0.0.1", undefined, undefined, "n.example"),
        entry("y", "10.0.0.1", undefined, undefined, "m.example"),
      ],
      [],
    ],
    [
      "a name against none",
      [entry("x", "10.0.0.1", undefined, undefined, "n.example"), entry("y", "10.0.0.1")],
      [],
    ],
    ["no port in common", [entry("x", "10.0.0.1", [1]), entry("y", "10.0.0.1", [2])], []],
    ["ports against none", [entry("x", "10.0.0.1", [1]), entry("y", "10.0.0.1")], []],
    ["another listener", [entry("x", "10.0.0.1", [1], a), entry("y", "10.0.0.1", [1], b)], []],
    ["listener against none", [entry("x", "10.0.0.1", [1], a), entry("y", "10.0.0.1", [1])], []],
    ["another prefix", [entry("x", "10.0.0.0/8"), entry("y", "10.0.0.0/9")], []],
    ["one trunk twice", [entry("x", "10.0.0.1"), entry("x", "10.0.0.1")], []],
    [
      "three of a kind",
      [entry("x", "10.0.0.1"), entry("y", "10.0.0.1"), entry("z", "10.0.0.1")],
      ["x y 10.0.0.1", "x z 10.0.0.1"],
    ],
  ];
  for (const [name, tied, claims] of rows) {
    t.strictSame(
      findTies(tied).map(({ first, second, claim }) => `${first} ${second} ${claim}`),
      claims,
      name,
    );
  }
});
