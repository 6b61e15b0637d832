import { Buffer } from "node:buffer";
import t from "tap";
import type { CallAttempt } from "../../src/domain/attempt.ts";
import { type RuleId, ruleIds } from "../../src/domain/rule-id.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { formatIssue } from "../../src/config/yaml/issue.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { Fields } from "../../src/records/lines/line-fields.ts";
import { readAttempt } from "../../src/replay/recorded-attempts.ts";
import { recordGaps } from "../../src/replay/rehearsing/record-gaps.ts";
import type { Rehearsed } from "../../src/replay/rehearsing/change-tally.ts";
import { createRehearsal } from "../../src/replay/rehearsing/rehearsal.ts";
import type { ScreeningState } from "../../src/screening/state.ts";
import { makeState } from "../support/attempt.ts";
import { decided, HOUR } from "../support/records-folder.ts";

const limits =
  "{ callsPerSecond: 50, channels: 30, attemptsPerCallerPerMinute: 60, frequency: [{ per: trunk, calls: 900, within: 1h }], emergency: { above: reject } }";
const files: Readonly<Record<string, string>> = {
  "policy.yaml": `
version: 1
trunks:
  - { id: lease, side: lessee, lessee: bank, areaCode: "10", match: { addresses: [203.0.113.10] }, limits: ${limits} }
  - { id: sales, side: lessee, lessee: shop, areaCode: "10", match: { addresses: [203.0.113.11] } }
  - { id: peer, side: national, match: { addresses: [203.0.113.20] } }
  - { id: abroad, side: international, match: { addresses: [203.0.113.30] } }
lessees:
  - { id: bank, numbers: bank.csv }
  - { id: shop, numbers: shop.csv, marketing: true }
lists:
  police: { kind: police, file: police.csv }
  quiet: { kind: do-not-call, file: quiet.csv }
marketing: { platformNumbers: ["95*"] }
detectors: { one-ring: { mode: enforce, quarantine: { subject: caller, for: 1h } } }
rules: { bodies: { mode: enforce }, display-name: { mode: enforce }, marketing: { mode: enforce }, do-not-call: { mode: enforce } }
`,
  "bank.csv": "number\n+861087654300..+861087654399\n",
  "shop.csv": "number\n95588\n+861087650001\n",
  "police.csv": "number\n+861066660000\n",
  "quiet.csv": "number\n+8613912345678\n",
};

