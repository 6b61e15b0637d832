import tap from "tap";
import { brokenPolicy, filesOf, printed, soundLists, soundPolicy } from "./files.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";

type Edit = readonly [from: string, to: string];

/** One edit of the sound policy, and every issue it must give, word for word. */
const broken: readonly (readonly [name: string, edits: readonly Edit[], issues: readonly string[]])[] = [
  ["nothing", [], []],
  [
    "unknown key of a trunk",
    [["areaCode:", "areacode:"]],
    ['policy.yaml:10:5 trunks[1].areacode: unknown key "areacode"; did you mean "areaCode"?'],
  ],
  [
    "unknown key like no other",
    [["version: 1", "version: 1\nxyzzy: 1"]],
    ['policy.yaml:2:1 xyzzy: unknown key "xyzzy"'],
  ],
  [
    "unknown rule",
    [["hidden-caller:", "hiden-caller:"]],
    ['policy.yaml:29:3 rules.hiden-caller: unknown key "hiden-caller"; did you mean "hidden-caller"?'],
  ],
  [
    "unknown option of a rule",
    [["{ mode: enforce }", "{ mode: enforce, privcy: [header] }"]],
    ['policy.yaml:29:35 rules.hidden-caller.privcy: unknown key "privcy"; did you mean "privacy"?'],
  ],
  [
    "unknown option of a rule on a trunk",
    [["limits:", "rules: { home-cli-from-abroad: { roamer: drop } }\n    limits:"]],
    [
      'policy.yaml:12:38 trunks[1].rules.home-cli-from-abroad.roamer: unknown key "roamer"; did you mean "roamers"?',
    ],
  ],
  [
    "bad mode",
    [["mode: enforce", "mode: enforced"]],
    [
      'policy.yaml:29:20 rules.hidden-caller.mode: expected enforce | monitor | off, got "enforced"; did you mean "enforce"?',
    ],
  ],
  [
    "unknown state of a trunk",
    [["limits:", "state: suspend\n    limits:"]],
    [
      'policy.yaml:12:5 trunks[1].state: expected active | observe | suspended | closed, got "suspend"; did you mean "suspended"?',
    ],
  ],
  [
    "unknown key of an order",
    [["limits:", "state: { state: closed, untl: 2026-12-31 }\n    limits:"]],
    ['policy.yaml:12:29 trunks[1].state.untl: unknown key "untl"; did you mean "until"?'],
  ],
  [
    "an order without a state",
    [["numbers: acme.csv", "state: { order: JG-1 }\n    numbers: acme.csv"]],
    ["policy.yaml:19:5 lessees[0].state.state: required key is missing"],
  ],
  [
    "dates of an order that are none",
    [["limits:", 'state: { state: closed, since: "tomorrow", until: "31.12.2026" }\n    limits:']],
    [
      "policy.yaml:12:29 trunks[1].state.since: expected a date like 2026-12-31, or a date-time like 2026-12-31T18:00",
      "policy.yaml:12:48 trunks[1].state.until: expected a date like 2026-12-31, or a date-time like 2026-12-31T18:00",
    ],
  ],
  [
    "dates of an order that the calendar does not have",
    [["limits:", "state: { state: closed, since: 2026-02-29, until: 2026-12-31T24:00 }\n    limits:"]],
    [
      "policy.yaml:12:29 trunks[1].state.since: 2026-02-29 is no date or time of the calendar",
      "policy.yaml:12:48 trunks[1].state.until: 2026-12-31T24:00 is no date or time of the calendar",
    ],
  ],
  [
    "an order that ends before it begins",
    [["limits:", "state: { state: closed, since: 2026-12-31T18:00, until: 2026-12-31T18:00 }\n    limits:"]],
    ["policy.yaml:12:54 trunks[1].state.until: the order ends before it begins: until is not after since"],
  ],
  [
    "release on a line that is observed",
    [["limits:", "state: { state: observe, calls: release }\n    limits:"]],
    ["policy.yaml:12:30 trunks[1].state.calls: release is only for suspended and closed"],
  ],
  [
    "an order for the core",
    [["side: core", "side: core\n    state: closed"]],
    [
      "policy.yaml:5:5 trunks[0].state: calls from the core are not screened, so no order can stop them; take the key out",
    ],
  ],
  [
    "unknown reason code",
    [["limits:", "status: { cli-hiden: 403 }\n    limits:"]],
    ['policy.yaml:12:15 trunks[1].status.cli-hiden: unknown key "cli-hiden"; did you mean "cli-hidden"?'],
  ],
  [
    "status for a reason that refuses nothing",
    [["limits:", "status: { listed: 403 }\n    limits:"]],
    ['policy.yaml:12:15 trunks[1].status.listed: unknown key "listed"'],
  ],
  [
    "status that is no refusal",
    [["limits:", "status: { cli-hidden: 302 }\n    limits:"]],
    ["policy.yaml:12:15 trunks[1].status.cli-hidden: must be at least 400"],
  ],
  [
    "a method that has no row",
    [["limits:", "methods: { MESAGE: screen }\n    limits:"]],
    ['policy.yaml:12:16 trunks[1].methods.MESAGE: unknown key "MESAGE"; did you mean "MESSAGE"?'],
  ],
  [
    "an event method without packages, and a package that is none",
    [["limits:", "methods: { SUBSCRIBE: [], NOTIFY: [a b] }\n    limits:"]],
    [
      "policy.yaml:12:16 trunks[1].methods.SUBSCRIBE: needs at least 1 entry",
      "policy.yaml:12:40 trunks[1].methods.NOTIFY[0]: not the name of an event package; expected one like message-summary",
    ],
  ],
  [
    "fields that are needed, also by their compact names, and what is no field",
    [["limits:", 'strip: [Subject, VIA, m, Record-Route, "a b"]\n    limits:']],
    [
      'policy.yaml:12:22 trunks[1].strip[1]: "VIA" can\'t be removed: routing, dialogs or the body need it',
      'policy.yaml:12:27 trunks[1].strip[2]: "m" can\'t be removed: routing, dialogs or the body need it',
      'policy.yaml:12:30 trunks[1].strip[3]: "Record-Route" can\'t be removed: routing, dialogs or the body need it',
      'policy.yaml:12:44 trunks[1].strip[4]: "a b" is not the name of a header field',
    ],
  ],
  [
    "a label that would break a line",
    [["limits:", 'label: { text: "a\\nb" }\n    limits:']],
    ["policy.yaml:12:14 trunks[1].label.text: must not hold control characters"],
  ],
  [
    "missing key: the place is that of the map",
    [["    side: lessee\n", ""]],
    ["policy.yaml:6:5 trunks[1].side: required key is missing"],
  ],
  [
    "number where text belongs",
    [['areaCode: "10"', "areaCode: 10"]],
    ["policy.yaml:10:5 trunks[1].areaCode: expected text, got the number 10; write it in quotes"],
  ],
  [
    "unquoted number that lost its +",
    [['number: "+861087654300"', "number: +861087654300"]],
    [
      "policy.yaml:24:5 specialUsers[0].number: expected text, got the number 861087654300; write it in quotes",
    ],
  ],
  [
    "area code of no plan",
    [['areaCode: "10"', 'areaCode: "010"']],
    [
      'policy.yaml:10:5 trunks[1].areaCode: not an area code of the numbering plan; write it without trunk prefix, like "10" or "755"',
    ],
  ],
  [
    "unknown lessee",
    [["lessee: acme-bj", "lessee: acme"]],
    ['policy.yaml:9:5 trunks[1].lessee: unknown lessee "acme"; did you mean "acme-bj"?'],
  ],
  [
    "unknown trunk of a special user",
    [["trunk: lease", "trunk: laese"]],
    ['policy.yaml:23:5 specialUsers[0].trunk: unknown trunk "laese"; did you mean "lease"?'],
  ],
  [
    "a lessee with another fault is no unknown lessee",
    [["numbers: acme.csv", "numbers: acme.csv\n    colour: blue"]],
    ['policy.yaml:20:5 lessees[0].colour: unknown key "colour"'],
  ],
  [
    "second trunk of a name",
    [["id: intl", "id: lease"]],
    ['policy.yaml:13:5 trunks[2].id: another trunk already has the id "lease"'],
  ],
  [
    "key given twice",
    [["version: 1", "version: 1\nversion: 1"]],
    ["policy.yaml:2:1: this key is already in the map"],
  ],
  [
    "a deny list named like a lessee",
    [["  police:", "  acme-bj:"]],
    [
      'policy.yaml:21:3 lists.acme-bj: the list of lessee "acme-bj" already has this name; rename one of them',
    ],
  ],
  [
    "id that can't be a label",
    [["id: core", "id: my core"]],
    [
      'policy.yaml:3:5 trunks[0].id: an id has 1 to 64 letters, digits, ".", "_" or "-" and begins with a letter or digit',
    ],
  ],
  [
    "address of no family",
    [["[127.0.0.1], ports: [5062]", "[127.0.0.256, 10.0.0.0/33, 10.0.0.1/8, ::g], ports: [5062]"]],
    [
      'policy.yaml:15:26 trunks[2].match.addresses[0]: "127.0.0.256" is not an IP address or a block like 192.0.2.0/24',
      'policy.yaml:15:39 trunks[2].match.addresses[1]: "10.0.0.0/33" needs a prefix length from 0 to 32 after the slash',
      'policy.yaml:15:52 trunks[2].match.addresses[2]: "10.0.0.1/8" has bits set after its prefix; did you mean "10.0.0.0/8"?',
      'policy.yaml:15:64 trunks[2].match.addresses[3]: "::g" is not an IP address or a block like 192.0.2.0/24',
    ],
  ],
  [
    "port out of range, and none at all",
    [
      ["ports: [5062]", "ports: [0, 65536, 1.5]"],
      ["ports: [5061]", "ports: []"],
    ],
    [
      "policy.yaml:8:38 trunks[1].match.ports: needs at least 1 entry",
      "policy.yaml:15:46 trunks[2].match.ports[0]: must be at least 1",
      "policy.yaml:15:49 trunks[2].match.ports[1]: must be at most 65535",
      "policy.yaml:15:56 trunks[2].match.ports[2]: expected a whole number, got the number 1.5",
    ],
  ],
  [
    "next hops that are no addresses",
    [
      [
        '["sip:127.0.0.1:5090"]\n    limits',
        '["sip:", "sips:127.0.0.1;transport=udp", "sip:a@127.0.0.1", "sip:127.0.0.1;transport=sctp", "127.0.0.1:5090", "sip:::1:5060", "sip:10.1.2", "sip:127.0.0.1:0"]\n    limits',
      ],
    ],
    [
      'policy.yaml:11:16 trunks[1].nextHops[0]: "sip:": expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME',
      'policy.yaml:11:24 trunks[1].nextHops[1]: "sips:127.0.0.1;transport=udp": the only parameter is transport, once: tls or tcp (TLS over it)',
      'policy.yaml:11:56 trunks[1].nextHops[2]: "sip:a@127.0.0.1": a next hop has no user part; expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME',
      'policy.yaml:11:75 trunks[1].nextHops[3]: "sip:127.0.0.1;transport=sctp": the only parameter is transport, once: udp, tcp or tls',
      'policy.yaml:11:107 trunks[1].nextHops[4]: "127.0.0.1:5090" is not a next hop; expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME',
      'policy.yaml:11:125 trunks[1].nextHops[5]: "sip:::1:5060": expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME',
      'policy.yaml:11:141 trunks[1].nextHops[6]: "sip:10.1.2": expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME',
      'policy.yaml:11:155 trunks[1].nextHops[7]: "sip:127.0.0.1:0": expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME',
    ],
  ],
  [
    "next hops with a place among the others",
    [
      [
        '["sip:127.0.0.1:5090"]\n    limits',
        '[{ uri: "sip:127.0.0.1:5090", wieght: 2 }, { priority: 2 }, { uri: "sip:a b", weight: 0 }, 5090]\n    limits',
      ],
    ],
    [
      'policy.yaml:11:45 trunks[1].nextHops[0].wieght: unknown key "wieght"; did you mean "weight"?',
      "policy.yaml:11:58 trunks[1].nextHops[1].uri: required key is missing",
      'policy.yaml:11:77 trunks[1].nextHops[2].uri: "sip:a b": expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME',
      "policy.yaml:11:93 trunks[1].nextHops[2].weight: must be at least 1",
      "policy.yaml:11:106 trunks[1].nextHops[3]: expected text or a map, got the number 5090",
    ],
  ],
  [
    "a next hop given twice",
    [
      [
        '["sip:127.0.0.1:5090"]\n    limits',
        '["sip:127.0.0.1:5090", "sip:127.0.0.1:5090;transport=UDP"]\n    limits',
      ],
    ],
    [
      'policy.yaml:11:38 trunks[1].nextHops[1]: the next hop "127.0.0.1:5090" is on this trunk already; `weight` gives it a larger share',
    ],
  ],
  [
    "trunks that can't be told apart",
    [["ports: [5062]", "ports: [5060, 5061]"]],
    ['policy.yaml:15:5 trunks[2].match: overlaps with trunk "lease": both claim 127.0.0.1 port 5061'],
  ],
  [
    "a wider trunk around another: the longer prefix wins",
    [["[127.0.0.1], ports: [5062]", "[127.0.0.0/8]"]],
    [],
  ],
  [
    "listener that isn't there",
    [["ports: [5062]", "listener: udp:127.0.0.1:5061"]],
    [
      'policy.yaml:15:38 trunks[2].match.listener: no such listener in sigwall.yaml: "udp:127.0.0.1:5061"; did you mean "udp:127.0.0.1:5060"?',
    ],
  ],
  [
    "a TLS name where nobody speaks TLS",
    [["ports: [5062]", "tlsName: pbx.example"]],
    ["policy.yaml:15:38 trunks[2].match.tlsName: no listener is tls: the trunk never matches"],
  ],
  [
    "a TLS name on a listener without TLS",
    [["ports: [5062]", "listener: udp:127.0.0.1:5060, tlsName: pbx.example"]],
    ["policy.yaml:15:68 trunks[2].match.tlsName: this listener is not tls: the trunk never matches"],
  ],
  [
    "a TLS name that is none",
    [["ports: [5062]", 'tlsName: "*.example"']],
    [
      'policy.yaml:15:38 trunks[2].match.tlsName: expected a host name as in the certificate, without "*" and "sip:"',
    ],
  ],
  [
    "date of no calendar, number of no plan",
    [
      ["2027-01-31", "2027-02-29"],
      ["+861087654300", "+86108765430"],
    ],
    [
      'policy.yaml:24:5 specialUsers[0].number: "+86108765430" is not a valid number (86 + unallocated)',
      "policy.yaml:26:5 specialUsers[0].until: 2027-02-29 is not a day of the calendar",
    ],
  ],
  [
    "another time zone and country",
    [["version: 1", 'version: 1\ntimeZone: Asia/Shangai\nhome: { country: "852" }']],
    [
      'policy.yaml:2:1 timeZone: not a time zone; expected a name like "Asia/Shanghai"',
      'policy.yaml:3:9 home.country: the built-in dial plan is that of country "86"',
    ],
  ],
  ["another version", [["version: 1", 'version: "1"']], ['policy.yaml:1:1 version: expected 1, got "1"']],
  [
    "table too small and too large",
    [["version: 1", "version: 1\ntables: { ledger: 1, sources: 1e9 }"]],
    [
      "policy.yaml:2:11 tables.ledger: must be at least 16",
      "policy.yaml:2:22 tables.sources: must be at most 16777216",
    ],
  ],
  [
    "detectors: a name, a key, a mode and a profile that there are not, and a threshold out of bounds",
    [
      [
        "version: 1",
        "version: 1\ndetectors:\n  one-ring: { mode: enforced, scores: 9 }\n  call-bombing: { profile: '0', score: 0 }\n  call-bomb: {}",
      ],
    ],
    [
      'policy.yaml:3:15 detectors.one-ring.mode: expected monitor | enforce | off, got "enforced"; did you mean "enforce"?',
      'policy.yaml:3:31 detectors.one-ring.scores: unknown key "scores"; did you mean "score"?',
      'policy.yaml:4:19 detectors.call-bombing.profile: expected 1, got "0"',
      "policy.yaml:4:33 detectors.call-bombing.score: must be at least 1",
      'policy.yaml:5:3 detectors.call-bomb: unknown key "call-bomb"; did you mean "call-bombing"?',
    ],
  ],
  [
    "detectors: enforcement without anything to follow, whom a finding does not name, and times that are none",
    [
      [
        "version: 1",
        `version: 1
detectors:
  one-ring: { mode: enforce }
  call-bombing: { mode: enforce, quarantine: { subject: caller } }
  block-dialling: { mode: enforce, quarantine: { subject: called, for: 0s }, action: { do: reject, for: 31d } }
  short-calls: { quarantine: { for: 24h }, action: { do: label, for: 1 h } }
  two-places: { mode: enforce, quarantine: { subject: caller, for: 24h } }`,
      ],
    ],
    [
      "policy.yaml:3:15 detectors.one-ring.mode: enforce needs `quarantine` or `action`: without them nothing follows from a finding",
      'policy.yaml:4:48 detectors.call-bombing.quarantine.subject: expected called, got "caller"; did you mean "called"?',
      'policy.yaml:5:50 detectors.block-dialling.quarantine.subject: expected caller | callerBlock | trunk, got "called"; did you mean "caller"?',
      "policy.yaml:5:67 detectors.block-dialling.quarantine.for: expected a time of 1s to 30d, like 30m, 24h or 7d",
      'policy.yaml:5:88 detectors.block-dialling.action.do: expected label | withhold, got "reject"',
      "policy.yaml:5:100 detectors.block-dialling.action.for: expected a time of 1s to 30d, like 30m, 24h or 7d",
      "policy.yaml:6:18 detectors.short-calls.quarantine.subject: required key is missing",
      "policy.yaml:6:65 detectors.short-calls.action.for: expected a time of 1s to 30d, like 30m, 24h or 7d",
      "policy.yaml:7:17 detectors.two-places.mode: two-places can't enforce: its findings do not say at which of the places the number's owner is",
      "policy.yaml:7:32 detectors.two-places.quarantine: two-places binds nobody: its findings do not say at which of the places the number's owner is",
    ],
  ],
  [
    "list that isn't there",
    [["numbers: acme.csv", "numbers: acne.csv"]],
    ["policy.yaml:19:5 lessees[0].numbers: can't read acne.csv: no such file"],
  ],
  [
    "nothing where a list belongs",
    [["    allow: [hidden]", "    allow:"]],
    ["policy.yaml:25:5 specialUsers[0].allow: expected a list, got nothing"],
  ],
];

