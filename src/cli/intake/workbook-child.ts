// The process that reads one workbook: octets from standard input, rows as JSON lines to standard output.
import { buffer as octetsOf } from "node:stream/consumers";
import { shortenCell } from "../../config/lists/list-advice.ts";
import { cellName } from "../../intake/table.ts";
import { readWorkbook } from "./read-workbook.ts";

/** The package names a cell by row and column. */
function describeFault(words: string): string {
  const cell = /^<c\/> at row (\d+), col (\d+): (\w+)$/u.exec(words);
  if (cell === null) return `it can't be read as a workbook: ${shortenCell(words)}`;
  const name = cellName(Number(cell[1]), Number(cell[2]) - 1);
  return `it can't be read as a workbook: cell ${name} is damaged (${cell[3]}); type it again`;
}

const lines: string[] = [];
try {
  await readWorkbook(
    await octetsOf(process.stdin),
    process.argv[2],
    (line) => void lines.push(JSON.stringify(line)),
  );
} catch (error) {
  const words = error instanceof Error ? error.message : String(error);
  lines.push(JSON.stringify({ error: describeFault(words) }));
}
process.stdout.write(`${lines.join("\n")}\n`);