function load(): Policy {
  const { policy, issues } = loadPolicy((path) => {
    const text = files[path];
    return text === undefined ? { error: "no such file" } : { bytes: Buffer.from(text) };
  }, "policy.yaml");
  if (policy === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  return policy;
}

const calls = (number: string): Fields => ({
  calling: [{ source: "from", raw: number, number, presentation: "allowed" }],
});
const listed: Fields = { ...calls("+861087654321"), verdict: "accept", reason: "listed", rule: "default" };
const unlisted: Fields = calls("+861087654400");
const many: Fields = { calling: Array.from({ length: 16 }, () => calls("+861087654321")["calling"]).flat() };
const lost: Fields = { rawHex: { callId: "ff" } };
const sale: Fields = { ...calls("95588"), trunk: "sales", source: "203.0.113.11:5060" };
const told = (number: string): Fields => ({ called: { raw: number, number }, requestUri: `sip:${number}@h` });

/** Of each rule: records that do not hold all that it reads, and near misses that do. */
const table: Readonly<
  Record<RuleId, { readonly lack: readonly Fields[]; readonly hold: readonly Fields[] }>
> = {
  emergency: { lack: [{ ...listed, ...told("110") }], hold: [listed] },
  "line-state": {
    lack: [{ ...listed, verdict: "reject", reason: "line-stopped", rule: "line-state" }],
    hold: [listed],
  },
  "hidden-caller": { lack: [many], hold: [listed, lost] },
  "caller-form": { lack: [many, { ...listed, ...lost }], hold: [listed] },
  bodies: {
    lack: [{ ...listed, bodies: ["application/sdp", "application/x-own"] }],
    hold: [listed, { ...listed, bodies: ["application/sdp"] }],
  },
  "cli-conflict": { lack: [many], hold: [listed] },
  "display-name": {
    lack: [{ ...listed, displays: ["a", "b"] }, lost, many],
    hold: [listed, { ...listed, displays: ["a"] }],
  },
  "home-cli-from-abroad": {
    lack: [
      { ...many, trunk: "abroad" },
      { ...lost, trunk: "abroad" },
    ],
    hold: [{ ...listed, trunk: "abroad" }],
  },
  "number-class": { lack: [listed, many], hold: [{ ...calls("4008208820"), trunk: "peer" }] },
  "diversion-licence": { lack: [{ ...listed, diversion: many["calling"] }], hold: [listed] },
  "deny-lists": { lack: [many, lost], hold: [listed] },
  "caller-authentication": { lack: [many], hold: [listed, unlisted] },
  "do-not-call": {
    lack: [{ ...sale, ...told("+8613912345678") }],
    hold: [{ ...sale, ...told("+8613912345679") }],
  },
  marketing: {
    lack: [{ ...sale, ...calls("+861087650001") }],
    hold: [{ ...sale, ...told("+8613912345678") }],
  },
  quarantine: { lack: [listed], hold: [unlisted] },
  "call-frequency": { lack: [listed], hold: [unlisted] },
  "call-rate": { lack: [listed], hold: [unlisted] },
  channels: { lack: [listed], hold: [unlisted] },
};

function rehearse(given: Fields, counts: boolean): Rehearsed {
  const rehearsal = createRehearsal(load(), () => undefined, counts);
  rehearsal.take(decided(given), HOUR + 3 * 3_600_000);
  return rehearsal.result();
}

void t.test("every rule: whether the record holds all that it reads", (t) => {
  for (const rule of ruleIds) {
    const { lack, hold } = table[rule];
    t.ok(lack.length > 0 && hold.length > 0, `${rule} has both`);
    for (const line of lack) {
      const { unheld, held } = rehearse(line, false);
      t.match(
        unheld.find((gap) => gap.rule === rule),
        { count: 1 },
        `${rule} lacks`,
      );
      t.notOk(held.includes(rule), `${rule} is not among those that held all`);
    }
    for (const line of hold) {
      const { unheld, held } = rehearse(line, false);
      t.notOk(
        unheld.find((gap) => gap.rule === rule),
        `${rule} has all`,
      );
      t.ok(held.includes(rule), `${rule} is among those that held all`);
    }
  }
  t.end();
});

void t.test("with counts, what comes from calls before is there", (t) => {
  for (const rule of ruleIds)
    for (const line of table[rule].lack) {
      const { unheld } = rehearse(line, true);
      const counted = recordGaps[rule].filter(({ isCounted }) => isCounted === true).map(({ what }) => what);
      t.notOk(
        unheld.some((gap) => gap.rule === rule && counted.includes(gap.what)),
        rule,
      );
    }
  t.end();
});

void t.test("what can't be judged anew is never no change, and never a change", (t) => {
  const rows: readonly (readonly [name: string, given: Fields, why: RegExp])[] = [
    ["an order by command", table["line-state"].lack[0] ?? {}, /stopped by an order/],
    [
      "a limit",
      { ...listed, verdict: "reject", reason: "channels-exceeded", rule: "channels" },
      /by a limit/,
    ],
    [
      "a limit of emergency calls",
      { ...listed, ...told("110"), verdict: "reject", reason: "call-rate-exceeded", rule: "emergency" },
      /by a limit/,
    ],
    ["quarantine", { ...listed, verdict: "reject", reason: "quarantined", rule: "quarantine" }, /quarantine/],
    [
      "a category",
      { ...listed, verdict: "reject", reason: "number-class", rule: "number-class" },
      /not kept/,
    ],
    [
      "a call back",
      { ...sale, ...told("+8613912345678"), verdict: "accept", reason: "listed", rule: "default" },
      /not kept/,
    ],
  ];
  for (const [name, given, why] of rows) {
    const { same, changed, unjudged } = rehearse(given, false);
    t.same({ same, changed }, { same: 0, changed: 0 }, name);
    t.match(unjudged, [{ count: 1, why }], name);
  }
  t.end();
});

/** What a record line holds of an attempt, and what of the state is no memory of calls. */
const heldFields = new Set(
  "at trunk origin calling names called emergencyUrn diversion privacy callId requestUri circuit isIam undecodable".split(
    " ",
  ),
);
const noMemory = new Set(["wall", "listed", "tableFull", "ruleFaults", "lastFault"]);

/** Notes the names of the fields that are read. */
function watched<Value extends object>(value: Value, names: Set<string>): Value {
  return new Proxy(value, {
    get(target, name, receiver): unknown {
      if (typeof name === "string") names.add(name);
      return Reflect.get(target, name, receiver);
    },
  });
}

void t.test("no rule reads anything else than a record holds, but what is listed", (t) => {
  const policy = load();
  let read = 0;
  for (const { trunk, screen } of policy.trunks)
    for (const { id, check, exemption } of screen.steps) {
      const names = new Set<string>();
      for (const { lack, hold } of Object.values(table))
        for (const line of [...lack, ...hold]) {
          const plain = readAttempt(decided(line), trunk, HOUR);
          const state: ScreeningState = watched(makeState(), names);
          for (const given of [plain, { ...plain, isIam: true as const }]) {
            const attempt: CallAttempt = watched(given, names);
            check?.(attempt, state);
            exemption?.limit.check(attempt, state);
          }
        }
      const listedFields = new Set(recordGaps[id].flatMap(({ fields }) => fields));
      for (const name of names) {
        read++;
        t.ok(heldFields.has(name) || noMemory.has(name) || listedFields.has(name), `${id} reads ${name}`);
      }
    }
  t.ok(read > 100, `${read} names`);
  t.end();
});
