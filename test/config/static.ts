import tap from "tap";
import { loadStatic } from "../../src/config/load-static.ts";
import { filesOf, printed } from "./files.ts";

function load(text: string, path = "sigwall.yaml"): ReturnType<typeof loadStatic> {
  return loadStatic(filesOf({ [path]: text }), path);
}

void tap.test("the least that a sigwall.yaml needs", async (t) => {
  const { config, issues } = load("listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n", "conf/sigwall.yaml");
  t.strictSame(printed(issues), []);
  t.match(config, {
    engine: "embedded",
    listen: [{ id: "udp:127.0.0.1:5060", transport: "udp", address: "127.0.0.1", port: 5060 }],
    admin: { address: "127.0.0.1", port: 9464 },
    policy: "conf/policy.yaml",
    keyFile: undefined,
    log: { level: "info", refusalsPerSecond: 10 },
  });
});

void tap.test("listeners are canonical, whatever their spelling", async (t) => {
  const { config, issues } = load(
    'listen: ["UDP:[0:0::1]:5060", "udp:[0::1]:0", "udp:[::1]:0"]\npolicy: /etc/sigwall/p.yaml\nadmin: "[::1]:0"\n',
  );
  t.strictSame(printed(issues), []);
  t.strictSame(
    config?.listen.map(({ id }) => id),
    ["udp:[::1]:5060", "udp:[::1]:0", "udp:[::1]:0"],
  );
  t.equal(config?.policy, "/etc/sigwall/p.yaml");
  t.strictSame(config?.admin, { address: "::1", port: 0 });
});

void tap.test("hep: the collector's port is 9060 unless it is said", async (t) => {
  const least = "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n";
  const target = (hep: string): unknown => load(`${least}hep: ${hep}\n`).config?.hep;
  t.equal(load(least).config?.hep, undefined);
  t.strictSame(target("{ target: 192.0.2.60 }"), {
    target: { address: "192.0.2.60", port: 9060 },
    captureId: 1,
    password: undefined,
  });
  t.strictSame(target('{ target: "[2001:db8::60]:9063", captureId: 4294967295, password: x }'), {
    target: { address: "2001:db8::60", port: 9063 },
    captureId: 4294967295,
    password: "x",
  });
  for (const [hep, issue] of [
    ["{ target: homer.example }", "hep.target: expected ADDRESS or ADDRESS:PORT"],
    ["{ captureId: 1 }", "hep.target: "],
    ["{ target: 192.0.2.60, captureId: 4294967296 }", "hep.captureId: "],
    ["{ target: 192.0.2.60, pasword: x }", 'did you mean "password"?'],
  ] as const)
    t.match(printed(load(`${least}hep: ${hep}\n`).issues).join("\n"), issue, hep);
});

void tap.test("reload: a bound needs records to rehearse with", async (t) => {
  const least = "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n";
  t.strictSame(load(least).config?.reload, { watch: true, maxChanges: undefined });
  const bounded = load(`${least}records: { folder: records }\nreload: { watch: false, maxChanges: 0 }\n`);
  t.strictSame(bounded.config?.reload, { watch: false, maxChanges: 0 });
  t.strictSame(printed(load(`${least}reload: { maxChanges: 5 }\n`).issues), [
    "sigwall.yaml:3:11 reload.maxChanges: needs `records`: a reload is rehearsed with recorded calls",
  ]);
});

