import { Buffer } from "node:buffer";
import t from "tap";
import { comparePolicies } from "../../src/config/change/policy-changes.ts";
import { type PolicyMaterial, readPolicy } from "../../src/config/load-policy.ts";
import { formatIssue } from "../../src/config/yaml/issue.ts";

type Files = Readonly<Record<string, string>>;

const base: Files = {
  "policy.yaml": `
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [192.0.2.1] } }
  - { id: a, side: lessee, lessee: bank, match: { addresses: [192.0.2.2] }, limits: { callsPerSecond: 5 } }
  - { id: b, side: lessee, lessee: bank, match: { addresses: [192.0.2.3] } }
  - { id: abroad, side: international, match: { addresses: [192.0.2.4] } }
lessees:
  - { id: bank, name: Bank, numbers: bank.csv }
lists:
  police: { kind: police, file: police.csv }
specialUsers:
  - { trunk: a, number: "+861087654300", allow: [hidden], until: 2027-12-31, reason: call-back desk }
rules:
  hidden-caller: { mode: enforce }
`,
  "bank.csv": "number,valid_to\n+861087654300..+861087654309,\n+861087654320,2027-01-01\n",
  "police.csv": "number\n+8613800138000\n95599\n",
};

function read(files: Files): PolicyMaterial {
  const { material, issues } = readPolicy((path) => {
    const text = files[path];
    return text === undefined ? { error: "no such file" } : { bytes: Buffer.from(text) };
  }, "policy.yaml");
  if (material === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  return material;
}

const before = read(base);

/** An edit of one file: what is replaced by what, and the lines that tell of it. */
const rows: readonly (readonly [
  name: string,
  file: string,
  from: string,
  to: string,
  told: readonly string[],
])[] = [
  ["nothing", "policy.yaml", "Bank", "Bank", []],
  [
    "comments, key order and rows in another order",
    "police.csv",
    "number\n+8613800138000\n95599",
    "number\n95599\n+8613800138000",
    [],
  ],
  [
    "a range as its numbers",
    "bank.csv",
    "+861087654300..+861087654309",
    "+861087654300..+861087654304,\n+861087654305..+861087654309",
    [],
  ],
  [
    "numbers in",
    "bank.csv",
    "654309",
    "654312",
    ["lessee bank: 3 numbers more (+861087654310..+861087654312)"],
  ],
  [
    "numbers out",
    "bank.csv",
    "654309",
    "654307",
    ["lessee bank: 2 numbers less (+861087654308..+861087654309)"],
  ],
  [
    "other dates",
    "bank.csv",
    "2027-01-01",
    "2028-01-01",
    ["lessee bank: 1 number with other dates or rights"],
  ],
  ["a code out", "police.csv", "95599\n", "", ["list police: 1 number less (95599)"]],
  ["another kind of list", "policy.yaml", "kind: police", "kind: deny", ["list police: kind police → deny"]],
  ["a file of another name", "policy.yaml", "file: police.csv", "file: ./police.csv", []],
  [
    "a new lessee and trunk",
    "policy.yaml",
    "lessees:",
    "  - { id: c, side: lessee, lessee: shop, match: { addresses: [192.0.2.5] } }\nlessees:\n  - { id: shop, numbers: shop.csv }",
    ["lessee shop: new, 1 number more (+861087650000)", "trunk c: new, side lessee, lessee shop"],
  ],
  [
    "a trunk out",
    "policy.yaml",
    "  - { id: b, side: lessee, lessee: bank, match: { addresses: [192.0.2.3] } }\n",
    "",
    ["trunk b: gone"],
  ],
  [
    "a limit",
    "policy.yaml",
    "callsPerSecond: 5",
    "callsPerSecond: 8, channels: 30",
    ["trunk a: limits.callsPerSecond 5 → 8", "trunk a: limits.channels none → 30"],
  ],
  [
    "a limit out",
    "policy.yaml",
    ", limits: { callsPerSecond: 5 }",
    "",
    ["trunk a: limits {callsPerSecond:5} → none"],
  ],
  [
    "an address",
    "policy.yaml",
    "[192.0.2.2]",
    "[192.0.2.9]",
    ["trunk a: match.addresses [192.0.2.2] → [192.0.2.9]"],
  ],
  [
    "a side",
    "policy.yaml",
    "side: international",
    "side: national",
    ["trunk abroad: side international → national", "rule bodies: mode enforce → monitor on abroad"],
  ],
  ["a name", "policy.yaml", "name: Bank", "name: 京华银行", ["lessee bank: name Bank → 京华银行"]],
  [
    "a mode everywhere",
    "policy.yaml",
    "hidden-caller: { mode: enforce }",
    "hidden-caller: { mode: monitor }",
    ["rule hidden-caller: mode enforce → monitor on a, b, abroad"],
  ],
  [
    "a mode that was the default",
    "policy.yaml",
    "  hidden-caller: { mode: enforce }\n",
    "  caller-form: { mode: enforce }\n",
    [],
  ],
  [
    "a mode on one trunk",
    "policy.yaml",
    "[192.0.2.3] }",
    "[192.0.2.3] }, rules: { hidden-caller: { mode: off } }",
    ["rule hidden-caller: mode enforce → off on b"],
  ],
  [
    "an option",
    "policy.yaml",
    "rules:\n",
    "rules:\n  home-cli-from-abroad: { roamers: label }\n",
    ["rule home-cli-from-abroad: roamers reject → label on a, b, abroad"],
  ],
  [
    "a special user out",
    "policy.yaml",
    /specialUsers:[^\n]*\n[^\n]*\n/u.exec(base["policy.yaml"] ?? "")?.[0] ?? "",
    "",
    ["special user +861087654300 on a: gone"],
  ],
  [
    "a special user for longer",
    "policy.yaml",
    "until: 2027-12-31",
    "until: 2028-12-31",
    ["special user +861087654300 on a: until 2027-12-31 → 2028-12-31"],
  ],
  [
    "something else",
    "policy.yaml",
    "version: 1\n",
    "version: 1\ntables: { subjects: 2000000 }\n",
    ["policy: tables none → {subjects:2000000}"],
  ],
];

void t.test("what differs between two policies", (t) => {
  for (const [name, file, from, to, told] of rows) {
    const text = base[file] ?? "";
    t.ok(text.includes(from) && from !== "", `${name}: the edit has its place`);
    const after = read({
      ...base,
      "shop.csv": "number\n+861087650000\n",
      "./police.csv": base["police.csv"] ?? "",
      [file]: text.replace(from, to),
    });
    const changes = comparePolicies(before, after).map(({ about, text: said }) => `${about}: ${said}`);
    t.same(changes, told, name);
    const back = comparePolicies(after, before);
    t.equal(back.length, told.length, `${name}: and back`);
  }
  t.end();
});