void tap.test("a broken policy says what, where, and all of it", async (t) => {
  for (const [name, edits, expected] of broken) {
    const files = filesOf({ ...soundLists, "policy.yaml": brokenPolicy(...edits) });
    const { policy, issues } = loadPolicy(files, "policy.yaml", ["udp:127.0.0.1:5060"]);
    t.strictSame(printed(issues), expected, name);
    t.equal(
      policy === undefined,
      expected.length > 0,
      `${name}: ${expected.length > 0 ? "refused" : "loaded"}`,
    );
  }
});

void tap.test("issues of the policy, its references and its lists come in one run", async (t) => {
  const files = filesOf({
    "policy.yaml": brokenPolicy(
      ["side: core", "side: cor"],
      ["lessee: acme-bj", "lessee: acme"],
      ["version: 1", "version: 1\nversion: 2"],
    ),
    "acme.csv": "number,valid_to\n+8610876543000,2026-02-30\n",
    "police.csv": "number\n",
  });
  t.strictSame(printed(loadPolicy(files, "policy.yaml").issues), [
    "policy.yaml:2:1: this key is already in the map",
    "policy.yaml:2:1 version: expected 1, got the number 2",
    'policy.yaml:5:5 trunks[0].side: expected lessee | national | international | core, got "cor"; did you mean "core"?',
    'policy.yaml:10:5 trunks[1].lessee: unknown lessee "acme"; did you mean "acme-bj"?',
    'acme.csv:2:1 number: "+8610876543000" is not a valid number (86 + unallocated)',
    'acme.csv:2:16 valid_to: "2026-02-30" is not a date like 2026-12-31',
    "police.csv:1:1: the list is empty; remove it from the policy if it must match nothing",
  ]);
});

