// Says why records can't be read: of a folder that belongs to another user, whose it is and what to do.
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** An error in words. Of one that denies access: which folder or file, who can read it, what to do. */
export function sayFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  const path =
    "path" in error && typeof error.path === "string" ? error.path : deniedByDatabase(error.message);
  const isDenied = code === "EACCES" || code === "EPERM" || (code === undefined && path !== undefined);
  return isDenied && path !== undefined ? sayDenied(path) : error.message;
}

/** Says whose a path is. */
export function sayDenied(path: string): string {
  const owner = ownerOf(path);
  if (owner === undefined)
    return `${path} can't be read: permission denied; run the command as the user of the filter, or as root`;
  const name = userNamed(owner);
  return `${path} can't be read: permission denied; ${name === undefined ? `user id ${owner}` : name} can read it: run \`sudo -u ${name ?? `#${owner}`} sigwall …\`, or as root`;
}

/** DuckDB says it in words alone. */
function deniedByDatabase(message: string): string | undefined {
  return /Cannot open file "([^"]+)": Permission denied/u.exec(message)?.[1];
}

/** The owner of a path, or of the folder nearest to it that can be looked at. */
function ownerOf(path: string): number | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      return statSync(at).uid;
    } catch {
      if (dirname(at) === at) return undefined;
    }
  }
}

/** @returns undefined where no such user is known here */
function userNamed(uid: number): string | undefined {
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((text) => text.split(":")[2] === String(uid));
    return line?.split(":")[0];
  } catch {
    return undefined;
  }
}
