import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { explainCallAt } from "../../src/cli/explain-at.ts";
import { whyCall, type WhyOptions } from "../../src/cli/why.ts";
import { readFromDisk } from "../../src/app/read-file.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { keepPolicy } from "../../src/records/policies/policy-keeping.ts";
import { gather, HOUR, LATER, openRecords, type Ran } from "../support/records-folder.ts";

const policyText = `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
lessees:
  - { id: bank, numbers: bank.csv }
lists:
  police: { file: police.csv, kind: police }
`;
/** A time in the hour of these tests. */
export const at = (minute: number): string => new Date(HOUR + minute * 60_000).toISOString();

/** A folder with records and a policy of then and of today. */
export interface WhyPlace {
  readonly records: string;
  readonly write: (name: string, lines: readonly (string | object)[]) => void;
  readonly revision: string;
  readonly why: (options: Partial<WhyOptions>) => Promise<Ran>;
  readonly explain: (at: string, from: string, json?: boolean) => Promise<Ran>;
}

/** A folder whose police list named a number then, and does not today; the lessee has one number more today. */
export function openPlace(t: Test): WhyPlace {
  const { folder, records, write } = openRecords(t);
  const path = (name: string): string => join(folder, name);
  const lists = (bank: string, police: string): void => {
    writeFileSync(path("bank.csv"), `number,contract\n${bank}`);
    writeFileSync(path("police.csv"), `number,notice\n${police}`);
  };
  writeFileSync(
    path("sigwall.yaml"),
    "listen: [udp:192.0.2.1:5060]\nadmin: 127.0.0.1:9464\npolicy: policy.yaml\nkeyFile: key\n",
  );
  writeFileSync(path("policy.yaml"), policyText);
  lists("+861087654300..+861087654399,HT-7\n", "+861066660000,公刑通2026-114\n");
  const { material } = loadPolicy(readFromDisk, path("policy.yaml"));
  if (material === undefined) throw new Error("the test's own policy is wrong");
  const place = { folder: path("policies"), node: "gw-a" };
  keepPolicy(place, material, { engine: "embedded", listeners: [] }, readFromDisk, HOUR - 1000);
  lists("+861087654300..+861087654399,HT-7\n+861087654400,HT-8\n", "+861066669999,2026-20\n");
  const config = path("sigwall.yaml");
  return {
    records,
    write,
    revision: material.revision,
    why: (options) =>
      gather((output) =>
        whyCall({ config, records: [records], json: false, ...options }, { ...output, now: LATER }),
      ),
    explain: (moment, from, json = false) =>
      gather((output) =>
        explainCallAt(
          {
            config,
            records: [records],
            at: moment,
            trunk: "lease",
            from,
            to: "02787654321",
            message: undefined,
            json,
          },
          { ...output, now: LATER },
        ),
      ),
  };
}