const rest = "policy: policy.yaml\n";
const broken: readonly (readonly [text: string, issues: readonly string[]])[] = [
  ["", ["sigwall.yaml:1:1: the file is empty"]],
  [
    "polcy: policy.yaml\n",
    [
      "sigwall.yaml:1:1 listen: required key is missing",
      "sigwall.yaml:1:1 policy: required key is missing",
      'sigwall.yaml:1:1 polcy: unknown key "polcy"; did you mean "policy"?',
    ],
  ],
  [`listen: []\n${rest}`, ["sigwall.yaml:1:1 listen: needs at least 1 entry"]],
  [
    `listen:\n  - sctp:127.0.0.1:5060\n  - udp:127.0.0.1\n  - 127.0.0.1:5060\n  - udp:localhost:5060\n  - udp:::1:5060\n${rest}`,
    [
      'sigwall.yaml:2:5 listen[0]: "sctp:127.0.0.1:5060": sctp is not carried yet; expected udp, tcp or tls',
      'sigwall.yaml:3:5 listen[1]: "udp:127.0.0.1" is not a listener; expected udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT, IPv6 in brackets',
      'sigwall.yaml:4:5 listen[2]: "127.0.0.1:5060" is not a listener; expected udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT, IPv6 in brackets',
      'sigwall.yaml:5:5 listen[3]: "udp:localhost:5060" is not a listener; expected udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT, IPv6 in brackets',
      'sigwall.yaml:6:5 listen[4]: "udp:::1:5060" is not a listener; expected udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT, IPv6 in brackets',
    ],
  ],
  [
    `listen: [udp:127.0.0.1:5060, udp:127.0.0.1:5060]\n${rest}`,
    ['sigwall.yaml:1:30 listen[1]: "udp:127.0.0.1:5060" is in `listen` twice'],
  ],
  [
    `listen: [tcp:127.0.0.1:5060, udp:127.0.0.1:5060, tls:127.0.0.1:5060]\n${rest}`,
    [
      'sigwall.yaml:1:50 listen[2]: "tcp:127.0.0.1:5060" already uses this port',
      "sigwall.yaml:1:50 listen[2]: a tls listener needs the section `tls`",
    ],
  ],
  [
    `listen: [tls:127.0.0.1:5061]\n${rest}tls: { certificate: a.pem, key: a.key, ca: ca.pem, minVersion: TLSv1.1, verify: no }\nstreams: { connections: 0 }\n`,
    [
      'sigwall.yaml:3:52 tls.minVersion: expected TLSv1.2 | TLSv1.3, got "TLSv1.1"; did you mean "TLSv1.2"?',
      'sigwall.yaml:3:73 tls.verify: unknown key "verify"',
      "sigwall.yaml:4:12 streams.connections: must be at least 1",
    ],
  ],
  [
    `listen: [udp:127.0.0.1:5060]\n${rest}admin: 9464\nengine: kamailio\nlog: { level: loud, refusalsPerSecond: -1 }\n`,
    [
      "sigwall.yaml:3:1 admin: expected text or a map, got the number 9464",
      'sigwall.yaml:4:1 engine: expected embedded | drachtio | m3ua, got "kamailio"',
      'sigwall.yaml:5:8 log.level: expected trace | debug | info | warn | error | silent, got "loud"',
      "sigwall.yaml:5:21 log.refusalsPerSecond: must be at least 0",
    ],
  ],
  [
    `listen: [udp:127.0.0.1:5060]\n${rest}admin: "9464"\n`,
    ["sigwall.yaml:3:1 admin: expected ADDRESS:PORT, IPv6 in brackets"],
  ],
];

void tap.test("a broken sigwall.yaml says what, where, and all of it", async (t) => {
  for (const [text, expected] of broken) {
    const { config, issues } = load(text);
    t.strictSame(printed(issues), expected, JSON.stringify(text));
    t.equal(config, undefined);
  }
});

void tap.test(
  "tls: paths start at the file that names them, and without a listener they are idle",
  async (t) => {
    const section = "tls: { certificate: tls/own.pem, key: /etc/own.key, ca: ca.pem }\n";
    const { config, issues } = load(
      `listen: ["TLS:127.0.0.1:5061", "tcp:[::1]:0"]\n${rest}${section}`,
      "conf/sigwall.yaml",
    );
    t.strictSame(printed(issues), []);
    t.strictSame(config?.tls, {
      certificate: "conf/tls/own.pem",
      key: "/etc/own.key",
      ca: "conf/ca.pem",
      minVersion: "TLSv1.2",
      clientCertificate: "require",
    });
    t.strictSame(config?.streams, {
      connections: 1024,
      perSource: 64,
      idleSeconds: 900,
      messageSeconds: 10,
      unreadMegabytes: 64,
    });
    t.strictSame(
      config?.listen.map(({ id, transport }) => [id, transport]),
      [
        ["tls:127.0.0.1:5061", "tls"],
        ["tcp:[::1]:0", "tcp"],
      ],
    );
    t.strictSame(printed(load(`listen: [udp:127.0.0.1:5060]\n${rest}${section}`).issues), [
      "sigwall.yaml:3:1 tls: warning: has no effect: `listen` has no tls listener",
    ]);
  },
);

