/** Writes the big lists of the bench: a thousand lessees with a list and a trunk each, from a seed. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../dataset.ts";

/** What is written, and how many octets the lists have. */
export interface ListFiles {
  readonly config: string;
  /** The list that the bench changes. */
  readonly changing: string;
  readonly octets: number;
}

/** What the files say. */
export interface ListPlan {
  readonly folder: string;
  readonly lists: number;
  readonly numbers: number;
  /** How many of the lessees have a trunk. */
  readonly trunks: number;
  readonly sipPort: number;
  readonly adminPort: number;
  /** Port of the core, from which the bench sends its OPTIONS. */
  readonly corePort: number;
  /** Whether records, and with them policies, are kept. */
  readonly records: boolean;
}

/** Most numbers of one block: a lessee has several. */
const BLOCK = 1000;
/** Cities with numbers of eight digits, and mobile blocks: all of them are of the plan. */
const cities = ["10", "20", "21", "22", "23", "25", "27", "28"];
const mobiles = ["138", "139", "150", "186"];
const seed = 20_260_713;

/** Writes `sigwall.yaml`, `policy.yaml` and the lists. Numbers of a list come in blocks; no number is in two lists. */
export function writeLists({
  folder,
  lists,
  numbers,
  trunks,
  sipPort,
  adminPort,
  corePort,
  records,
}: ListPlan): ListFiles {
  mkdirSync(join(folder, "lists"), { recursive: true });
  const random = seededRandom(seed);
  const policy = [
    "version: 1",
    'home: { country: "86" }',
    "timeZone: Asia/Shanghai",
    "nextHopHealth: { probe: off }",
    "trunks:",
    `  - { id: core, side: core, match: { addresses: [127.0.0.1], ports: [${corePort}] } }`,
  ];
  const lessees = ["lessees:"];
  let octets = 0;
  let block = 0;
  for (let index = 0; index < lists; index++) {
    const id = `lessee-${index}`;
    const address = `127.${21 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
    if (index < trunks)
      policy.push(
        `  - { id: lease-${index}, side: lessee, lessee: ${id}, areaCode: "10", match: { addresses: [${address}], ports: [5060] }, nextHops: ["sip:127.0.0.1:${corePort}"] }`,
      );
    lessees.push(`  - { id: ${id}, name: ${id}, contract: HT-${index}, numbers: lists/${id}.csv }`);
    const rows = ["number,valid_from,valid_to,verified_on,may_forward\n"];
    const wanted = Math.floor((numbers * (index + 1)) / lists) - Math.floor((numbers * index) / lists);
    for (let written = 0; written < wanted; block++) {
      const day = 1 + Math.floor(random() * 28);
      const dates = `2026-01-${String(day).padStart(2, "0")},2099-12-31,2026-0${1 + Math.floor(random() * 9)}-15`;
      const last = Math.min(wanted, written + BLOCK);
      for (let next = 0; written < last; next++, written++)
        rows.push(`+86${numberOf(block, next)},${dates},${next % 8 === 0 ? "no" : ""}\n`);
    }
    const text = rows.join("");
    octets += text.length;
    writeFileSync(join(folder, "lists", `${id}.csv`), text);
  }
  writeFileSync(join(folder, "policy.yaml"), `${[...policy, ...lessees].join("\n")}\n`);
  const config = join(folder, "sigwall.yaml");
  writeFileSync(
    config,
    [
      `listen: [udp:127.0.0.1:${sipPort}]`,
      `admin: 127.0.0.1:${adminPort}`,
      "policy: policy.yaml",
      "keyFile: key",
      "drainSeconds: 0",
      "log: { level: info }",
      ...(records ? ["records: { folder: records }"] : []),
      "",
    ].join("\n"),
  );
  return { config, changing: join(folder, "lists", `lessee-${Math.floor(lists / 2)}.csv`), octets };
}

/** The number of a block, without country code. Blocks of fixed lines and of mobiles take turns. */
function numberOf(block: number, next: number): string {
  const turn = block >> 1;
  if (block % 2 === 0) {
    const city = cities[turn % cities.length] ?? "";
    return city + String(20_000_000 + Math.floor(turn / cities.length) * BLOCK + next);
  }
  const mobile = mobiles[turn % mobiles.length] ?? "";
  return mobile + String(10_000_000 + Math.floor(turn / mobiles.length) * BLOCK + next);
}

/** Appends a row with a number that no list has. */
export function addRow(file: string, turn: number): void {
  const list = openSync(file, "a");
  writeSync(list, `+8624${30_000_000 + turn},2026-01-01,2099-12-31,2026-01-15,no\n`);
  closeSync(list);
}
