// Builds the program of 0.1.0 from the history of this repository.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The last commit of 0.1.0. */
const FORMER = "5ebfbf0";

/** The program of 0.1.0, or in words why there is none. */
export type FormerBuild =
  | { readonly program: string; readonly remove: () => void }
  | { readonly missing: string };

/** Writes the files of that commit to a folder and compiles them there. The history is only read. */
export function buildFormer(): FormerBuild {
  try {
    execFileSync("git", ["cat-file", "-e", `${FORMER}^{commit}`], { stdio: "ignore" });
  } catch {
    return {
      missing: `the history does not hold ${FORMER}, the commit of 0.1.0: a shallow clone, or no git`,
    };
  }
  const folder = mkdtempSync(join(tmpdir(), "sigwall-0.1.0-"));
  const remove = (): void => rmSync(folder, { recursive: true });
  try {
    const files = join(folder, "files.tar");
    execFileSync("git", ["archive", "--output", files, FORMER]);
    execFileSync("tar", ["-x", "-f", files, "-C", folder]);
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
    const tsc = resolve("node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: folder });
  } catch (error) {
    remove();
    throw error;
  }
  return { program: join(folder, "dist/main.js"), remove };
}