void tap.test("YAML that is none", async (t) => {
  const rows: readonly (readonly [text: string | Uint8Array, issues: readonly string[]])[] = [
    ["", ["policy.yaml:1:1: the file is empty"]],
    ["# only a comment\n", ["policy.yaml:1:1: the file is empty"]],
    ["- a\n---\n- b\n", ["policy.yaml:2:1: there is a second document in the file"]],
    ["a: *b\n", ["policy.yaml:1:1: Unresolved alias (the anchor must be set before the alias): b"]],
    ["version: !!js 1\n", ["policy.yaml:1:10: Unresolved tag: tag:yaml.org,2002:js"]],
    [
      new Uint8Array([0x61, 0x3a, 0x20, 0xc4, 0xe3, 0xba, 0xc3]),
      ["policy.yaml:1:4: not UTF-8 text from here on; save the file as UTF-8"],
    ],
    ["just words", ['policy.yaml:1:1: expected a map, got "just words"']],
  ];
  for (const [text, expected] of rows) {
    const { policy, issues } = loadPolicy(filesOf({ "policy.yaml": text }), "policy.yaml");
    t.strictSame(printed(issues), expected, JSON.stringify(text));
    t.equal(policy, undefined);
  }
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
    .split("")
    .map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]},`.repeat(9)}]`)
    .join("\n")}\n`;
  t.match(
    printed(loadPolicy(filesOf({ "policy.yaml": bomb }), "policy.yaml").issues),
    [/alias/],
    "an alias bomb",
  );
});

void tap.test("a policy file that isn't there", async (t) => {
  t.strictSame(printed(loadPolicy(filesOf({}), "conf/policy.yaml").issues), [
    "conf/policy.yaml:1:1: can't be read: no such file",
  ]);
});

function asOnWindows(text: string): string {
  return `\uFEFF${text.replaceAll("\n", "\r\n")}`;
}

void tap.test("a byte order mark and Windows line ends change nothing", async (t) => {
  const plain = loadPolicy(filesOf({ ...soundLists, "policy.yaml": soundPolicy }), "policy.yaml");
  const files = filesOf({
    "policy.yaml": asOnWindows(soundPolicy),
    "acme.csv": asOnWindows(soundLists["acme.csv"]),
    "police.csv": asOnWindows(soundLists["police.csv"]),
  });
  const { policy, issues } = loadPolicy(files, "policy.yaml");
  t.strictSame(printed(issues), []);
  t.equal(policy?.revision, plain.policy?.revision);
});

void tap.test("accepted keys that aren't enforced yet are warnings, and the policy loads", async (t) => {
  const extra = `    dropAs: 403
    mode: redirect
    limits: { callsPerSecond: 5, channels: 3 }
    rules: { line-state: { mode: off } }
