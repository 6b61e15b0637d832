import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { reportMonth, type ReportOptions } from "../../src/cli/reporting/report.ts";
import { decided, gather, openRecords, type Ran, type RecordsFolder } from "../support/records-folder.ts";

const policyOf = (timeZone: string): string => `
version: 1
timeZone: ${timeZone}
trunks:
  - { id: lease, side: lessee, lessee: bank, match: { addresses: [192.0.2.1] }, area: { province: 北京, city: 北京市, branch: 西城 } }
  - { id: peer, side: national, match: { addresses: [192.0.2.2] } }
lessees:
  - { id: bank, name: 京华银行, owner: 王, numbers: bank.csv }
`;

/** A day on which all months of these tests are over. */
export const AFTERWARDS = Date.UTC(2027, 2, 15);

/** A records folder with a configuration, in a folder that the test removes. */
export function open(
  t: Test,
  timeZone = "Asia/Shanghai",
  now = AFTERWARDS,
): RecordsFolder & { readonly report: (options?: Partial<ReportOptions>) => Promise<Ran> } {
  const place = openRecords(t);
  writeFileSync(join(place.folder, "policy.yaml"), policyOf(timeZone));
  writeFileSync(
    join(place.folder, "sigwall.yaml"),
    "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\nrecords: { folder: records }\n",
  );
  const base: ReportOptions = {
    month: "2026-10",
    by: [],
    format: "csv",
    language: "zh",
    monthly: [],
    config: join(place.folder, "sigwall.yaml"),
    records: [],
  };
  return {
    ...place,
    report: (options = {}) => gather((output) => reportMonth({ ...base, ...options }, { ...output, now })),
  };
}

export interface Line {
  readonly time: string;
  readonly [field: string]: unknown;
}

/** Writes lines, each into the file of its hour. */
export function put(place: Pick<RecordsFolder, "write">, lines: readonly Line[], node = "gw-a"): void {
  const files = new Map<string, object[]>();
  for (const line of lines) {
    const name = `${line.time.slice(0, 10)}/${line.time.slice(11, 13)}-${node}.ndjson`;
    files.set(name, [...(files.get(name) ?? []), line]);
  }
  for (const [name, of] of files) place.write(name, of);
}

export const accepted = {
  verdict: "accept",
  reason: "listed",
  rule: "default",
  action: "forwarded",
  status: undefined,
};
export const call = (count: number, time: string, given: object = {}): Line => ({
  ...decided({ id: `gw-a-t3k9x1-${count}`, time }),
  time,
  ...given,
});

/** October 2026 in Shanghai is 2026-09-30T16:00Z to 2026-10-31T16:00Z. */
export const edges = [
  call(1, "2026-09-30T15:59:59.999Z"),
  call(2, "2026-09-30T16:00:00.000Z"),
  call(3, "2026-10-31T15:59:59.999Z", { reason: "cli-hidden" }),
  call(4, "2026-10-31T16:00:00.000Z"),
];

/** Every reason, a finding, orders, shed calls and a gap. */
export const whole: readonly Line[] = [
  ...edges,
  ...["home-cli-from-abroad", "cli-absent", "number-class", "police-listed", "diversion-unlicensed"].map(
    (reason, index) => call(10 + index, "2026-10-05T02:00:00.000Z", { reason }),
  ),
  ...[
    "frequency-exceeded",
    "denylisted",
    "quarantined",
    "line-stopped",
    "cli-conflict",
    "marketing-hours",
  ].map((reason, index) => call(20 + index, "2026-10-05T03:00:00.000Z", { reason })),
  call(30, "2026-10-06T02:00:00.000Z", accepted),
  call(31, "2026-10-06T02:00:01.000Z", { trunk: "peer", lessee: undefined, reason: "police-listed" }),
  call(32, "2026-10-06T02:00:02.000Z", { reason: "overload", rule: "protocol" }),
  call(33, "2026-10-06T02:00:03.000Z", { verdict: "drop", reason: "cli-hidden" }),
  call(34, "2026-10-06T02:00:04.000Z", { verdict: "label", reason: "home-cli-from-abroad" }),
  {
    record: "shed",
    node: "gw-a",
    time: "2026-10-06T02:01:00.000Z",
    trunk: "lease",
    reason: "overload",
    status: 503,
    count: 40,
  },
  {
    record: "finding",
    node: "gw-a",
    time: "2026-10-07T02:00:00.000Z",
    detector: "sub-lease",
    profile: "1",
    mode: "monitor",
    subject: { kind: "trunk", trunk: "lease" },
    until: "2026-10-08T02:00:00.000Z",
    calls: ["gw-a-t3k9x1-30"],
    facts: {},
  },
  {
    record: "finding",
    node: "gw-a",
    time: "2026-10-07T02:00:00.001Z",
    detector: "one-ring",
    subject: { kind: "trunk", trunk: "peer" },
    calls: [],
  },
  {
    record: "order",
    node: "gw-a",
    time: "2026-10-07T03:00:00.000Z",
    line: "trunk:lease",
    state: "suspended",
    previous: "active",
    order: "2026-31",
    reason: "核查",
    by: "command",
  },
  {
    record: "order",
    node: "gw-a",
    time: "2026-10-07T03:00:01.000Z",
    line: "trunk:peer",
    state: "closed",
    order: "2026-32",
    reason: "maintenance",
    by: "command",
  },
  {
    record: "order",
    node: "gw-a",
    time: "2026-10-07T03:00:02.000Z",
    line: "lessee:bank",
    state: "closed",
    order: "2026-33",
    reason: "层层转租",
    by: "command",
  },
  {
    record: "gap",
    node: "gw-a",
    time: "2026-10-09T00:00:00.000Z",
    from: "2026-10-08T23:59:00.000Z",
    to: "2026-10-09T00:00:00.000Z",
    lost: 7,
    why: "restart",
  },
];