void tap.test("the engine drachtio needs servers", async (t) => {
  const { config, issues } = load(`engine: drachtio\nlisten: [udp:127.0.0.1:5060]\n${rest}`);
  t.equal(config, undefined);
  t.strictSame(printed(issues), [
    "sigwall.yaml:1:1 engine: engine drachtio needs the section `drachtio` with at least one server",
  ]);
});

void tap.test("the engine drachtio needs no section `tls` of ours for a tls listener", async (t) => {
  const server = "drachtio: { servers: [{ secret: s }] }\n";
  const listening = (listen: string): string => `engine: drachtio\nlisten: [${listen}]\n${rest}${server}`;
  const section = "tls: { certificate: a.pem, key: a.key, ca: ca.pem }\n";
  const tables: readonly (readonly [listen: string, more: string, issues: readonly string[]])[] = [
    ["tls:127.0.0.1:5061", "", []],
    ["udp:127.0.0.1:5060, tls:127.0.0.1:5061", "", []],
    ["udp:127.0.0.1:5060", "", []],
    [
      "tls:127.0.0.1:5061",
      section,
      ["sigwall.yaml:5:1 tls: warning: has no effect: the drachtio servers have their own"],
    ],
  ];
  for (const [listen, more, expected] of tables) {
    const { config, issues } = load(listening(listen) + more);
    t.strictSame(printed(issues), expected, listen + more);
    t.ok(config !== undefined && config.tls === undefined, "files of the section are not read");
  }
});

function fingerprint(text: string): string | undefined {
  return load(text).config?.fingerprint;
}

void tap.test("the fingerprint follows meaning, not spelling", async (t) => {
  const first = fingerprint(`listen: [udp:127.0.0.1:5060]\n${rest}`);
  t.match(first, /^[0-9a-f]{12}$/);
  t.equal(fingerprint(`# comment\n${rest}listen:\n  - udp:127.0.0.1:5060\n`), first);
  t.equal(
    fingerprint(`listen: [udp:127.0.0.1:5060]\n${rest}engine: embedded\n`),
    first,
    "a default, written out",
  );
  t.not(fingerprint(`listen: [udp:127.0.0.1:5061]\n${rest}`), first);
  t.not(fingerprint(`listen: [udp:127.0.0.1:5060]\n${rest}log: { level: warn }\n`), first);
});

const m3ua = (lease: string, core: string): string =>
  `engine: m3ua\n${rest}m3ua:\n  links:\n    - associations:\n        - { id: lease, ${lease} }\n        - { ${core} }\n`;
const server = "role: server, local: 192.0.2.1:2905, remote: 203.0.113.10";
const client = "id: core, transport: tcp, role: client, local: 192.0.2.1, remote: 198.51.100.1:2905";

void tap.test("SS7: pairs of associations, and nothing that listens for SIP", async (t) => {
  const { config, issues } = load(m3ua(server, client));
  t.strictSame(printed(issues), []);
  t.strictSame(config?.listen, []);
  t.strictSame(config?.m3ua, {
    variant: "itu",
    links: [
      {
        associations: [
          {
            id: "lease",
            transport: "sctp",
            role: "server",
            local: { address: "192.0.2.1", port: 2905 },
            remote: { address: "203.0.113.10", port: 0 },
            locals: [{ address: "192.0.2.1", port: 2905 }],
            remotes: [{ address: "203.0.113.10", port: 0 }],
          },
          {
            id: "core",
            transport: "tcp",
            role: "client",
            local: { address: "192.0.2.1", port: 0 },
            remote: { address: "198.51.100.1", port: 2905 },
            locals: [{ address: "192.0.2.1", port: 0 }],
            remotes: [{ address: "198.51.100.1", port: 2905 }],
          },
        ],
      },
    ],
  });
  const cases: readonly (readonly [text: string, issues: readonly string[]])[] = [
    [`engine: m3ua\n${rest}`, ["sigwall.yaml:1:1 engine: engine m3ua needs the section `m3ua`"]],
    [
      m3ua(server, client.replace("id: core", "id: lease")),
      ['sigwall.yaml:7:13 m3ua.links[0].associations[1].id: another association already has the id "lease"'],
    ],
    [
      m3ua(server, client.replace(":2905", "")),
      [
        "sigwall.yaml:7:71 m3ua.links[0].associations[1].remote: a client needs the port of the peer; write ADDRESS:PORT",
      ],
    ],
    [
      m3ua(server, `id: core, ${server}`),
      [
        "sigwall.yaml:7:37 m3ua.links[0].associations[1].local: another association already listens on this address and port",
      ],
    ],
    [
      `listen: [udp:127.0.0.1:5060]\n${m3ua(server, client).replace("engine: m3ua\n", "")}`,
      ["sigwall.yaml:3:1 m3ua: warning: has no effect: only `engine: m3ua` reads this section"],
    ],
  ];
  for (const [text, expected] of cases) t.strictSame(printed(load(text).issues), expected);
});

