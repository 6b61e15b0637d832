import { join } from "node:path";
import t from "tap";
import { checkConfig } from "../../src/cli/check.ts";
import { packPolicy, unpackPolicy } from "../../src/config/policy/policy-transfer.ts";
import { compilePolicy } from "../../src/config/policy/build-policy.ts";
import { loadPolicy, partsOf } from "../../src/config/load-policy.ts";
import type { Ss7Screening } from "../../src/domain/trunk.ts";
import { filesOf, printed } from "./files.ts";

const lists = { "bank.csv": "number\n+861087654321\n" };

/** A policy of a core and one lessee trunk; the keys are those of the lessee trunk, on line 6 and 7. */
const policyOf = (match: string, keys = 'areaCode: "10"'): string => `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [127.0.0.1], opc: [2001] } }
  - id: lease
    side: lessee
    match: { addresses: [127.0.0.2]${match} }
    ${keys}
    lessee: bank
lessees:
  - { id: bank, numbers: bank.csv }
`;

function load(match: string, keys?: string) {
  const files = filesOf({ ...lists, "policy.yaml": policyOf(match, keys) });
  return loadPolicy(files, "policy.yaml", [], "m3ua");
}

const shown = ({ originatingPointCodes, serviceIndicators }: Ss7Screening) => ({
  codes: originatingPointCodes && [...originatingPointCodes],
  users: [...serviceIndicators],
});

void t.test("the default: the point codes of `match`, ISUP and BICC; from the core whatever comes", (t) => {
  const { policy, material, issues } = load(', opc: [1001, "14:0-125-2"]');
  t.strictSame(issues, []);
  if (policy === undefined || material === undefined) throw new Error("the test's own policy is wrong");
  const lease = { codes: [1001, 1002], users: [5, 13] };
  const core = { codes: [2001], users: Array.from({ length: 16 }, (_, si) => si) };
  t.strictSame(
    policy.trunks.map(({ trunk }) => shown(trunk.ss7)),
    [core, lease],
  );
  const read = compilePolicy(unpackPolicy(structuredClone(packPolicy(partsOf(material)))));
  t.strictSame(
    read.trunks.map(({ trunk }) => shown(trunk.ss7)),
    [core, lease],
    "read by another thread",
  );
  t.end();
});

void t.test("as written", (t) => {
  const rows = [
    ["", undefined, { codes: undefined, users: [5, 13] }],
    ["", "ss7: {}", { codes: undefined, users: [5, 13] }],
    ["", "ss7: { originatingPointCodes: [7, 24:0-0-8] }", { codes: [7, 8], users: [5, 13] }],
    [", opc: [7]", "ss7: { originatingPointCodes: [7, 8] }", { codes: [7, 8], users: [5, 13] }],
    [", opc: [7]", "ss7: { serviceIndicators: [5] }", { codes: [7], users: [5] }],
    [
      "",
      "ss7: { serviceIndicators: [0, 1, 2, 3, 5, 12, 13, 14] }",
      { codes: undefined, users: [0, 1, 2, 3, 5, 12, 13, 14] },
    ],
  ] as const;
  for (const [match, keys, expected] of rows) {
    const { policy, issues } = load(match, keys);
    t.strictSame(printed(issues), []);
    t.strictSame(shown(policy!.trunkById("lease")!.trunk.ss7), expected, keys ?? "nothing");
  }
  t.end();
});

void t.test("the trunk of a message by circuit, indicator and appearance as they are written", (t) => {
  const { policy } = load(', opc: [1001], cic: ["1-30", 64], ni: 2, networkAppearance: [7, 8]');
  const label = { opc: 1001, dpc: 2001, cic: 30, ni: 2, networkAppearance: 7 };
  const trunkOf = (changed: Partial<typeof label>) =>
    policy?.matchTrunk("sctp:127.0.0.1:2905", "127.0.0.2", 2905, undefined, { ...label, ...changed })?.trunk
      .id;
  t.equal(trunkOf({}), "lease");
  t.equal(trunkOf({ cic: 64, networkAppearance: 8 }), "lease");
  t.equal(trunkOf({ cic: -1 }), "lease", "without a circuit");
  t.equal(trunkOf({ cic: 31 }), undefined);
  t.equal(trunkOf({ ni: 0 }), undefined);
  t.equal(trunkOf({ networkAppearance: -1 }), undefined);
  t.end();
});

