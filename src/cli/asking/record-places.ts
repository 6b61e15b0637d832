// Finds the records folders, the kept policies and the time zone that a question is about.
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createCalendar, isTimeZone } from "../../config/lists/calendar.ts";
import { type ReadFile, resolvePath } from "../../config/yaml/config-files.ts";
import { valueAt } from "../../config/yaml/schema-issues.ts";
import { readYaml } from "../../config/yaml/yaml-source.ts";
import { lastInForce, listKept, policiesBeside } from "../../records/policies/kept-policy.ts";
import { type Database, openDatabase } from "../../records/sealed/duckdb.ts";
import { sayFailure } from "./failure-words.ts";

/** What the options of a command say. */
export interface PlaceOptions {
  /** Path of sigwall.yaml. Undefined: it was not given. */
  readonly config: string | undefined;
  /** Records folders; empty: the one of the configuration. */
  readonly records: readonly string[];
}

/** Where records and policies are. */
export interface RecordsPlace {
  readonly folders: readonly string[];
  /** Folders of kept policies, one beside each records folder, or where the configuration says. */
  readonly policies: readonly string[];
  /** The configuration, where it can be read. */
  readonly config: string | undefined;
  /** Path of the policy that the configuration names. */
  readonly policy: string | undefined;
  readonly timeZone: string;
  /** Set when evidence is kept: its blocks refer to policies too. `folder` is undefined where it can't be read. */
  readonly evidence: { readonly folder: string | undefined } | undefined;
}

const DEFAULT_CONFIG = "sigwall.yaml";

/**
 * Finds the places. Only the keys that say where things are get read: a records folder can be asked where the rest of the
 * configuration is missing.
 *
 * @returns a string that says what is wrong
 */
export function findRecords(options: PlaceOptions, readFile: ReadFile): RecordsPlace | string {
  try {
    return findPlaces(options, readFile);
  } catch (error) {
    return sayFailure(error);
  }
}

function findPlaces(options: PlaceOptions, readFile: ReadFile): RecordsPlace | string {
  const path = options.config ?? DEFAULT_CONFIG;
  const read = readFile(path);
  if ("error" in read && options.config !== undefined) return `can't read ${path}: ${read.error}`;
  const config = "error" in read ? undefined : readYaml(path, read.bytes).value;
  const text = (...keys: readonly string[]): string | undefined => {
    const value = valueAt(config, keys);
    return typeof value === "string" ? resolvePath(path, value) : undefined;
  };
  const configured = text("records", "folder");
  const folders = options.records.length > 0 ? options.records : configured === undefined ? [] : [configured];
  if (folders.length === 0)
    return "error" in read
      ? `no records folder: give --records DIR, or --config FILE (there is no ${path} here)`
      : `${path} keeps no records (\`records: { folder: … }\`); give --records DIR`;
  for (const folder of folders) {
    const wrong = refuseFolder(folder);
    if (wrong === undefined) continue;
    const isConfigured = options.records.length === 0;
    return `${wrong}${isConfigured ? `; ${path} names it, give --records DIR for the folder of the running filter` : ""}`;
  }
  const beside = folders.map(policiesBeside);
  const kept = text("records", "policies");
  const policy = text("policy");
  const policies = kept === undefined ? beside : [kept, ...beside];
  return {
    folders: distinct(folders),
    policies: distinct(policies.filter((folder) => existsSync(folder))),
    config: "error" in read ? undefined : path,
    policy,
    timeZone: findTimeZone(policy, policies, readFile),
    evidence:
      valueAt(config, ["evidence"]) === undefined ? undefined : { folder: text("evidence", "folder") },
  };
}

const NO_RECORDS = " is no records folder";

/** Exit code of a command about records, by what {@link findRecords} says: 2 for a folder that was meant wrongly, else 1. */
export function exitOf(message: string): number {
  return message.includes(NO_RECORDS) ? 2 : 1;
}

const dayName = /^\d{4}-\d{2}-\d{2}$/u;

/**
 * Looks at a folder that is to be asked. An empty one is taken: no call has been yet.
 *
 * @returns why it is no records folder. Throws when it can't be looked at
 */
function refuseFolder(folder: string): string | undefined {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return `${folder}: no such folder`;
    if (code === "ENOTDIR") return `${folder} is a file; expected a records folder`;
    throw error;
  }
  // Beside the days lie the locks of the nodes, and what `seal` writes.
  const isAsked =
    names.every((name) => /\.(?:lock|spill)$/u.test(name)) || names.some((name) => dayName.test(name));
  return isAsked ? undefined : `${folder}${NO_RECORDS}: nothing in it is named as a day (2026-11-30)`;
}

/** The zone of the policy of today, else of the policy that was kept last, else UTC. */
function findTimeZone(policy: string | undefined, policies: readonly string[], readFile: ReadFile): string {
  if (policy !== undefined) {
    const read = readFile(policy);
    if ("bytes" in read) {
      const zone = valueAt(readYaml(policy, read.bytes).value, ["timeZone"]) ?? "Asia/Shanghai";
      if (typeof zone === "string" && isTimeZone(zone)) return zone;
    }
  }
  const newest = policies
    .flatMap((folder) => listKept(folder))
    .toSorted((a, b) => (lastInForce(b) ?? 0) - (lastInForce(a) ?? 0))
    .find(({ timeZone }) => isTimeZone(timeZone));
  return newest?.timeZone ?? "UTC";
}

/** One folder may be given under two names: its lines would be found twice. */
function distinct(folders: readonly string[]): readonly string[] {
  const seen = new Map(folders.map((folder) => [existsSync(folder) ? realpathSync(folder) : folder, folder]));
  return [...seen.values()];
}

/** Formats moments in a zone, with the offset. */
export function createClock(timeZone: string): (time: string) => string {
  const calendar = createCalendar(timeZone);
  return (time) => {
    const at = Date.parse(time);
    return Number.isNaN(at) ? time : calendar.formatTime(at);
  };
}

/** Most memory of a question, in units of 1000² octets. */
const MOST_MEMORY = 1000;
const THREADS = 2;

/** Opens the database for questions. */
export function openForAsking(): Promise<Database | string> {
  return openDatabase({ megabytes: MOST_MEMORY, threads: THREADS });
}
