/** Workbooks that were damaged by dice: the same ones for a seed. No damage changes a digit of a number. */
import { Buffer } from "node:buffer";
import { type ChildProcess, fork } from "node:child_process";
import t from "tap";
import { unpackWorkbook } from "../../src/cli/intake/workbook-parts.ts";
import type { TableReading } from "../../src/intake/table.ts";
import { readWorkbookLines } from "../../src/intake/workbook-lines.ts";
import { createRandom, type Random } from "../fuzz/random.ts";
import { textCell, writeWorkbook } from "../support/workbook.ts";
import { faultIn, numbers } from "./mutated-tables.ts";

function soundSheet(random: Random): string {
  const header = `<row r="1">${textCell("A1", "号码")}${textCell("B1", "失效日期")}</row>`;
  const rows = numbers.map((number, index) => {
    const at = index + 2;
    const isAmount = /^[1-9]\d+$/u.test(number) && random.once(2);
    const cell = isAmount ? `<c r="A${at}"><v>${number}</v></c>` : textCell(`A${at}`, number);
    return `<row r="${at}">${cell}<c r="B${at}" s="1"><v>46568</v></c></row>`;
  });
  return header + rows.join("");
}

/** Words that go in, anywhere in the XML of a sheet. None of them has a digit but those of places and styles. */
const strangers = [
  "<", ">", "</", "/>", "&", "&amp;", "&e;", "&#0;", '"', "<row>", "</row>", '<row r="3">', "<c>", "</c>", '<c r="A3">', "<v>", "</v>",
  "<is>", "</is>", "<t>", "</t>", "<f>A1</f>", "<!-- -->", "<![CDATA[", "]]>", "<?x?>", "\0", "\ufffd", "_x0000_", ' t="s"', ' t="b"', ' t="e"',
  ' t="d"', ' s="1"', ' s="-1"', "</sheetData>", "<sheetData>", "<mergeCell/>", '<dimension ref="A1:A2"/>', "\n",
]; // prettier-ignore

function damageSheet(xml: string, random: Random): string {
  let damaged = xml;
  for (let times = random.below(3); times > 0; times--) {
    // At a sign of markup, or within a tag: text that markup cuts in two is two texts.
    let at = damaged.indexOf(random.pick(["<", ">"]), random.below(damaged.length));
    if (damaged[at] === "<" && random.once(3)) at += random.below(damaged.indexOf(">", at) - at);
    if (at < 0) at = 0;
    damaged = damaged.slice(0, at) + random.pick(strangers) + damaged.slice(at);
  }
  return damaged;
}

/** Changes octets of the ZIP file; no other part has its check sum then. */
function damageFile(bytes: Buffer, random: Random): Buffer {
  const damaged = Buffer.from(bytes);
  for (let times = random.below(4); times > 0; times--)
    damaged[random.below(damaged.length)] = random.below(256);
  return random.once(8) ? damaged.subarray(0, random.below(damaged.length)) : damaged;
}

/** Megabytes: a process of {@link MOST_MEMORY} reads what people make, and grows no further. */
const MOST_MEMORY = 256;

/** Reads workbooks in a process of its own, in another one where the last one has ended. */
function createReader(): {
  readonly read: (bytes: Buffer) => Promise<TableReading>;
  readonly end: () => void;
} {
  let child: ChildProcess | undefined;
  let take: ((reading: TableReading) => void) | undefined;
  const start = (): ChildProcess =>
    fork(new URL("workbook-reader.js", import.meta.url), {
      execArgv: [`--max-old-space-size=${MOST_MEMORY}`],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    })
      .on("message", (said) => take?.(readWorkbookLines(typeof said === "string" ? said : "")))
      .on("exit", () => {
        child = undefined;
        take?.({ error: "it takes too much memory" });
      });
  return {
    read: async (bytes) =>
      new Promise((resolve) => {
        take = resolve;
        child ??= start();
        child.send(bytes);
      }),
    end: () => void child?.kill(),
  };
}

/** Reads damaged workbooks of all seeds. */
export function testDamagedWorkbooks(first: number, count: number): void {
  void t.test(`${count} damaged workbooks from seed ${first}`, async (t) => {
    let taken = 0;
    const reader = createReader();
    t.teardown(reader.end);
    for (let seed = first; seed < first + count; seed++) {
      const random = createRandom(seed);
      const bytes = writeWorkbook([{ name: "a", data: damageSheet(soundSheet(random), random) }]);
      const { fault, taken: rows } = faultIn(await reader.read(bytes));
      if (fault !== undefined) t.fail(`seed ${seed}: ${fault}`, { bytes: bytes.toString("base64") });
      taken += rows;
      const broken = damageFile(bytes, random);
      const unpacked = unpackWorkbook(broken);
      const sound = unpackWorkbook(bytes);
      if ("error" in unpacked || "error" in sound) continue;
      for (const [name, part] of unpacked.parts)
        if (sound.parts.get(name)?.equals(part) === false) t.fail(`seed ${seed}: ${name} is another part`);
    }
    t.ok(taken > count, `${taken} rows were taken`);
  });
}