void t.test("issues, with their places", (t) => {
  const rows: readonly (readonly [match: string, keys: string | undefined, issues: readonly string[]])[] = [
    [
      ', cic: [1-30, "30-1", 4294967296]',
      undefined,
      [
        'policy.yaml:6:50 trunks[1].match.cic[1]: "30-1" is no circuit; expected a number, or a range like "1-30"',
        "policy.yaml:6:58 trunks[1].match.cic[2]: must be at most 4294967295",
      ],
    ],
    [", ni: 4", undefined, ["policy.yaml:6:38 trunks[1].match.ni: must be at most 3"]],
    [", ni: []", undefined, ["policy.yaml:6:38 trunks[1].match.ni: needs at least 1 entry"]],
    [
      ", networkAppearance: -1",
      undefined,
      ["policy.yaml:6:38 trunks[1].match.networkAppearance: must be at least 0"],
    ],
    [
      "",
      "ss7: { serviceIndicators: [3, 4, 6, 11, 16] }",
      [
        "policy.yaml:7:35 trunks[1].ss7.serviceIndicators[1]: TUP (4) carries calls, and the filter can't read them; it judges ISUP (5) and BICC (13)",
        "policy.yaml:7:38 trunks[1].ss7.serviceIndicators[2]: DUP for calls (6) carries calls, and the filter can't read them; it judges ISUP (5) and BICC (13)",
        "policy.yaml:7:41 trunks[1].ss7.serviceIndicators[3]: service indicator 11 is spare: nobody knows whether its messages carry calls",
        "policy.yaml:7:45 trunks[1].ss7.serviceIndicators[4]: must be at most 15",
      ],
    ],
    [
      "",
      "ss7: { originatingPointCode: [1] }",
      [
        'policy.yaml:7:12 trunks[1].ss7.originatingPointCode: unknown key "originatingPointCode"; did you mean "originatingPointCodes"?',
      ],
    ],
    [
      "",
      'ss7: { originatingPointCodes: ["14:8-0-0"] }',
      [
        'policy.yaml:7:36 trunks[1].ss7.originatingPointCodes[0]: "14:8-0-0" is not a point code; expected a number, "14:3-146-2" or "24:10-11-1"',
      ],
    ],
  ];
  for (const [match, keys, issues] of rows)
    t.strictSame(printed(load(match, keys).issues), issues, match + (keys ?? ""));
  t.end();
});

void t.test("trunks whose circuits overlap", (t) => {
  const twice = policyOf(', opc: [1001], cic: ["1-30"]').replace(
    "lessees:",
    `  - id: lease-2
    side: lessee
    match: { addresses: [127.0.0.2], opc: [1001], cic: ["30-60"] }
    lessee: bank
lessees:`,
  );
  const { issues } = loadPolicy(filesOf({ ...lists, "policy.yaml": twice }), "policy.yaml", [], "m3ua");
  t.strictSame(printed(issues), [
    'policy.yaml:11:5 trunks[2].match: overlaps with trunk "lease": both claim 127.0.0.2 from point code 1001, circuit 30',
  ]);
  t.end();
});

void t.test("check shows the messages of each trunk, and warns of codes that contradict each other", (t) => {
  const links = `engine: m3ua
policy: policy.yaml
m3ua:
  links:
    - associations:
        - { id: a, transport: tcp, role: server, local: "127.0.0.1:2905", remote: 127.0.0.2 }
        - { id: b, transport: tcp, role: client, local: 127.0.0.1, remote: "127.0.0.3:2905" }
`;
  const folder = t.testdir({
    "sigwall.yaml": links,
    "policy.yaml": policyOf(
      ', opc: [1001], cic: ["1-30"]',
      "ss7: { originatingPointCodes: [1002], serviceIndicators: [5, 3] }",
    ),
    ...lists,
  });
  let out = "";
  const output = { write: (text: string) => (out += text) };
  const code = checkConfig(join(folder, "sigwall.yaml"), {
    stdout: output,
    stderr: output,
    now: Date.parse("2026-11-22T00:00:00Z"),
    host: "gw-a",
    environment: {},
  });
  t.equal(code, 0, out);
  t.match(
    out,
    "policy.yaml:7:12 trunks[1].ss7.originatingPointCodes: warning: lacks 1001 of match.opc: messages of the trunk from there are refused\n",
  );
  t.match(
    out,
    /\nss7 +core +127\.0\.0\.1 from point code 2001 +network management, .*, ISUP, .*BICC, .* of point code 2001\n +lease +127\.0\.0\.2 from point code 1001, circuit 1-30 +ISUP, SCCP of point code 1002\n/u,
  );
  t.end();
});
