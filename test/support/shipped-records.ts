import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFromDisk } from "../../src/app/read-file.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { keepPolicy } from "../../src/records/policies/policy-keeping.ts";
import type { Fields } from "../../src/records/lines/line-fields.ts";
import { decided, ended } from "./records-folder.ts";

const MINUTE = "2026-10-03T02:3";

/** Puts records of some minutes, and the policy of those minutes, beside the examples in `folder`. The pages ask about them. */
export function writeShippedRecords(folder: string): void {
  const readFile = (path: string): ReturnType<typeof readFromDisk> => readFromDisk(join(folder, path));
  const { material } = loadPolicy(readFile, "config/policy.yaml");
  if (material === undefined) throw new Error("the examples are wrong");
  const listeners = ["udp:127.0.0.1:5060", "udp:127.0.0.1:5070"];
  const place = { folder: join(folder, "policies"), node: "gw-a" };
  keepPolicy(place, material, { engine: "embedded", listeners }, readFile, Date.UTC(2026, 9, 1));
  const call = (count: number, time: string, number: string, given: Fields): object =>
    decided({
      id: `gw-a-tml2m0-${count}`,
      time: `${MINUTE}${time}Z`,
      callId: `5f1${(count + 9).toString(16)}@203.0.113.10`,
      listener: "udp:192.0.2.1:5060",
      calling: [
        { source: "p-asserted-identity", raw: number, number, presentation: "allowed" },
        { source: "from", raw: number, number, presentation: "allowed" },
      ],
      trunk: "bj-lease-01",
      lessee: "jinghua-bank",
      revision: material.revision,
      ...given,
    });
  const accepted = {
    verdict: "accept",
    reason: "listed",
    rule: "default",
    action: "forwarded",
    status: undefined,
    cause: undefined,
    nextHop: "udp:127.0.0.1:5090",
  };
  const police = {
    reason: "police-listed",
    rule: "deny-lists",
    status: 603,
    listLine: "config/lists/police.csv:2",
  };
  const lines = [
    call(1, "0:02.511", "+861087654321", accepted),
    call(2, "1:55.040", "+861087654322", accepted),
    call(4, "2:09.120", "+85281234567", { ...police, notice: "公刑通2026-114" }),
    ended({ id: "gw-a-tml2m0-1", time: `${MINUTE}2:30.000Z`, trunk: "bj-lease-01", lessee: "jinghua-bank" }),
    call(5, "2:41.908", "+861087654400", {}),
    call(6, "3:17.004", "+861087654321", accepted),
  ];
  mkdirSync(join(folder, "records", "2026-10-03"), { recursive: true });
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  writeFileSync(join(folder, "records", "2026-10-03", "02-gw-a.ndjson"), text);
}
