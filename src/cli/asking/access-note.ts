// Writes down that somebody saw whole numbers: an `access` line, of a node of its own.
import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import type { AccessLine } from "../../records/lines/record-line.ts";
import { giveToOwner } from "../../records/sealed/folder-owner.ts";
import { COMMAND_NODE } from "../../records/sealed/hour-files.ts";
import type { Millis } from "../../domain/time.ts";

/** Who asked what. */
export interface Access {
  /** `search`, `why`. */
  readonly command: string;
  /** The user and the machine. */
  readonly user: string;
  readonly host: string;
  readonly case?: string | undefined;
  /** How many lines were shown. */
  readonly found: number;
  /** What was asked for, as on the command line. */
  readonly asked: Readonly<Record<string, string>>;
}

/**
 * Appends the line to the open hour of each folder, as node `console@HOST`.
 *
 * @returns which folders could not be written, and why, in words
 */
export function noteAccess(folders: readonly string[], access: Access, now: Millis): readonly string[] {
  const { command, user, host, found, asked } = access;
  const node = `${COMMAND_NODE}${nodeOf(host)}`;
  const time = new Date(now).toISOString();
  const line: AccessLine & { readonly asked: Access["asked"] } = {
    record: "access",
    node,
    time,
    command,
    by: `${user}@${host}`,
    case: access.case,
    found,
    asked,
  };
  const failures: string[] = [];
  for (const folder of folders) {
    try {
      const day = join(folder, time.slice(0, 10));
      if (!existsSync(day)) {
        mkdirSync(day, { mode: 0o700 });
        // The filter writes the lines of the day there.
        giveToOwner(folder, day);
      }
      const path = join(day, `${time.slice(11, 13)}-${node}.ndjson`);
      // One write of one line: lines of two commands never mix.
      appendFileSync(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
      giveToOwner(folder, path);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      failures.push(`no access line could be written in ${folder}: ${why}`);
    }
  }
  return failures;
}

function nodeOf(host: string): string {
  const name = host.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 64);
  return name === "" ? "unknown" : name;
}

/** The user and the machine, for `access` lines. */
export function whoAsks(): { readonly user: string; readonly host: string } {
  return { user: userName(), host: hostname() };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user id without a name, as in many containers.
    return String(process.getuid?.() ?? "unknown");
  }
}
