// Gives files that a command of root makes to the owner of their folder, so that the filter can go on with them.
import { chownSync, statSync } from "node:fs";

/**
 * Makes the owner of `folder` the owner of `path`. Does nothing where the process is not of root. Throws what the operating
 * system says.
 */
export function giveToOwner(folder: string, path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  if (uid !== 0) chownSync(path, uid, gid);
}
