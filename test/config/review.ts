import tap from "tap";
import { reviewPolicy } from "../../src/config/review/review.ts";
import { brokenPolicy, filesOf, printed, soundLists } from "./files.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";

type Edit = readonly [from: string, to: string];

const listeners = ["udp:127.0.0.1:5060", "udp:127.0.0.1:5070"];
const now = Date.parse("2026-11-22T00:00:00Z");

/** Ties every trunk to its side: the core, by its port, to the second listener. */
function onSides(policy: string): string {
  return policy.replaceAll(/match: \{ addresses: (.*)/gu, (line, rest: string) => {
    if (rest.includes("listener:") || rest.includes("any side")) return line;
    const isCore = rest.includes("509");
    return `match: { listener: udp:127.0.0.1:${isCore ? 5070 : 5060}, ${line.slice("match: { ".length)}`;
  });
}

/** Everything that loading and reviewing say about the sound policy with these edits. */
function review(
  edits: readonly Edit[],
  lists: Readonly<Record<string, string>> = {},
  at = now,
): readonly string[] {
  const files = filesOf({ ...soundLists, ...lists, "policy.yaml": onSides(brokenPolicy(...edits)) });
  const { policy, material, issues } = loadPolicy(files, "policy.yaml", listeners);
  if (policy === undefined || material === undefined) throw new Error(printed(issues).join("\n"));
  return printed([...issues, ...reviewPolicy(policy, material, listeners, at)]);
}

const onLease = (text: string): Edit => ["limits: { callsPerSecond: 5 }", text];
const onIntl = (text: string): Edit => ["ports: [5062] }", `ports: [5062] }\n    ${text}`];
const globally = (text: string): Edit => ["rules:\n  hidden-caller: { mode: enforce }", `rules:\n  ${text}`];

const policies: readonly (readonly [name: string, edits: readonly Edit[], findings: readonly string[]])[] = [
  ["a sound policy", [], []],
  [
    "detectors that enforce, and what they would do if they did",
    [
      [
        "version: 1",
        `version: 1
detectors:
  one-ring: { quarantine: { subject: caller, for: 24h }, action: { do: label } }
  short-calls: { mode: off, quarantine: { subject: trunk } }
  block-dialling: { mode: enforce, quarantine: { subject: trunk, for: 1d }, action: { do: label, for: 24h } }
  call-bombing: { mode: enforce, action: { do: withhold, for: 1h } }`,
      ],
      onIntl("rules: { quarantine: { mode: monitor } }"),
    ],
    [
      "policy.yaml:3:15 detectors.one-ring.quarantine: warning: not in force yet: the mode is monitor; `mode: enforce` puts it in force",
      "policy.yaml:3:58 detectors.one-ring.action: warning: not in force yet: the mode is monitor; `mode: enforce` puts it in force",
      "policy.yaml:4:29 detectors.short-calls.quarantine: warning: has no effect: the detector is off",
      "policy.yaml:5:77 detectors.block-dialling.action: warning: has no effect: the calls are refused for as long, so that none is left to mark",
      "policy.yaml:18:5 trunks[2].id: warning: rule quarantine is monitor on the trunk: what detectors bind passes here",
    ],
  ],
  [
    "a lessee trunk without lessee",
    [["    lessee: acme-bj\n", ""]],
    [
      "policy.yaml:7:5 trunks[1].side: warning: the trunk has no lessee, so caller-authentication refuses every call; set `lessee`",
      'policy.yaml:17:5 lessees[0].id: warning: no trunk names the lessee "acme-bj"',
    ],
  ],
  [
    "a lessee where none is authenticated",
    [onIntl("lessee: acme-bj")],
    ["policy.yaml:16:5 trunks[2].lessee: warning: has no effect on a trunk of side international"],
  ],
  [
    "nowhere to go",
    [['    nextHops: ["sip:127.0.0.1:5090"]\n    limits', "    limits"]],
    [
      "policy.yaml:6:5 trunks[1].id: warning: the trunk has no nextHops, so accepted calls are answered 404; set `nextHops`",
    ],
  ],
  [
    "a next hop that no trunk matches, told once",
    [["ports: [5090]", "ports: [5091]"]],
    [
      "policy.yaml:11:16 trunks[1].nextHops[0]: warning: no trunk matches 127.0.0.1:5090: requests that the called side sends from there are dropped",
    ],
  ],
  [
    "a core on the listener of the others",
    [
      [
        "addresses: [127.0.0.1], ports: [5090] }",
        "addresses: [127.0.0.1], ports: [5090], listener: udp:127.0.0.1:5060 }",
      ],
    ],
    [
      "policy.yaml:5:5 trunks[0].match: warning: on udp:127.0.0.1:5060 other trunks are heard too: a datagram with a forged source address passes as the core, unjudged; give the core a listener of its own (match.listener of every trunk) and drop forged sources at the border (uRPF, see docs/operations.md)",
    ],
  ],
  [
    "another trunk on the listener of the core",
    [
      [
        "addresses: [127.0.0.1], ports: [5062] }",
        "addresses: [127.0.0.1], ports: [5062], listener: udp:127.0.0.1:5070 }",
      ],
    ],
    [
      "policy.yaml:5:5 trunks[0].match: warning: on udp:127.0.0.1:5070 other trunks are heard too: a datagram with a forged source address passes as the core, unjudged; give the core a listener of its own (match.listener of every trunk) and drop forged sources at the border (uRPF, see docs/operations.md)",
    ],
  ],
  [
    "a trunk that two listeners reach",
    [
      [
        "addresses: [127.0.0.1], ports: [5062] }",
        "addresses: [127.0.0.1, 127.0.0.0/8], ports: [5062] } # any side",
      ],
    ],
    [
      "policy.yaml:5:5 trunks[0].match: warning: on udp:127.0.0.1:5070 other trunks are heard too: a datagram with a forged source address passes as the core, unjudged; give the core a listener of its own (match.listener of every trunk) and drop forged sources at the border (uRPF, see docs/operations.md)",
      "policy.yaml:15:5 trunks[2].match: warning: udp:127.0.0.1:5060 and udp:127.0.0.1:5070 can send to it: a message leaves by the one that it came in by, OPTIONS by the first; name the one that the peer knows in match.listener",
    ],
  ],
  [
    "next hops of the core: a peer, and the core itself",
    [
      [
        "addresses: [127.0.0.1], ports: [5090] }",
        'addresses: [127.0.0.1], ports: [5090] }\n    nextHops: ["sip:127.0.0.1:5061", "sip:127.0.0.1:5090"]',
      ],
    ],
    [
      "policy.yaml:6:38 trunks[0].nextHops[1]: warning: 127.0.0.1:5090 is the core itself: calls from the core to the core are refused (routing-refused)",
    ],
  ],
  [
    "rules of the core",
    [["ports: [5090] }", "ports: [5090] }\n    rules: { hidden-caller: { mode: off } }"]],
    ["policy.yaml:6:5 trunks[0].rules: warning: has no effect: calls from the core are not screened"],
  ],
  [
    "accept by default where only listed callers pass",
    [onLease("default: accept")],
    [
      "policy.yaml:12:5 trunks[1].default: warning: has no effect: a lessee trunk accepts listed callers only",
    ],
  ],
  [
    "503 for a caller, and for a limit",
    [onLease("status: { cli-hidden: 503, call-rate-exceeded: 503 }")],
    [
      "policy.yaml:12:15 trunks[1].status.cli-hidden: warning: 503 makes the peer try the same call by another route; choose another status",
    ],
  ],
  [
    "bare numbers that are expected and refused",
    [onIntl("bareForm: e164")],
    [
      'policy.yaml:16:5 trunks[2].bareForm: warning: numbers without "+" that look domestic are refused: all of country codes 1, 95 and 960 to 968, all of 7 or 8 digits, and a part of other short ones; have the peer send "+", or set rules.home-cli-from-abroad.bareAmbiguous to accept',
    ],
  ],
  [
    "bare numbers that pass, although they look domestic",
    [onIntl("rules: { home-cli-from-abroad: { bareAmbiguous: accept } }")],
    [
      'policy.yaml:13:5 trunks[2].id: warning: bareAmbiguous is accept: a caller abroad can show digits like 13912345678 without "+", and they look domestic',
    ],
  ],
  [
    "bare numbers, where the rule does not decide",
    [onIntl("bareForm: e164\n    rules: { home-cli-from-abroad: { mode: monitor } }")],
    [],
  ],
  [
    "options of a rule that is off",
    [globally("home-cli-from-abroad: { mode: off, roamers: drop }")],
    ["policy.yaml:29:38 rules.home-cli-from-abroad.roamers: warning: has no effect while the rule is off"],
  ],
  [
    "… that a trunk switches on",
    [
      globally("home-cli-from-abroad: { mode: off, roamers: drop }"),
      onIntl("rules: { home-cli-from-abroad: { mode: monitor } }"),
    ],
    [],
  ],
  [
    "a rule on a trunk where it can never fire",
    [
      onLease("rules: { home-cli-from-abroad: { roamers: drop } }"),
      onIntl("rules: { caller-authentication: { mode: enforce }, emergency: { mode: enforce } }"),
    ],
    [
      'policy.yaml:12:14 trunks[1].rules.home-cli-from-abroad: warning: can never fire on trunk "lease", whose side is lessee',
      'policy.yaml:16:14 trunks[2].rules.caller-authentication: warning: can never fire on trunk "intl", whose side is international',
      'policy.yaml:16:56 trunks[2].rules.emergency: warning: can never fire on trunk "intl", whose side is international',
    ],
  ],
  [
    "MESSAGE without a limit, and a limit without MESSAGE",
    [onLease("methods: { MESSAGE: screen }"), onIntl("limits: { messagesPerSecond: 1 }")],
    [
      "policy.yaml:12:5 trunks[1].methods: warning: MESSAGE is carried without a limit; set limits.messagesPerSecond",
      "policy.yaml:16:15 trunks[2].limits.messagesPerSecond: warning: has no effect: MESSAGE is refused",
    ],
  ],
  [
    "MESSAGE with its limit",
    [onLease("methods: { MESSAGE: screen }\n    limits: { messagesPerSecond: 1 }")],
    [],
  ],
  [
    "what a redirecting trunk can't do",
    [
      onIntl(
        "mode: redirect\n    strip: [Subject]\n    rules: { home-cli-from-abroad: { roamers: withhold } }\n    label: { text: a }",
      ),
    ],
    [
      "policy.yaml:16:5 trunks[2].mode: warning: a call whose number must be withheld can't be redirected: it is refused",
      "policy.yaml:17:5 trunks[2].strip: warning: has no effect: the calling side of a redirecting trunk sends the call itself",
    ],
  ],
  [
    "what the core's calls don't meet",
    [
      [
        "ports: [5090] }",
        "ports: [5090] }\n    strip: [Subject]\n    stripVerstat: true\n    label: { text: a }",
      ],
    ],
    [
      "policy.yaml:6:5 trunks[0].strip: warning: has no effect: calls from the core are forwarded unchanged",
      "policy.yaml:7:5 trunks[0].stripVerstat: warning: has no effect: calls from the core are forwarded unchanged",
      "policy.yaml:8:5 trunks[0].label: warning: has no effect: calls from the core are forwarded unchanged",
    ],
  ],
  [
    "a limit's rule without the limit",
    [onIntl("rules: { call-rate: { mode: monitor }, call-frequency: { mode: monitor } }")],
    [
      'policy.yaml:16:14 trunks[2].rules.call-rate: warning: can never fire on trunk "intl": it has no limits.callsPerSecond, and its lessee has none',
      'policy.yaml:16:44 trunks[2].rules.call-frequency: warning: can never fire on trunk "intl": it has no limits.attemptsPerCallerPerMinute and no limits.frequency',
    ],
  ],
  [
    "a rule that can never fire anywhere",
    [
      ["lists:\n  police: { file: police.csv, kind: police }\n", ""],
      globally("deny-lists: { mode: enforce }\n  call-frequency: { mode: monitor }"),
    ],
    [
      "policy.yaml:27:3 rules.deny-lists: warning: can never fire: the policy has no deny list and no score list",
      "policy.yaml:28:3 rules.call-frequency: warning: can never fire: no trunk has limits.attemptsPerCallerPerMinute or limits.frequency",
    ],
  ],
  [
    "a special user that is over, and one about to be",
    [
      [
        "    reason: approval 7\n",
        '    reason: approval 7\n  - { trunk: lease, number: "+861087654301", allow: [hidden], until: 2026-12-01, reason: a }\n',
      ],
      ["until: 2027-01-31", "until: 2026-11-21"],
    ],
    [
      "policy.yaml:26:5 specialUsers[0].until: warning: expired on 2026-11-21",
      "policy.yaml:28:63 specialUsers[1].until: warning: expires on 2026-12-01",
    ],
  ],
  [
    "a special user that no list has",
    [['"+861087654300"', '"+861087654200"']],
    [
      "policy.yaml:24:5 specialUsers[0].number: warning: acme.csv does not list this number now: caller-authentication refuses it, special user or not",
    ],
  ],
];

void tap.test("what is legal in a policy and probably not meant", async (t) => {
  for (const [name, edits, findings] of policies) t.strictSame(review(edits), findings, name);
});

void tap.test("special users hold to the end of their last day", async (t) => {
  const until: Edit = ["until: 2027-01-31", "until: 2026-11-22"];
  const lastMoment = Date.parse("2026-11-22T15:59:59.999Z");
  t.match(review([until], {}, lastMoment), [/expires on 2026-11-22/]);
  t.match(review([until], {}, lastMoment + 1), [/expired on 2026-11-22/]);
});

const head = "number,valid_from,valid_to,verified_on\n";
const block = "+861087654300..+861087654399,,,2026-11-01\n";
const lists: readonly (readonly [
  name: string,
  lists: Readonly<Record<string, string>>,
  findings: readonly string[],
  edits?: readonly Edit[],
])[] = [
  [
    "dates",
    {
      "acme.csv": `${head}${block}95588,,2026-11-21,2026-11-01\n95599,,2026-11-22,2026-11-01\n95533,2026-11-23,,2026-11-01\n95566,,2026-12-22,2026-11-01\n95577,,2026-12-21,2026-11-01\n`,
    },
    [
      "acme.csv:3:1 valid_to: warning: expired on 2026-11-21",
      "acme.csv:4:1 valid_to: warning: expires on 2026-11-22",
      "acme.csv:5:1 valid_from: warning: not valid before 2026-11-23",
      "acme.csv:7:1 valid_to: warning: expires on 2026-12-21",
    ],
  ],
  [
    "verification",
    { "acme.csv": `${head}${block}95588,,,\n95599,,,2026-11-23\n95533,,,2020-01-01\n` },
    [
      "acme.csv:3:1 verified_on: warning: never verified",
      "acme.csv:4:1 verified_on: warning: verified in the future, on 2026-11-23",
    ],
  ],
  [
    "verification that is overdue by policy",
    { "acme.csv": `${head}${block}95588,,,2026-10-22\n95599,,,2026-10-23\n` },
    ["acme.csv:3:1 verified_on: warning: last verified on 2026-10-22, more than 30 days ago"],
    [globally("caller-authentication: { verifiedWithinDays: 30 }")],
  ],
  ["a deny list needs no verification", { "police.csv": "number,verified_on\n95588,\n" }, []],
  [
    "duplicate rows, and rows that only look like it",
    {
      "acme.csv": `${head}${block}95588,,,2026-11-01\n95588,,,2026-11-01\n${block}010-6999 0000*,,,2026-11-01\n+861069990000*,,,2026-11-01\n+861087654310,,,2026-11-01\n95599,2025-01-01,2026-12-31,2026-11-01\n95599,2027-01-01,2030-12-31,2026-11-01\n`,
    },
    [
      "acme.csv:4:1 number: warning: duplicate of line 3",
      "acme.csv:5:1 number: warning: duplicate of line 2",
      "acme.csv:7:1 number: warning: duplicate of line 6",
      "acme.csv:10:1 valid_from: warning: not valid before 2027-01-01",
    ],
  ],
  [
    "a code in two spellings, and its neighbour",
    { "acme.csv": `${head}${block}95588,,,2026-11-01\n010-95588,,,2026-11-01\n+8695589,,,2026-11-01\n` },
    ["acme.csv:4:1 number: warning: duplicate of line 3"],
  ],
  [
    "a code that a deny list writes otherwise",
    { "acme.csv": `${head}${block}95588,,,2026-11-01\n`, "police.csv": "number\n+861095588\n" },
    ['police.csv:2:1 number: warning: 95588 is refused here and listed for lessee "acme-bj" at acme.csv:3'],
  ],
  [
    "emergency numbers",
    { "acme.csv": `${head}${block}110,,,2026-11-01\n`, "police.csv": "number\n95110\n12395\n95111\n" },
    [
      "acme.csv:3:1 number: warning: covers the emergency number 110, from which only the service itself may call",
      "police.csv:2:1 number: warning: covers the emergency number 95110, from which only the service itself may call",
      "police.csv:3:1 number: warning: covers the emergency number 12395, from which only the service itself may call",
    ],
  ],
  [
    "a prefix for half a city",
    { "acme.csv": `${head}${block}+861067*,,,2026-11-01\n+8610888*,,,2026-11-01\n` },
    ["acme.csv:3:1 number: warning: the prefix has only 6 digits, so it covers a million numbers or more"],
  ],
  [
    "ranges of a million numbers and more, and one that is smaller",
    {
      "acme.csv": `${head}${block}+861020000000..+861020999999,,,2026-11-01\n+861030000000..+861030999998,,,2026-11-01\n+442000000000..+442099999999,,,2026-11-01\n`,
    },
    [
      "acme.csv:3:1 number: warning: the range covers 1,000,000 numbers",
      "acme.csv:5:1 number: warning: the range covers 100,000,000 numbers",
    ],
  ],
  [
    "prefixes of codes: of several services, and of one",
    { "acme.csv": `${head}${block}95*,,,2026-11-01\n955*,,,2026-11-01\n` },
    [
      "acme.csv:3:1 number: warning: covers the emergency number 95110, from which only the service itself may call",
      "acme.csv:3:1 number: warning: the prefix covers every code with 95",
    ],
  ],
  ["a foreign country on a deny list is one decision", { "police.csv": "number\n+231*\n" }, []],
  [
    "all mobile numbers of home on a deny list are none",
    { "police.csv": "number\n+8613*\n" },
    ["police.csv:2:1 number: warning: the prefix has only 4 digits, so it covers a million numbers or more"],
  ],
  [
    "a number for two lessees: an error, at the second",
    { "zeta.csv": `${head}+861087654310,,,2026-11-01\n+861087654400,,,2026-11-01\n` },
    ['zeta.csv:2:1 number: +861087654310 is also listed for lessee "acme-bj" at acme.csv:2'],
    [
      ["    numbers: acme.csv\n", "    numbers: acme.csv\n  - id: zeta\n    numbers: zeta.csv\n"],
      onIntl(
        "rules: {}\n  - id: lease-2\n    side: lessee\n    lessee: zeta\n    match: { addresses: [127.0.0.1], ports: [5064] }",
      ),
    ] satisfies readonly Edit[],
  ],
  [
    "… not at the same time is a move",
    {
      "acme.csv": `${head}+861087654300..+861087654399,,2027-12-31,2026-11-01\n`,
      "zeta.csv": `${head}+861087654310,2028-01-01,,2026-11-01\n`,
    },
    ["zeta.csv:2:1 valid_from: warning: not valid before 2028-01-01"],
    [
      ["    numbers: acme.csv\n", "    numbers: acme.csv\n  - id: zeta\n    numbers: zeta.csv\n"],
      onIntl(
        "rules: {}\n  - id: lease-2\n    side: lessee\n    lessee: zeta\n    match: { addresses: [127.0.0.1], ports: [5064] }",
      ),
    ] satisfies readonly Edit[],
  ],
  [
    "a number that is listed and refused",
    { "police.csv": "number\n+861087654399\n" },
    [
      'police.csv:2:1 number: warning: +861087654399 is refused here and listed for lessee "acme-bj" at acme.csv:2',
    ],
  ],
];

void tap.test("what is legal in a list and probably not meant", async (t) => {
  for (const [name, files, findings, edits = []] of lists) {
    // A second lessee's trunk has no next hop in this table: that finding belongs to the other one.
    const found = review(edits, files).filter((line) => !line.includes("has no nextHops"));
    t.strictSame(found, findings, name);
  }
});

void tap.test("many findings of one kind become a number", async (t) => {
  const rows = Array.from({ length: 100 }, (_, index) => `+8610${80_000_000 + index},,2026-01-01,2026-01-01`);
  const found = review([], { "acme.csv": `${head}${block}${rows.join("\n")}\n` });
  t.equal(found.length, 6);
  t.equal(found[5], "acme.csv:8:1 valid_to: warning: 95 more rows like the ones before");
});
