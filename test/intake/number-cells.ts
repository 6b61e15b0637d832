import t from "tap";
import { cleanNumber } from "../../src/intake/number-cell.ts";
import type { Cell } from "../../src/intake/table.ts";

/** What a cell of the numbers becomes: the number and what was changed, or a part of the words that refuse it. */
const rows: readonly (readonly [name: string, cell: Cell, wanted: string | RegExp])[] = [
  ["as a list has it", "+861087654321", "+861087654321"],
  ["national", "057187000000", "057187000000"],
  ["separators stay: a list may have them", "0571-87000000", "0571-87000000"],
  ["a code", "95588", "95588"],
  ["a prefix", "+8610876543*", "+8610876543*"],
  ["a range", "+861087654300..+861087654399", "+861087654300..+861087654399"],
  ["spaces around", "  057187000000 ", "057187000000"],
  ["the text mark of a formula", '="057187000000"', "057187000000 text-mark"],
  ["the text mark of a cell", "'057187000000", "057187000000 text-mark"],
  ["an apostrophe inside is no mark", "0571'87000000", /not a number/],
  ["full-width digits", "０５７１８７０００００１", "057187000001 width"],
  ["full-width plus sign", "＋８６１０８７６５４３２１", "+861087654321 width"],
  ["full-width text mark", "＝＂057187000000＂", /not a number/],
  ["a mark that phones copy", "\u202a057187000000\u202c", "057187000000 invisible"],
  ["a tab inside", "0571\t87000000", "057187000000 invisible"],
  ["two lines", "10086\n10010", /several lines/],
  ["two lines of an old Mac", "10086\r10010", /several lines/],
  ["half a range", "01087654300.", /begins or ends with a separator/],
  ["the other half", ".01087654399", /begins or ends with a separator/],
  ["two numbers", "057187000000/057187000001", /write one number or range a row/],
  ["two numbers in Chinese", "057187000000、057187000001", /write one number or range a row/],
  ["half a range behind dots", "057187000000..29", /with both ends in full/],
  ["an O for a 0", "0571-8700000O", /it has the letter O/],
  ["a raised digit is no digit", "95588\u00b9", /not a|no number/],
  ["a digit in a circle is no digit", "9558\u2468", /special characters/],
  ["half a digit more", "95588\u00bd", /not a|no number/],
  ["Arabic digits", "\u0669\u0665\u0665\u0668\u0668", /not a number/],
  ["the wide space around", "\u3000057187000000\u3000", "057187000000"],
  ["the wide space inside", "0571\u300087000000", "0571 87000000 width"],
  ["a range with a hyphen", "057187000000-057187000029", "057187000000..057187000029 range"],
  ["a range with spaces and a dash", "057187000000 – 057187000029", "057187000000..057187000029 range"],
  ["a range with a tilde", "057187000000~057187000029", "057187000000..057187000029 range"],
  ["a range in Chinese", "057187000000至057187000029", "057187000000..057187000029 range"],
  [
    "a range in full width",
    "０５７１８７００００００－０５７１８７００００２９",
    "057187000000..057187000029 width range",
  ],
  ["a range of codes", "95588-95599", "95588..95599 range"],
  ["ends of unequal length: an extension or a short end", "057187000000-29", /both ends in full/],
  ["a range that ends before it begins", "057187000029-057187000000", /ends before it begins/],
  ["a range with area codes apart", "0571-87000000-0571-87000029", /not|no rule|unallocated/],
  ["digits are lost", "1.08E+11", /digits are lost/],
  ["digits are lost, comma", "1,08E+11", /digits are lost/],
  ["an amount", "57187000000.00", /took it for an amount/],
  ["an amount of the type number", 13800138000, "13800138000 digits"],
  ["a code of the type number", 95588, "95588 digits"],
  ["the zero is lost in a number", 57187000044, "57187000044 digits"],
  ["the zero is lost in a text", "57187000044", "57187000044"],
  ["digits of a number are lost", 1.234567890123e19, /behind the fifteenth/],
  ["the last number that is kept whole", 999_999_999_999_999, /not a valid number/],
  ["a fraction", 13800138000.5, /no telephone number/],
  ["a negative number", -13800138000, /no telephone number/],
  ["no number at all", Number.NaN, /no telephone number/],
  ["a date", new Date(0), /a date here/],
  ["a truth value", true, /a truth value here/],
  ["nothing", undefined, /missing/],
  ["a mark alone", "'", /missing/],
  ["a text without end", "1".repeat(100_000), /too many/],
  ["a name", "总机", /not a number/],
];

void t.test("number cells", (t) => {
  for (const [name, cell, wanted] of rows) {
    const read = cleanNumber(cell, "86");
    if (typeof wanted === "string")
      t.equal("error" in read ? read.error : [read.number, ...read.changes].join(" "), wanted, name);
    else t.match("error" in read ? read.error : `${read.number} was taken`, wanted, name);
  }
  t.end();
});