`;
  const files = filesOf({
    ...soundLists,
    "policy.yaml": brokenPolicy(
      ["    limits: { callsPerSecond: 5 }\n", extra],
      ["rules:\n  hidden", "rules:\n  line-state: {}\n  hidden"],
    ),
  });
  const { policy, issues } = loadPolicy(files, "policy.yaml");
  t.ok(policy);
  t.strictSame(printed(issues), [
    "policy.yaml:14:34 trunks[1].limits.channels: warning: without effect: a trunk with mode redirect never sees the end of a call",
  ]);
});

void tap.test("channels of a lessee: a warning where every trunk of the lessee redirects", (t) => {
  const issuesOf = (second: string): readonly string[] => {
    const files = filesOf({
      "all.csv": "number\n+861087654321\n",
      "policy.yaml": `version: 1
trunks:
  - { id: a, side: lessee, match: { addresses: [192.0.2.1] }, lessee: bank, mode: redirect }
  - { id: b, side: lessee, match: { addresses: [192.0.2.2] }, lessee: bank${second} }
lessees:
  - { id: bank, numbers: all.csv, limits: { callsPerSecond: 9, channels: 3 } }
`,
    });
    const { policy, issues } = loadPolicy(files, "policy.yaml");
    const { lessee } = policy?.trunkById("b")?.trunk.limits ?? {};
    t.match(lessee, { callsPerSecond: 9, channels: 3, trunks: second === "" ? ["b"] : [] });
    return printed(issues);
  };
  t.strictSame(issuesOf(""), []);
  t.strictSame(issuesOf(", mode: redirect"), [
    "policy.yaml:6:64 lessees[0].limits.channels: warning: without effect: every trunk of the lessee has mode redirect and never sees the end of a call",
  ]);
  t.end();
});
