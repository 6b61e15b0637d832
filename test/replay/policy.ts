// A policy for captures of `call-script.ts`: a lessee with two trunks, a national network, the core.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What tests add to it: limits in the flow style of YAML, and more sections. */
export interface PolicyAdditions {
  readonly lease?: string;
  readonly second?: string;
  readonly lessee?: string;
}

function limitsOf(text: string): string {
  return text === "{}" ? "" : `limits: ${text}`;
}

/**
 * Writes `NAME/sigwall.yaml`, its policy and its list.
 * @returns the path of sigwall.yaml
 */
export function writePolicy(
  folder: string,
  name: string,
  sections: string,
  { lease = "{}", second = "{}", lessee = "{}" }: PolicyAdditions = {},
): string {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  const config = join(place, "sigwall.yaml");
  writeFileSync(config, "listen: [udp:198.51.100.1:5060]\npolicy: policy.yaml\nkeyFile: sigwall.key\n");
  writeFileSync(join(place, "bank.csv"), "number\n+861087654300..+861087654399\n");
  writeFileSync(
    join(place, "policy.yaml"),
    `version: 1
trunks:
  - id: core
    side: core
    match: { addresses: [198.51.100.90] }
  - id: lease
    side: lessee
    match: { addresses: [192.0.2.11] }
    lessee: bank
    areaCode: "10"
    nextHops: ["sip:198.51.100.90:5060"]
    ${limitsOf(lease)}
  - id: second
    side: lessee
    match: { addresses: [192.0.2.12] }
    lessee: bank
    areaCode: "10"
    nextHops: ["sip:198.51.100.90:5060"]
    ${limitsOf(second)}
  - id: proxy
    side: national
    match: { addresses: [198.51.100.1] }
    nextHops: ["sip:198.51.100.90:5060"]
  - id: national
    side: national
    match: { addresses: [192.0.2.21] }
    nextHops: ["sip:198.51.100.90:5060"]
lessees:
  - id: bank
    numbers: bank.csv
    ${limitsOf(lessee)}
${sections}
`,
  );
  return config;
}
