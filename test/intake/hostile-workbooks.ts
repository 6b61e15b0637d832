import { Buffer } from "node:buffer";
import t from "tap";
import { readTable } from "../../src/cli/intake/read-table.ts";
import { packParts, unpackWorkbook } from "../../src/cli/intake/workbook-parts.ts";
import { cleanList } from "../../src/intake/clean-list.ts";
import { textCell, writeWorkbook, zipOf } from "../support/workbook.ts";

async function read(bytes: Buffer): Promise<string> {
  const reading = await readTable(bytes, undefined);
  if ("error" in reading) return reading.error;
  const list = cleanList(reading.table, "86");
  if ("error" in list) return list.error;
  const issues = list.issues.map(({ place, message }) => `${place}: ${message}`);
  return [...list.rows.map(({ cells }) => cells.join(",")), ...issues].join("\n");
}

const header = `<row r="1">${textCell("A1", "number")}${textCell("B1", "valid_to")}</row>`;
const sound = writeWorkbook([{ name: "a", data: `${header}<row r="2">${textCell("A2", "95588")}</row>` }]);
const named = (size: number): string => " ".repeat(size);

/** Writes over the octets of a workbook: `at` from the last entry of its directory. */
function changed(at: number, octets: readonly number[]): Buffer {
  const bytes = Buffer.from(sound);
  Buffer.from(octets).copy(bytes, bytes.lastIndexOf("PK\u0001\u0002") + at);
  return bytes;
}

/** The parts of a workbook, with others besides. */
function withParts(parts: Readonly<Record<string, string>>): Buffer {
  return writeWorkbook([{ name: "a", data: header }], parts);
}

const filled = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, ""]));
/** A text that packs badly. */
function noise(size: number): string {
  let state = 1;
  return Array.from({ length: size }, () => {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    return String.fromCodePoint(32 + ((state >>> 16) % 64));
  }).join("");
}

