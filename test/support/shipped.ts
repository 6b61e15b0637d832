import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The examples as they are shipped. Operators edit `config/`: no test depends on what stands there. */
export const shipped = "test/config/shipped";

/** A folder in which commands find the examples as shipped in `config/`, and the captures in `pcaps/`. Its owner removes it. */
export function openShippedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-shipped-"));
  mkdirSync(join(folder, "config"));
  cpSync(shipped, join(folder, "config"), { recursive: true });
  symlinkSync(resolve("pcaps"), join(folder, "pcaps"));
  return folder;
}
