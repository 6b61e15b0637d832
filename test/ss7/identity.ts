import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
import { formatNumber, type PartyNumber } from "../../src/domain/number.ts";
import { createIsupMessage, readIsup } from "../../src/ss7/isup.ts";
import { readParties } from "../../src/ss7/isup-identity.ts";
import { planOf } from "../numbering/reading.ts";

const message = createIsupMessage();

function say(number: PartyNumber): string {
  return formatNumber(number) ?? (number.kind === "unusable" ? `${number.why} (${number.detail})` : "");
}

/** The parties of a message on a trunk in Beijing, or abroad; callers, then diverting parties. */
function parties(isup: Buffer, context = "domestic:10"): string {
  if (!readIsup(message, "itu", isup, 0, isup.length)) return message.fault ?? "";
  const read = readParties(message, planOf(context));
  if (typeof read === "string") return read;
  const named = [...read.calling, ...read.diversion].map(({ source, number, presentation, screening }) => {
    const mark = presentation === "allowed" ? "" : ` ${presentation}`;
    const checked = screening === undefined || screening === 3 ? "" : ` si${screening}`;
    return `${source.replace("isup-", "")} ${say(number)}${mark}${checked}`;
  });
  return named.join("; ");
}

void t.test("who calls, by an IAM", (t) => {
  const rows: readonly (readonly [what: string, text: string, said: string, context?: string])[] = [
    ["national", "calling=3:1087654321", "calling-party +861087654321"],
    ["with the end of pulsing", "calling=3:1087654321F", "calling-party +861087654321"],
    ["subscriber", "calling=1:87654321", "calling-party +861087654321"],
    ["international", "calling=4:14155550123", "calling-party +14155550123"],
    ["a code", "calling=3:95588", "calling-party 95588"],
    ["none", "", ""],
    [
      "near miss: a zero too many",
      "calling=3:01087654321",
      "calling-party invalid (national with leading 0)",
    ],
    ["near miss: two ends", "calling=3:1087654321FF", "calling-party invalid (code 10-15 digit)"],
    ["code 11", "calling=3:10876543B1", "calling-party invalid (code 10-15 digit)"],
    ["a network's own nature", "calling=5:1087654321", "calling-party invalid (NoA 5)"],
    ["incomplete", "calling=3:1087654321/incomplete", "calling-party invalid (incomplete)"],
    [
      "restricted: known all the same",
      "calling=3:1087654321/restricted",
      "calling-party +861087654321 restricted",
    ],
    ["restricted without digits", "calling=0:/restricted", "calling-party restricted (APRI=1) restricted"],
    [
      "restricted nonsense",
      "calling=3:0/restricted",
      "calling-party invalid (national with leading 0) restricted",
    ],
    ["unavailable", "calling=0:/unavailable", "calling-party unavailable (APRI=2) unavailable"],
    ["not verified", "calling=3:1087654321/si0", "calling-party +861087654321 si0"],
    ["verified", "calling=3:1087654321/si1", "calling-party +861087654321 si1"],
    ["verification failed", "calling=3:1087654321/si2", "calling-party invalid (screening failed) si2"],
    [
      "near miss: failed, and unavailable",
      "calling=0:/unavailable/si2",
      "calling-party unavailable (APRI=2) unavailable si2",
    ],
    [
      "subscriber from abroad",
      "calling=1:87654321",
      "calling-party invalid (subscriber NoA on intl)",
      "intl",
    ],
    [
      "another number shown",
      "calling=4:14155550123 generic=3:95588/si0",
      "calling-party +14155550123; generic-number 95588 si0",
    ],
    [
      "two more",
      "generic=4:14155550123 generic=3:95588",
      "generic-number +14155550123; generic-number 95588",
    ],
    [
      "diverted",
      "calling=3:1087654321 redirecting=3:1087654322 redirection=0311 original=3:1087654323",
      "calling-party +861087654321; redirecting-number +861087654322; original-called-number +861087654323",
    ],
    [
      "diverted by whom it doesn't say",
      "calling=3:1087654321 redirection=0311",
      "calling-party +861087654321; redirecting-number empty (no redirecting number) unavailable",
    ],
    ["near miss: not diverted", "calling=3:1087654321 redirection=0000", "calling-party +861087654321"],
    [
      "only who diverted first",
      "original=3:1087654323",
      "redirecting-number empty (no redirecting number) unavailable; original-called-number +861087654323",
    ],
    [
      "diverted secretly",
      "redirecting=3:1087654322/restricted",
      "redirecting-number +861087654322 restricted",
    ],
    [
      "spare bits of a diverting number",
      "redirecting=3:1087654322/si2/incomplete",
      "redirecting-number +861087654322",
    ],
  ];
  for (const [what, text, said, context] of rows)
    t.equal(parties(encodeIsup(`IAM called=3:2787654321 ${text}`.trim()), context), said, what);
  t.end();
});

/** An IAM with these optional parameters, in hex. */
function iamOf(optional: string): Buffer {
  return Buffer.from(`010060010a000204020310${optional.replaceAll(" ", "")}00`, "hex");
}

