import t from "tap";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileInSteps, compilePolicy } from "../../src/config/policy/build-policy.ts";
import { packPolicy, type PolicyParcel, unpackPolicy } from "../../src/config/policy/policy-transfer.ts";
import { basicLists, basicPolicy, createTestProxy, outcomeOf, peers, request } from "../support/proxy.ts";
import { partsOf, readPolicy } from "../../src/config/load-policy.ts";
import { shipped } from "../support/shipped.ts";

const withDenyList = `${basicPolicy}
lists:
  police: { file: police.csv, kind: police }
specialUsers:
  - { trunk: lease, number: "+861087654300", allow: [hidden], until: 2099-01-01, reason: desk }
`;
const lists: Readonly<Record<string, string>> = { ...basicLists, "police.csv": "number\n+442079460000\n" };

function pack(): PolicyParcel {
  const { material } = readPolicy(
    (path) => ({ bytes: Buffer.from(lists[path] ?? withDenyList) }),
    "policy.yaml",
  );
  if (material === undefined) throw new Error("the test's own policy is wrong");
  return packPolicy(partsOf(material));
}

void t.test("a policy read by another thread decides as one read here", (t) => {
  const parcel = pack();
  const rows: readonly (readonly [
    name: string,
    from: string,
    parts: Parameters<typeof request>[0],
    outcome: string,
  ])[] = [
    ["listed", peers.lessee, {}, "to 198.51.100.1:5060"],
    ["the number behind the list", peers.lessee, { from: "<sip:01087654400@h>;tag=a" }, "403"],
    ["hidden", peers.lessee, { headers: ["Privacy: id"] }, "433"],
    [
      "hidden, special user",
      peers.lessee,
      { from: "<sip:01087654300@h>;tag=a", headers: ["Privacy: id"] },
      "to 198.51.100.1:5060",
    ],
    ["police list", peers.abroad, { from: "<sip:+442079460000@h>;tag=a" }, "603"],
    ["the number behind it", peers.abroad, { from: "<sip:+442079460001@h>;tag=a" }, "to 198.51.100.1:5060"],
    ["a stranger", peers.stranger, {}, "nothing"],
  ];
  for (const [where, from] of [
    ["here", parcel],
    ["elsewhere", structuredClone(parcel)],
  ] as const) {
    const policy = compilePolicy(unpackPolicy(from));
    t.equal(policy.revision, parcel.revision);
    for (const [name, source, parts, outcome] of rows) {
      const message = request({ via: [`SIP/2.0/UDP ${source};branch=z9hG4bK-x`], ...parts });
      t.equal(outcomeOf(createTestProxy(policy).receive(source, message)), outcome, `${where}: ${name}`);
    }
  }
  t.end();
});

void t.test("lists are shared between threads and between trunks, never copied", (t) => {
  const parcel = pack();
  const plans = [...unpackPolicy(structuredClone(parcel)).plans];
  const lessees = plans.flatMap(({ tables }) => tables.lesseeNumbers ?? []);
  t.equal(lessees.length, 3, "three trunks of one lessee");
  t.equal(new Set(lessees.map(({ numbers }) => numbers)).size, 1, "have one list");
  t.equal(new Set(plans.map(({ tables }) => tables.denyLists)).size, 1, "as all trunks have one police list");
  t.type(lessees[0]?.numbers.memory, SharedArrayBuffer);
  t.end();
});

void t.test("a parcel may travel in pieces: the plans behind the rest", (t) => {
  const { plans, ...rest } = pack();
  const head = structuredClone({ ...rest, plans: [] });
  const pieces = plans.map((plan) => structuredClone(plan));
  const all = [...unpackPolicy({ ...head, plans: pieces }).plans];
  t.equal(new Set(all.flatMap(({ tables }) => tables.lesseeNumbers?.numbers ?? [])).size, 1, "one list");
  t.equal(new Set(all.map(({ tables }) => tables.denyLists)).size, 1, "one police list");
  t.end();
});

void t.test("compiling takes a step for every trunk", (t) => {
  const steps = compileInSteps(unpackPolicy(pack()));
  const trunks: string[] = [];
  for (const compiled of steps) if (compiled !== undefined) trunks.push(compiled.trunk.id);
  t.same(
    trunks,
    pack().plans.map(({ trunk }) => trunk.id),
  );
  t.equal(trunks.length, 5);
  t.end();
});

void t.test("everything that the reference policy can say survives the way to another thread", (t) => {
  // The lists are not those of the reference: operators edit them.
  const { material } = readPolicy(
    (path) => ({ bytes: readFileSync(join(path.startsWith("lists/") ? shipped : "config", path)) }),
    "reference.yaml",
  );
  if (material === undefined) throw new Error("config/reference.yaml does not load");
  const parcel = packPolicy(partsOf(material));
  t.same(structuredClone(parcel), parcel);
  t.end();
});
