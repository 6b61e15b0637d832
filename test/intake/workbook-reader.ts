/** A process that reads workbooks one after another, as messages: a damaged one may take all of its memory. */
import { Buffer } from "node:buffer";
import { readWorkbook } from "../../src/cli/intake/read-workbook.ts";

process.on("message", (bytes: Uint8Array) => {
  const lines: string[] = [];
  readWorkbook(Buffer.from(bytes), undefined, (line) => void lines.push(JSON.stringify(line))).then(
    () => process.send?.(lines.join("\n")),
    (error: unknown) => process.send?.(JSON.stringify({ error: String(error) })),
  );
});