void t.test("numbers as octets: halves, fillers, qualifiers, lengths", (t) => {
  const rows: readonly (readonly [what: string, optional: string, said: string])[] = [
    ["even", "0a 07 0313 0178563412", "calling-party +861087654321"],
    ["odd", "0a 08 8313 319321436507", "calling-party +8613391234567"],
    ["odd code", "0a 05 8313 595508", "calling-party 95558"],
    ["a filler that is not 0", "0a 05 8313 595518", "calling-party invalid (filler)"],
    ["one octet", "0a 01 03", "the calling party number is cut short"],
    ["no octet", "0a 00", "the calling party number is cut short"],
    ["more than any number has", `0a 23 0313 ${"11".repeat(33)}`, "the calling party number is too long"],
    ["near miss: most", `0a 22 0313 ${"11".repeat(32)}`, "calling-party invalid (86 + unallocated)"],
    ["generic number with its qualifier alone", "c0 01 06", "a generic number is cut short"],
    ["generic number, more than any has", `c0 24 06 0313 ${"11".repeat(33)}`, "a generic number is too long"],
    [
      "redirecting number, more than any has",
      `0b 23 0313 ${"11".repeat(33)}`,
      "the redirecting number is too long",
    ],
    [
      "original called number, more than any has",
      `28 23 0313 ${"11".repeat(33)}`,
      "the original called number is too long",
    ],
    ["qualifier 2", "c0 06 02 8313 595508", "generic-number 95558"],
    ["qualifier 5: the connected number", "c0 06 05 8313 595508", ""],
    ["qualifier 0: the dialled number", "c0 06 00 8313 595508", ""],
    ["redirecting number cut short", "0b 01 03", "the redirecting number is cut short"],
    ["original called number cut short", "28 00", "the original called number is cut short"],
    ["redirection information without octets", "13 00", ""],
    ["nine generic numbers", "c0 03 06 0010".repeat(9), "more than 8 generic numbers"],
    ["another plan", "0a 07 0323 0178563412", "calling-party invalid (NPI)"],
    ["reserved presentation", "0a 07 031f 0178563412", "calling-party invalid (APRI reserved)"],
  ];
  for (const [what, optional, said] of rows) t.equal(parties(iamOf(optional)), said, what);
  t.end();
});

void t.test("callers that come later", (t) => {
  t.equal(parties(encodeIsup("INF calling=3:1087654321")), "calling-party +861087654321");
  t.equal(parties(encodeIsup("SGM generic=3:95588")), "generic-number 95588");
  t.equal(parties(encodeIsup("REL cause=16")), "");
  t.equal(parties(Buffer.from("010060010a00020401031000", "hex")), "the called party number is cut short");
  const long = Buffer.from(`010060010a00020023 0310${"11".repeat(33)}`.replace(" ", ""), "hex");
  t.equal(parties(long), "the called party number is too long");
  t.end();
});

/** How many callers a generic number with this qualifier makes. */
function callersWith(qualifier: number, doubtful: boolean): number {
  const isup = encodeIsup(`IAM called=3:2787654321 generic=3:1087654321/q${qualifier}`);
  readIsup(message, "itu", isup, 0, isup.length);
  const read = readParties(message, planOf("domestic:10"), doubtful);
  return typeof read === "string" ? -1 : read.calling.length;
}

void t.test("generic numbers whose qualifier no standard knows", (t) => {
  for (let qualifier = 0; qualifier < 256; qualifier++) {
    const isCaller = [2, 3, 6, 10].includes(qualifier);
    const isAnother = [0, 1, 4, 5, 7, 8, 9].includes(qualifier);
    t.equal(callersWith(qualifier, false), isCaller ? 1 : 0, `${qualifier}`);
    t.equal(callersWith(qualifier, true), isAnother ? 0 : 1, `${qualifier}, where nothing is agreed`);
  }
  t.end();
});

void t.test("the category of the caller", (t) => {
  const rows: readonly (readonly [category: number, privilege: string | undefined])[] = [
    [0x00, undefined],
    [0x01, "operator"],
    [0x08, "operator"],
    [0x09, "operator"],
    [0x0a, undefined],
    [0x0b, "priority"],
    [0x0c, undefined],
    [0x0d, "test"],
    [0x0e, "ieps"],
    [0x0f, undefined],
    [0x10, undefined],
    [0x11, undefined],
    [0x12, "0x12"],
    [0x80, "0x80"],
    [0xe0, "0xe0"],
    [0xf0, undefined],
    [0xf3, undefined],
    [0xf4, "0xf4"],
    [0xff, "0xff"],
  ];
  for (const [category, privilege] of rows) {
    const isup = encodeIsup(`IAM called=3:2787654321 calling=3:1087654321 category=${category}`);
    readIsup(message, "itu", isup, 0, isup.length);
    const read = readParties(message, planOf("domestic:10"));
    t.equal(typeof read === "string" ? read : read.privilege, privilege, String(category));
  }
  const inf = encodeIsup("INF calling=3:1087654321");
  readIsup(message, "itu", inf, 0, inf.length);
  const read = readParties(message, planOf("domestic:10"));
  t.equal(typeof read === "string" ? read : read.privilege, undefined, "an INF has none");
  t.end();
});
