import * as fc from "fast-check";
import t from "tap";
import type { PartyNumber } from "../../src/domain/number.ts";
import {
  readCalledNumber,
  readIsupCalledNumber,
  readIsupNumber,
  readListNumber,
  readSipNumber,
} from "../../src/numbering/e164.ts";
import { readListEntry } from "../../src/numbering/list-entry.ts";
import { planOf } from "./reading.ts";

const plans = [
  planOf("intl"),
  planOf("domestic"),
  planOf("domestic:10"),
  planOf("domestic:351"),
  planOf("domestic:10", { tolerateTrunkZero: true, stripTrailingST: true }),
  planOf("intl", { bareForm: "e164" }),
];

function textOf(pieces: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...pieces), { minLength, maxLength }).map((chosen) => chosen.join(""));
}

const digits = "0123456789".split("");
const beginnings = ["", "+", "00", "0", "86", "+86", "0086", "+860", "%2B86", "(+86)"];
const blocks = [
  "",
  "10",
  "351",
  "755",
  "851",
  "951",
  "139",
  "1440",
  "106",
  "955",
  "400",
  "110",
  "1",
  "44",
  "49",
  "852",
];
const endings = [
  "",
  "",
  "",
  "F",
  "%00",
  ";phone-context=+86",
  ";phone-context=+8610",
  ";phone-context=evil",
  ";rn=+1",
  ";",
];
const shapes = [
  ...digits,
  ...blocks,
  ...endings,
  "+",
  "-",
  ".",
  "(",
  ")",
  ":",
  "@",
  "=",
  "#",
  "%25",
  "%",
  "１",
];

/** The beginning of a number, and how many digits it lacks: give or take one. */
const unfinished: readonly (readonly [string, number])[] = [
  ["108", 7],
  ["7558", 7],
  ["3512", 6],
  ["9512", 6],
  ["139", 8],
  ["1440", 9],
  ["106", 7],
  ["955", 2],
  ["0755955", 2],
  ["44", 10],
  ["852", 8],
];
const nearNumber = fc
  .tuple(fc.constantFrom(...unfinished), fc.constantFrom(-1, 0, 0, 0, 1))
  .chain(([[beginning, lacks], more]) =>
    textOf(digits, lacks + more, lacks + more).map((rest) => beginning + rest),
  );

/** Near numbers first, so that the far branches are reached; then anything at all. */
const userPart = fc.oneof(
  fc
    .tuple(fc.constantFrom(...beginnings), nearNumber, fc.constantFrom(...endings))
    .map((pieces) => pieces.join("")),
  textOf(shapes, 0, 24),
  fc.string({ unit: "binary" }),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

/** A number that keeps the promises of its kind. */
function isSound(number: PartyNumber, user: string): boolean {
  if (number.raw !== user.split(";")[0]) return false;
  if (number.kind === "unusable") return true;
  const written = number.kind === "e164" ? number.e164 : number.code.replace("+", "");
  if (!/^[1-9]\d{2,14}$/.test(written)) return false;
  if (number.kind === "e164" && number.class !== "area+95/96")
    return number.key === Number(written) && written.length >= 4;
  // The key of a code is the code alone, whatever stands before it.
  return number.key < 0 && written.endsWith(String(-number.key));
}

void t.test(
  "any string can be read; what comes out is a number of 4 to 15 digits, and reads as itself",
  (t) => {
    let readable = 0;
    fc.assert(
      fc.property(userPart, fc.constantFrom(...plans), (user, plan) => {
        const number = readSipNumber(user, plan);
        if (!isSound(number, user) || !isSound(readCalledNumber(user, plan), user)) return false;
        if (number.kind !== "e164") return true;
        readable++;
        const again = readSipNumber(`+${number.e164}`, plan);
        return again.kind === "e164" && again.e164 === number.e164 && again.class === number.class;
      }),
      { numRuns: 20_000, seed: 20_261_003 },
    );
    t.ok(readable > 500, `${readable} strings were numbers`);
    t.end();
  },
);

void t.test("plain digits take the short way to the same reading as the long way", (t) => {
  fc.assert(
    fc.property(
      fc.boolean(),
      textOf([...digits, "86", "010", "139"], 1, 16),
      fc.constantFrom(...plans),
      (plus, text, plan) => {
        const plain = readSipNumber((plus ? "+" : "") + text, plan);
        const spelled = readSipNumber(`${plus ? "+" : ""}(${text})`, plan);
        return JSON.stringify({ ...plain, raw: "" }) === JSON.stringify({ ...spelled, raw: "" });
      },
    ),
    { numRuns: 5_000, seed: 20_261_003 },
  );
  t.end();
});

void t.test("any ISUP parameter and any list cell can be read", (t) => {
  fc.assert(
    fc.property(
      textOf([...digits, "A", "E", "F", ...blocks], 0, 16),
      fc.integer({ min: 0, max: 127 }),
      fc.integer({ min: 0, max: 7 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom(...plans),
      (signals, nature, plan, incomplete, presentation, dialPlan) => {
        const raw = signals.endsWith("F") ? signals.slice(0, -1) : signals;
        const calling = readIsupNumber({ digits: signals, nature, plan, incomplete, presentation }, dialPlan);
        return (
          isSound(calling, raw) &&
          isSound(readIsupCalledNumber({ digits: signals, nature, plan }, dialPlan), raw)
        );
      },
    ),
    { numRuns: 5_000, seed: 20_261_003 },
  );
  fc.assert(
    fc.property(userPart, (text) => {
      const entry = readListEntry(text);
      return (
        (typeof readListNumber(text) === "string") ===
          (typeof entry === "string" || entry.kind !== "exact") || text.trim() !== text
      );
    }),
    { numRuns: 5_000, seed: 20_261_003 },
  );
  t.end();
});
