import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import Papa from "papaparse";
import t from "tap";
import {
  categoryOf,
  createIsupMessage,
  findParameter,
  IsupParameter,
  IsupType,
  readIsup,
} from "../../src/ss7/isup.ts";
import { readCalled, readNumber, type DecodedNumber } from "../../src/ss7/isup-number.ts";

/** Columns of the reference table; its source is told in NOTICE. */
type Row = Readonly<
  Record<
    | "id"
    | "variant"
    | "origin"
    | "hex_from_cic"
    | "called"
    | "called_noa"
    | "calling"
    | "calling_noa"
    | "first_apri"
    | "first_si"
    | "generic_number"
    | "redirecting"
    | "original_called",
    string
  >
>;

const { data: rows } = Papa.parse<Row>(
  readFileSync("test/ss7/isup-iam-vectors.csv", "utf8").replaceAll("\r\n", "\n"),
  { header: true, skipEmptyLines: true },
);

const message = createIsupMessage();

function optional(code: number, skip = 0): DecodedNumber | undefined {
  const i = findParameter(message, code);
  if (i < 0) return undefined;
  const number = readNumber(message.bytes, message.optionalStart[i]! + skip, message.optionalEnd[i]!);
  return typeof number === "string" ? undefined : number;
}

void t.test("the reference IAMs, every column", (t) => {
  t.equal(rows.length, 19);
  for (const row of rows) {
    const bytes = Buffer.from(row.hex_from_cic, "hex");
    const variant = row.variant === "ANSI" ? "ansi" : "itu";
    t.ok(readIsup(message, variant, bytes, 2, bytes.length), `${row.id}: ${message.fault}`);
    t.equal(message.type, IsupType.iam, row.id);
    t.equal(categoryOf(message), 10, row.id);
    const read = readCalled(bytes, message.variableStart, message.variableEnd);
    const called = typeof read === "string" ? undefined : read;
    const calling = optional(IsupParameter.callingPartyNumber);
    t.same(
      {
        called: called?.digits ?? "",
        called_noa: String(called?.nature ?? ""),
        calling: calling?.digits ?? "",
        calling_noa: String(calling?.nature ?? ""),
        first_apri: String(calling?.presentation ?? ""),
        first_si: String(calling?.screening ?? ""),
        generic_number: optional(IsupParameter.genericNumber, 1)?.digits ?? "",
        redirecting: optional(IsupParameter.redirectingNumber)?.digits ?? "",
        original_called: optional(IsupParameter.originalCalledNumber)?.digits ?? "",
      },
      {
        called: row.called,
        called_noa: row.called_noa,
        calling: row.calling,
        calling_noa: row.calling_noa,
        first_apri: row.first_apri,
        first_si: row.first_si,
        generic_number: row.generic_number,
        redirecting: row.redirecting,
        original_called: row.original_called,
      },
      `${row.id} ${row.origin}`,
    );
  }
  t.end();
});

void t.test("the reference IAMs, cut anywhere, are no messages", (t) => {
  for (const { id, variant, hex_from_cic } of rows) {
    const bytes = Buffer.from(hex_from_cic, "hex");
    const layout = variant === "ANSI" ? "ansi" : "itu";
    for (let end = 2; end < bytes.length; end++) {
      // The capture is longer than the message: nothing behind its end may be looked at.
      t.notOk(readIsup(message, layout, bytes, 2, end), `${id} cut at ${end}`);
      t.not(message.fault, undefined);
    }
  }
  t.end();
});
