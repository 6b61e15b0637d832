// The lines of the policy that decided a call, out of the policies that are kept by revision.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readIfThere } from "../tree/durable-writing.ts";
import { isFields } from "../lines/line-fields.ts";
import { readJson } from "./block-reader.ts";
import { messageOf } from "./evidence-fault.ts";

/** A row of a list, and the list's head. */
export interface PolicyLine {
  /** `lists/police.csv:17`. */
  readonly place: string;
  readonly head: string;
  readonly text: string;
}

/** A policy that was in force, as far as it is kept. */
export interface DecidingPolicy {
  readonly revision: string;
  readonly timeZone: string | undefined;
  readonly line: PolicyLine | undefined;
  /** In words, why there is no line; "" where there is one, or where none decided. */
  readonly why: string;
}

/** At most this many octets of a file of a policy are read: 512 MiB. */
const MOST_OCTETS = 512 * 2 ** 20;

/**
 * Finds the row `listLine` (`FILE:LINE`) in the files of a revision, in the first folder that keeps the revision.
 *
 * @param folders folders of kept policies
 */
export function findPolicyLine(
  folders: readonly string[],
  revision: string,
  listLine: string | undefined,
): DecidingPolicy {
  const lacking = (why: string): DecidingPolicy => ({ revision, timeZone: undefined, line: undefined, why });
  if (!/^[0-9a-f]{1,128}$/.test(revision)) return lacking(`"${revision}" is no revision of a policy`);
  const keeper = folders.find((folder) => existsSync(join(folder, `${revision}.json`))) ?? folders[0];
  return keeper === undefined
    ? lacking("no folder of kept policies is there")
    : findLineIn(keeper, revision, listLine);
}

/** The files stand in `folder` as `REVISION.json` and `files/SHA256` (gzip). */
function findLineIn(folder: string, revision: string, listLine: string | undefined): DecidingPolicy {
  const lacking = (why: string, timeZone?: string): DecidingPolicy => ({
    revision,
    timeZone,
    line: undefined,
    why,
  });
  const path = join(folder, `${revision}.json`);
  const kept = readJson(readIfThere(path)?.toString("utf8") ?? "");
  if (kept === undefined)
    return lacking(`the policy of this revision is not kept: ${path} is missing or can't be read`);
  const timeZone = typeof kept["timeZone"] === "string" ? kept["timeZone"] : undefined;
  if (listLine === undefined) return lacking("", timeZone);
  const colon = listLine.lastIndexOf(":");
  const name = listLine.slice(0, colon);
  const files: unknown = kept["files"];
  const sha256 = (Array.isArray(files) ? files : [])
    .filter(isFields)
    .find(({ path: one }) => typeof one === "string" && isAt(one, name))?.["sha256"];
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256))
    return lacking(`${path} names no file ${name}`, timeZone);
  try {
    const packed = readIfThere(join(folder, "files", sha256));
    if (packed === undefined) return lacking(`${join(folder, "files", sha256)} is missing`, timeZone);
    const lines = gunzipSync(packed, { maxOutputLength: MOST_OCTETS }).toString("utf8").split(/\r?\n/);
    const text = lines[Number(listLine.slice(colon + 1)) - 1];
    if (text === undefined) return lacking(`${name} has no line ${listLine.slice(colon + 1)}`, timeZone);
    return { revision, timeZone, line: { place: listLine, head: lines[0] ?? "", text }, why: "" };
  } catch (error) {
    return lacking(`${join(folder, "files", sha256)}: ${messageOf(error)}`, timeZone);
  }
}

/** Tells whether a path is the named file, or ends with its name. */
function isAt(path: string, name: string): boolean {
  return path === name || path.endsWith(`/${name}`) || name.endsWith(`/${path}`);
}
