import { type ConfigIssue, formatIssue } from "../../src/config/yaml/issue.ts";
import type { ReadFile } from "../../src/config/yaml/config-files.ts";

/** Files in memory: what configuration is read from in these tests. */
export function filesOf(files: Readonly<Record<string, string | Uint8Array>>): ReadFile {
  return (path) => {
    const content = files[path];
    if (content === undefined) return { error: "no such file" };
    return { bytes: typeof content === "string" ? new TextEncoder().encode(content) : content };
  };
}

/** Issues as `check` prints them. */
export function printed(issues: readonly ConfigIssue[]): readonly string[] {
  return issues.map(formatIssue);
}

/** A small sound policy; the tables of the tests break it in one place. */
export const soundPolicy = `version: 1
trunks:
  - id: core
    side: core
    match: { addresses: [127.0.0.1], ports: [5090] }
  - id: lease
    side: lessee
    match: { addresses: [127.0.0.1], ports: [5061] }
    lessee: acme-bj
    areaCode: "10"
    nextHops: ["sip:127.0.0.1:5090"]
    limits: { callsPerSecond: 5 }
  - id: intl
    side: international
    match: { addresses: [127.0.0.1], ports: [5062] }
    nextHops: ["sip:127.0.0.1:5090"]
lessees:
  - id: acme-bj
    numbers: acme.csv
lists:
  police: { file: police.csv, kind: police }
specialUsers:
  - trunk: lease
    number: "+861087654300"
    allow: [hidden]
    until: 2027-01-31
    reason: approval 7
rules:
  hidden-caller: { mode: enforce }
`;

export const soundLists = {
  "acme.csv":
    "number,valid_from,valid_to,verified_on\n+861087654300..+861087654399,2026-01-01,2027-12-31,2026-09-30\n",
  "police.csv": "number\n+85281234567\n",
};

/** The sound policy with every `[from, to]` replaced; throws when the text to be replaced is not there. */
export function brokenPolicy(...edits: readonly (readonly [from: string, to: string])[]): string {
  let text = soundPolicy;
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`not in the sound policy: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}
