/** Writes the dataset in the form each target loads: a policy with CSV lists, db_text tables, a SIPp injection file. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Dataset, LoadCall, NumberRange } from "./dataset.ts";
import { plain, type State } from "./states.ts";

/** Where the targets listen and calls go; addresses are IPv4 literals. */
export interface Layout {
  /** Source port of every trunk. */
  readonly trunkPort: number;
  readonly coreAddress: string;
  readonly corePort: number;
  /** Whether sigwall sheds calls when the bench asks for more than it can do: not where the cost of every call is wanted. */
  readonly overload: "enforce" | "off";
}

/** A drachtio-server's admin port. */
export interface DrachtioPlace {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

/** Whose calls are judged, and whether they are reported too. */
interface DrachtioUse {
  readonly server: DrachtioPlace;
  readonly reports: boolean;
}

/** Writes `sigwall.yaml`, `policy.yaml` and `lists/` into `folder`: every rule enforced, limits no load reaches. Returns the path of `sigwall.yaml`. */
export function writeSigwallPolicy(
  folder: string,
  dataset: Dataset,
  layout: Layout,
  listen: string,
  admin: string,
  sockets?: string,
  drachtio?: DrachtioUse,
  state: State = plain,
): string {
  mkdirSync(join(folder, "lists"), { recursive: true });
  const limits = `limits: { callsPerSecond: 500, attemptsPerCallerPerMinute: 6000${state.limits ?? ""} }`;
  const policy = [
    "version: 1",
    'home: { country: "86" }',
    "timeZone: Asia/Shanghai",
    // SIPp takes an OPTIONS for a call that fails.
    "nextHopHealth: { probe: off }",
    "trunks:",
    `  - { id: core, side: core, match: { addresses: [${layout.coreAddress}], ports: [${layout.corePort}] } }`,
  ];
  for (const { id, address, lessee } of dataset.trunks) {
    const side =
      lessee === undefined ? "side: international" : `side: lessee, lessee: ${lessee.id}, areaCode: "10"`;
    const match = `match: { addresses: [${address}], ports: [${layout.trunkPort}] }`;
    policy.push(
      `  - { id: ${id}, ${side}, ${match}, nextHops: ["sip:${layout.coreAddress}:${layout.corePort}"], ${limits} }`,
    );
  }
  policy.push("lessees:");
  for (const { lessee } of dataset.trunks) {
    if (lessee === undefined) continue;
    policy.push(
      `  - { id: ${lessee.id}, name: ${lessee.id}, contract: HT-${lessee.id}, numbers: lists/${lessee.id}.csv }`,
    );
    const rows = [
      ...lessee.numbers.map((number) => `+${number}`),
      ...lessee.ranges.map(({ first, last }) => `+${first}..+${last}`),
    ];
    writeFileSync(
      join(folder, "lists", `${lessee.id}.csv`),
      `number,valid_from,valid_to,verified_on,may_forward\n${rows.map((row) => `${row},2020-01-01,2099-12-31,2026-01-01,no\n`).join("")}`,
    );
  }
  policy.push(`overload: { mode: ${layout.overload} }`);
  policy.push("lists:", "  police: { file: lists/police.csv, kind: police }", "rules:");
  for (const rule of [
    "caller-authentication",
    "hidden-caller",
    "home-cli-from-abroad",
    "number-class",
    "diversion-licence",
  ]) {
    policy.push(`  ${rule}: { mode: enforce }`);
  }
  writeFileSync(
    join(folder, "lists", "police.csv"),
    `number\n${dataset.police.map((number) => `+${number}\n`).join("")}`,
  );
  if (state.policy !== undefined) policy.push(state.policy);
  writeFileSync(join(folder, "policy.yaml"), `${policy.join("\n")}\n`);
  const file = join(folder, "sigwall.yaml");
  const kind = sockets === undefined ? "" : `sockets: ${sockets}\n`;
  const engine =
    drachtio === undefined
      ? "engine: embedded"
      : `engine: drachtio\ndrachtio: ${JSON.stringify({ servers: [drachtio.server], reports: drachtio.reports })}`;
  writeFileSync(
    file,
    `${engine}\nlisten:\n  - udp:${listen}\n${kind}admin: ${admin}\npolicy: policy.yaml\n${state.sigwall}`,
  );
  return file;
}

/** Writes the tables of `kamailio.cfg` into `folder` in db_text form. */
export function writeKamailioTables(folder: string, dataset: Dataset, layout: Layout): void {
  mkdirSync(folder, { recursive: true });
  const trunks: string[] = [];
  const listed: string[] = [];
  const prefixes: string[] = [];
  dataset.trunks.forEach(({ address, lessee }, index) => {
    const code = String(index).padStart(3, "0");
    // A colon separates fields in db_text, so the one in the key is escaped.
    trunks.push(`${address}\\:${layout.trunkPort}:0:0:${lessee === undefined ? "i" : code}:0`);
    if (lessee === undefined) return;
    for (const number of lessee.numbers) listed.push(`${code}${number}:0:0:1:0`);
    for (const range of lessee.ranges)
      for (const prefix of prefixesOf(range)) prefixes.push(`${code}${prefix}:1`);
  });
  const hashHeader = "key_name(string) key_type(int) value_type(int) key_value(string) expires(int)";
  writeTable(folder, "trunk", hashHeader, trunks);
  writeTable(folder, "listed", hashHeader, listed);
  writeTable(
    folder,
    "police",
    hashHeader,
    dataset.police.map((number) => `${number}:0:0:1:0`),
  );
  writeTable(folder, "ranges", "tprefix(string) tvalue(string)", prefixes);
  writeTable(folder, "version", "table_name(string) table_version(int)", [
    "trunk:2",
    "listed:2",
    "police:2",
    "ranges:1",
  ]);
}

/** Writes a SIPp injection file: source address, caller, called party, source port; taken in turn. */
export function writeInjectionFile(file: string, calls: readonly LoadCall[], port: number): void {
  writeFileSync(
    file,
    `SEQUENTIAL\n${calls.map(({ address, caller, called }) => `${address};${caller};${called};${port}\n`).join("")}`,
  );
}

function writeTable(folder: string, table: string, header: string, rows: readonly string[]): void {
  writeFileSync(join(folder, table), `${header}\n${rows.map((row) => `${row}\n`).join("")}`);
}

/** The shortest list of prefixes that covers a range: Kamailio's tree knows no ranges. */
function prefixesOf({ first, last }: NumberRange): readonly string[] {
  const prefixes: string[] = [];
  let from = first;
  while (from <= last) {
    let size = 1;
    while (from % (size * 10) === 0 && from + size * 10 - 1 <= last) size *= 10;
    prefixes.push(String(from / size));
    from += size;
  }
  return prefixes;
}