void t.test("what a workbook may not be, and what it may just be", (t) => {
  const own = 6;
  const types = { "[Content_Types].xml": "<Types/>" };
  /** A part of 16 MiB that packs to about a hundredth. */
  const large = `${noise(128 << 10)}${" ".repeat((16 << 20) - (128 << 10))}`;
  const rows: readonly (readonly [name: string, bytes: Buffer, said: RegExp | undefined])[] = [
    ["sound", sound, undefined],
    ["its check sum changed", changed(16, [1]), /damaged: its check sum is wrong \("xl\/worksheets/],
    ["200 parts", withParts(filled(200 - own)), undefined],
    ["201 parts", withParts(filled(201 - own)), /it has 201 parts/],
    ["names that differ by case alone", withParts({ "XL/workbook.xml": "" }), /two of its parts have one name: "XL/],
    ["a name that leads out", withParts({ "../x.xml": "" }), /leads out of the workbook: "\.\.\/x\.xml"/],
    ["a name that leads out further in", withParts({ "xl/../../x.xml": "" }), /leads out/],
    ["a name from the root", withParts({ "/etc/x.xml": "" }), /leads out/],
    ["a name of another system", withParts({ "xl\\..\\x.xml": "" }), /leads out/],
    ["a name with a drive", withParts({ "c:x.xml": "" }), /leads out/],
    ["dots in a name", withParts({ "xl/..x.xml": "" }), undefined],
    ["a megabyte of spaces", zipOf({ ...types, x: named(1 << 20) }), undefined],
    ["a megabyte and an octet", zipOf({ ...types, x: named((1 << 20) + 1) }), /200 times as large/],
    ["64 MiB but for the types", zipOf({ ...types, a: large, b: large, c: large, d: large.slice(8) }), undefined],
    ["64 MiB and the types", zipOf({ ...types, a: large, b: large, c: large, d: large }), /more than 64 MiB/],
    ["another ZIP file inside", withParts({ "xl/media/a.zip": zipOf({ x: named(1 << 20) }).toString("latin1") }), undefined],
    ["a ZIP file alone", zipOf({ "a.xlsx": "x" }), /a ZIP file with something else in it/],
    ["OpenDocument", zipOf({ mimetype: "x", "content.xml": "" }), /\.ods\); save it as \.xlsx/],
    ["binary parts", zipOf({ ...types, "xl/workbook.bin": "" }), /\.xlsb\); save it as \.xlsx/],
    ["a type definition", withParts({ "xl/theme/theme1.xml": "<!DOCTYPE a><a/>" }), /document type definition.*theme1/],
    ["a comment beside the cells", withParts({ "xl/theme/theme1.xml": "<!-- a --><a/>" }), undefined],
    ["the last of two directories", Buffer.concat([sound, sound.subarray(sound.lastIndexOf("PK\u0005\u0006"))]), undefined],
  ]; // prettier-ignore
  for (const [name, bytes, said] of rows) {
    const unpacked = unpackWorkbook(bytes);
    if (said === undefined) t.equal("error" in unpacked ? unpacked.error : "", "", name);
    else t.match("error" in unpacked ? unpacked.error : "taken", said, name);
  }
  const unpacked = unpackWorkbook(sound);
  const again = "error" in unpacked ? unpacked : unpackWorkbook(packParts(unpacked.parts));
  t.same(again, unpacked, "parts that are packed again are the same parts");
  t.end();
});

void t.test("parts stand in each other", (t) => {
  const twoParts = zipOf({ "[Content_Types].xml": "<Types/>", "a.xml": `PK\u0003\u0004${noise(200)}` });
  const inner = Buffer.from(twoParts);
  // The second part is stored, and the third entry of the directory begins within it.
  const at = inner.lastIndexOf("PK\u0001\u0002") + 42;
  inner.writeUInt32LE(inner.readUInt32LE(at) + 1, at);
  t.match(unpackWorkbook(inner), { error: /missing or cut off/ }, "no part begins there");
  const over = Buffer.from(twoParts);
  over.writeUInt32LE(
    over.readUInt32LE(over.indexOf("PK\u0001\u0002") + 20) + 40,
    over.indexOf("PK\u0001\u0002") + 20,
  );
  t.match(
    unpackWorkbook(over),
    { error: /two of its parts stand at one place/ },
    "the first reaches into the second",
  );
  t.end();
});

void t.test("a part that the directory does not name is not read", async (t) => {
  // Readers that follow the local headers would find the second sheet.
  const other = zipOf({
    "xl/worksheets/sheet0.xml": `<worksheet><sheetData>${header}<row r="2">${textCell("A2", "95599")}</row></sheetData></worksheet>`,
  });
  const hidden = other.subarray(0, other.indexOf("PK\u0001\u0002"));
  const directory = Buffer.from(sound.subarray(sound.indexOf("PK\u0001\u0002")));
  const end = directory.lastIndexOf("PK\u0005\u0006");
  directory.writeUInt32LE(sound.indexOf("PK\u0001\u0002") + hidden.length, end + 16);
  const files = sound.subarray(0, sound.indexOf("PK\u0001\u0002"));
  t.equal(await read(Buffer.concat([files, hidden, directory])), "95588,");
});

const cell = (xml: string): string => `${header}<row r="2">${xml}</row>`;
const day = '<c r="B2" s="1"><v>46568</v></c>';

/** What is read of a cell, or a part of the words that refuse the workbook. */
const cells: readonly (readonly [name: string, data: string, said: string | RegExp, more?: Record<string, string>])[] = [
  ["a text", cell(textCell("A2", "95588")), "95588,"],
  ["a comment in a number", cell(textCell("A2", "95<!-- -->588")), /comments or instructions among its cells/],
  ["CDATA in a number", cell(textCell("A2", "<![CDATA[95]]>588")), /comments or instructions/],
  ["an instruction in a number", cell(textCell("A2", "95<?x?>588")), /comments or instructions/],
  ["an entity without definition", cell(textCell("A2", "95&e;588")), /A2: not a number/],
  ["entities of XML", cell(textCell("A2", "&#57;5588")), "95588,"],
  ["text in several fonts", cell('<c r="A2" t="inlineStr"><is><r><t>955</t></r><r><t>88</t></r></is></c>'), "95588,"],
  ["how it is pronounced", cell('<c r="A2" t="inlineStr"><is><t>95588</t><rPh sb="0" eb="1"><t>1</t></rPh></is></c>'), "95588,"],
  ["a formula without a value", cell('<c r="A2"><f>95588</f></c>'), "no row"],
  ["a formula with its value", cell('<c r="A2" t="str"><f>95500+99</f><v>95588</v></c>'), "95588,"],
  ["a shared text that is not there", cell('<c r="A2" t="s"><v>7</v></c>'), /cell A2 is damaged \(VALUE_INVALID\)/],
  ["a style that is not there", cell('<c r="A2" s="9"><v>95588</v></c>'), /can't be read as a workbook/],
  ["a cell without a place", cell('<c t="inlineStr"><is><t>95588</t></is></c>'), /can't be read as a workbook/],
  ["a cell twice", cell(`${textCell("A2", "95588")}${textCell("A2", "95599")}`), /can't be read as a workbook/],
  ["a day", cell(textCell("A2", "95588") + day), "95588,2027-06-30"],
  [
    "a day of a workbook that counts from 1904",
    cell(textCell("A2", "95588") + day.replace("46568", "45106")),
    "95588,2027-06-30",
    { "xl/workbook.xml": '<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="a" sheetId="1" r:id="s0"/></sheets></workbook>' },
  ],
  ["a day in words of ISO 8601", cell(`${textCell("A2", "95588")}<c r="B2" t="d"><v>2027-06-30</v></c>`), "95588,2027-06-30"],
  ["a day with midnight", cell(`${textCell("A2", "95588")}<c r="B2" t="d"><v>2027-06-30T00:00:00</v></c>`), "95588,2027-06-30"],
  ["names with a prefix", cell(textCell("A2", "95588")).replaceAll(/<(\/?)(\w+)/g, "<$1x:$2"), "95588,"],
  ["a cell far to the right", cell(`${textCell("A2", "95588")}${textCell("XFD2", "x")}`), "95588,"],
  [
    "entities in entities",
    "",
    /document type definition/,
    { "xl/worksheets/sheet0.xml": `<!DOCTYPE l [<!ENTITY a "9"><!ENTITY b "&a;&a;&a;&a;">]><worksheet><sheetData>${cell(textCell("A2", "&b;"))}</sheetData></worksheet>` },
  ],
  ["a sheet that is not there", cell(textCell("A2", "95588")), /can't be read as a workbook|no sheet has a row/, { "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="s0" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/none.xml"/></Relationships>' }],
  ["a sheet in UTF-16", "", /can't be read as a workbook|no sheet has a row/, { "xl/worksheets/sheet0.xml": `\ufeff${cell("")}`.split("").join("\0") }],
]; // prettier-ignore

void t.test("cells", async (t) => {
  for (const [name, data, said, more] of cells) {
    const told = await read(writeWorkbook([{ name: "a", data }], more));
    if (said === "no row") t.match(told, /^$|number is missing/, name);
    else if (typeof said === "string") t.equal(told, said, name);
    else t.match(told, said, name);
  }
});
