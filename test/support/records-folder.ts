import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Test } from "tap";
import { searchRecords, type SearchOptions } from "../../src/cli/search.ts";
import { type Fields, isFields } from "../../src/records/lines/line-fields.ts";
import { sealRecords } from "../../src/cli/seal.ts";
import { readFromDisk } from "../../src/app/read-file.ts";

/** The hour in which the calls of these tests are: 16:00 to 17:00 in Shanghai. */
export const HOUR = Date.UTC(2026, 9, 3, 8);
/** When that hour is closed. */
export const LATER = HOUR + 3_600_000 + 6 * 60_000;

/** A records folder of its own, in a folder that the test removes. */
export interface RecordsFolder {
  readonly folder: string;
  readonly records: string;
  /** Writes the lines of a file: `2026-10-03/08-gw-a.ndjson`. A text stands as it is, an object as JSON. */
  readonly write: (name: string, lines: readonly (string | object)[]) => void;
  /** Names of all files, from the records folder on. */
  readonly files: () => readonly string[];
}

export function openRecords(t: Test): RecordsFolder {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-records-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const records = join(folder, "records");
  mkdirSync(records);
  return {
    folder,
    records,
    write: (name, lines) => writeInto(records, name, lines),
    files: () =>
      readdirSync(records, { recursive: true, encoding: "utf8" })
        .filter((name) => name.includes(".") && name !== "seal.lock")
        .toSorted(),
  };
}

/** Writes the lines of a file into a records folder, as {@link RecordsFolder} has it. */
export function writeInto(records: string, name: string, lines: readonly (string | object)[]): void {
  const path = join(records, name);
  mkdirSync(dirname(path), { recursive: true });
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  writeFileSync(path, texts.map((text) => `${text}\n`).join(""));
}

/** What a command wrote, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command and gathers what it writes. */
export async function gather(
  run: (output: {
    readonly stdout: { write(text: string): unknown };
    readonly stderr: { write(text: string): unknown };
    readonly readFile: typeof readFromDisk;
  }) => Promise<number>,
): Promise<Ran> {
  let out = "";
  let err = "";
  const code = await run({
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    readFile: readFromDisk,
  });
  return { code, out, err };
}

/** Runs `sigwall seal` over a records folder. */
export function seal(records: string, now = LATER): Promise<Ran> {
  return gather((output) => sealRecords({ config: undefined, records: [records] }, { ...output, now }));
}

/** Seals what is closed by then. @returns false, and the test says so, where no database is there */
export async function sealed(t: Test, records: string, now = LATER): Promise<boolean> {
  const { code, err } = await seal(records, now);
  if (code !== 0) t.pass("sealing", { skip: `no hour can be sealed here: ${err}` });
  return code === 0;
}

/** Runs `sigwall search` over records folders. */
export function search(
  records: readonly string[],
  options: Partial<SearchOptions> = {},
  now = LATER,
): Promise<Ran> {
  const all = { config: undefined, records, kinds: [], numbers: false, json: false, csv: false, ...options };
  return gather((output) => searchRecords(all, { ...output, now }));
}

/** Every line of a records folder as `search` finds it, but `access` lines; the newest first. */
export async function readBack(records: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const kinds = ["decided", "request", "ended", "shed", "order", "gap", "policy", "list", "finding", "odd"];
  const { out } = await search([records], { kinds, json: true, limit: "100000" });
  return parseLines(out);
}

/** Reads NDJSON of objects. */
export function parseLines(text: string): readonly Fields[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const value: unknown = JSON.parse(line);
      if (!isFields(value)) throw new Error(`no object: ${line}`);
      return value;
    });
}

/** A `decided` line; what is not given is that of a refused call. */
export function decided(given: Fields = {}): Fields {
  return {
    record: "decided",
    id: "gw-a-t3k9x1-1",
    node: "gw-a",
    time: new Date(HOUR + 15 * 60_000).toISOString(),
    signalling: "sip",
    transport: "udp",
    source: "203.0.113.10:5060",
    destination: "192.0.2.1:5060",
    callId: "call-1@203.0.113.10",
    requestUri: "sip:02787654321@192.0.2.1",
    calling: [
      {
        source: "p-asserted-identity",
        raw: "+861087654400",
        number: "+861087654400",
        presentation: "allowed",
      },
      { source: "from", raw: "01087654400", number: "+861087654400", presentation: "allowed" },
    ],
    called: { raw: "02787654321", number: "+862787654321" },
    trunk: "lease",
    lessee: "bank",
    verdict: "reject",
    reason: "cli-not-listed",
    rule: "caller-authentication",
    mode: "enforce",
    revision: "9f2c41aa03b7",
    action: "answered",
    status: 403,
    cause: 21,
    ...given,
  };
}

/** An `ended` line of the same call. */
export function ended(given: Fields = {}): Fields {
  return {
    record: "ended",
    id: "gw-a-t3k9x1-1",
    node: "gw-a",
    time: new Date(HOUR + 16 * 60_000).toISOString(),
    trunk: "lease",
    lessee: "bank",
    ringingMs: 1200,
    answeredMs: 3400,
    seconds: 61.2,
    by: "called",
    how: "released",
    status: 200,
    cause: 16,
    ...given,
  };
}
