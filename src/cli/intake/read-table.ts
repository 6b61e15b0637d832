// Reads the table of a file that people made: text of any usual encoding, or a workbook, which a process of its own reads.
import { spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { TableReading } from "../../intake/table.ts";
import { readTextTable } from "../../intake/text-table.ts";
import { readWorkbookLines } from "../../intake/workbook-lines.ts";

const child = fileURLToPath(new URL("workbook-child.js", import.meta.url));

/** A workbook is read in ten seconds or not at all. Milliseconds. */
const MOST_TIME = 10_000;
/** Memory of the process that reads it. Megabytes. */
const MOST_MEMORY = 1024;

/** The stream that a workbook with a password has ([MS-OFFCRYPTO] section 1.3). */
const LOCKED = Buffer.from("EncryptedPackage", "utf16le");

const advice = "copy the columns that the list needs into a new workbook, or save it as CSV UTF-8";

/** @param sheet name of the sheet of a workbook; undefined: the first one with something in it */
export async function readTable(bytes: Buffer, sheet: string | undefined): Promise<TableReading> {
  const signature = bytes.toString("latin1", 0, 8);
  if (signature.startsWith("PK\u0003\u0004")) return readWorkbook(bytes, sheet);
  if (signature === "\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1")
    return {
      error: bytes.includes(LOCKED)
        ? "this is a workbook with a password; save it as .xlsx without one"
        : "this is a workbook of the old form (.xls); save it as .xlsx",
    };
  if (sheet !== undefined) return { error: "--sheet is for workbooks, and this is a text" };
  return readTextTable(bytes);
}

async function readWorkbook(bytes: Buffer, sheet: string | undefined): Promise<TableReading> {
  const args = [`--max-old-space-size=${MOST_MEMORY}`, child, ...(sheet === undefined ? [] : [sheet])];
  const reader = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "ignore"],
    // A day without a zone is the day that the spreadsheet shows.
    env: { TZ: "UTC" },
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.kill("SIGKILL");
  }, MOST_TIME);
  let failure: Error | undefined;
  reader.on("error", (error) => (failure = error));
  // A process that ends early closes its end.
  reader.stdin.on("error", () => {});
  reader.stdin.end(bytes);
  const said = await textOf(reader.stdout);
  clearTimeout(timer);
  if (failure !== undefined) return { error: `no process can be started to read it: ${failure.message}` };
  if (isLate) return { error: `reading it takes more than ${MOST_TIME / 1000} s; ${advice}` };
  if (!said.endsWith("\n")) return { error: `reading it takes too much memory; ${advice}` };
  return readWorkbookLines(said);
}