void tap.test("SS7: an end of an association has one address or a list of them", (t) => {
  const ends = (local: string, remote: string, transport = "sctp"): string =>
    m3ua(`transport: ${transport}, role: server, local: ${local}, remote: ${remote}`, client);
  const two = ends("[192.0.2.1:2905, 198.51.100.9:2905]", '[203.0.113.10, "[2001:db8::10]"]');
  const { config, issues } = load(two);
  t.strictSame(printed(issues), []);
  const [lease] = config?.m3ua?.links[0]?.associations ?? [];
  t.strictSame(lease?.locals, [
    { address: "192.0.2.1", port: 2905 },
    { address: "198.51.100.9", port: 2905 },
  ]);
  t.strictSame(lease?.remotes, [
    { address: "203.0.113.10", port: 0 },
    { address: "2001:db8::10", port: 0 },
  ]);
  t.strictSame(
    [lease?.local, lease?.remote],
    [lease?.locals[0], lease?.remotes[0]],
    "the first ones name it",
  );
  const onePort = "all addresses of an end have one port; the first one of the list has";
  const cases: readonly (readonly [
    text: string,
    /** Each at the last place of a text in line 6. */
    issues: readonly (readonly [place: string, key: string, message: string])[],
  ])[] = [
    [ends("[192.0.2.1:2905]", "[203.0.113.10]", "tcp"), []],
    [
      ends("[192.0.2.1:2905, 192.0.2.2:2905]", "203.0.113.10", "tcp"),
      [["local:", "local", "TCP has one address at each end; a list needs transport sctp"]],
    ],
    [
      ends("[192.0.2.1:2905, 192.0.2.2:2906, 192.0.2.3]", "203.0.113.10"),
      [
        ["192.0.2.2:2906", "local[1]", `${onePort} port 2905`],
        ["192.0.2.3", "local[2]", `${onePort} port 2905`],
      ],
    ],
    [
      ends("192.0.2.1:2905", "[203.0.113.10, 203.0.113.11:2905]"),
      [["203.0.113.11:2905", "remote[1]", `${onePort} no port`]],
    ],
    [
      ends("[192.0.2.1:2905, 192.0.2.1:2905]", "203.0.113.10"),
      [["192.0.2.1:2905", "local[1]", "192.0.2.1 is already in the list"]],
    ],
    [
      ends("[192.0.2.1:2905, 0.0.0.0:2905]", "203.0.113.10"),
      [["0.0.0.0", "local[1]", "0.0.0.0 stands for every address; list the addresses, or write it alone"]],
    ],
    [ends("[]", "203.0.113.10"), [["local:", "local", "needs at least 1 entry"]]],
    [
      ends(`[${Array.from({ length: 9 }, (_, index) => `192.0.2.${index + 1}`).join(", ")}]`, "203.0.113.10"),
      [["local:", "local", "needs at most 8 entries"]],
    ],
    [
      ends("[192.0.2.1:2905, gateway:2905]", "203.0.113.10"),
      [["gateway", "local[1]", "expected ADDRESS:PORT, IPv6 in brackets"]],
    ],
    [
      ends("{ address: 192.0.2.1 }", "203.0.113.10"),
      [["local:", "local", "expected text or a list, got a map"]],
    ],
  ];
  for (const [text, expected] of cases) {
    const line = text.split("\n")[5] ?? "";
    const lines = expected.map(
      ([place, key, message]) =>
        `sigwall.yaml:6:${line.lastIndexOf(place) + 1} m3ua.links[0].associations[0].${key}: ${message}`,
    );
    t.strictSame(printed(load(text).issues), lines, line);
  }
  const taken = m3ua(
    server,
    "id: core, role: server, local: [192.0.2.9:2905, 192.0.2.1:2905], remote: 198.51.100.1",
  );
  t.strictSame(printed(load(taken).issues), [
    "sigwall.yaml:7:37 m3ua.links[0].associations[1].local: another association already listens on this address and port",
  ]);
  t.end();
});
