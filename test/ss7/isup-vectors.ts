import type { AssertedIdentity } from "../../src/domain/identity.ts";
import {
  categoryOf,
  createIsupMessage,
  type IsupLayout,
  type IsupMessage,
  type IsupVariant,
  isSegmented,
  readIsup,
} from "../../src/ss7/isup.ts";
import { readParties } from "../../src/ss7/isup-identity.ts";
import { readCalled, readNumber, readSubsequent } from "../../src/ss7/isup-number.ts";
import { describeNumber, planOf } from "../numbering/reading.ts";
import { type Findings, refuseVector, type Vector } from "../support/literate-vector.ts";
import { octetsOf, quote, quoteOctets } from "../support/vector-octets.ts";

/** The message of a vector, from its message type on. */
function readMessage(vector: Vector, form: IsupVariant | IsupLayout): IsupMessage {
  const bytes = octetsOf(vector);
  const message = createIsupMessage();
  if (readIsup(message, form, bytes, 0, bytes.length) !== (message.fault === undefined))
    return refuseVector(vector, "a fault without words");
  return message;
}

/** `isup`: an ISUP message from its type on. Options: `itu` or `ansi`; `open` where the end of the optional part may be missing. */
function readIsupVector(vector: Vector): Findings {
  const [variant = "itu", open, more] = vector.options;
  if ((variant !== "itu" && variant !== "ansi") || (open ?? "open") !== "open" || more !== undefined)
    return refuseVector(vector, "options are not one of itu, ansi, and open");
  const message = readMessage(vector, open === undefined ? variant : { variant, endMayBeMissing: true });
  const { bytes, variableStart, variableEnd } = message;
  const findings = new Map([
    ["fault", message.fault ?? "none"],
    ["type", message.type < 0 ? "none" : String(message.type)],
    ["variable", variableStart < 0 ? "none" : quoteOctets(bytes, variableStart, variableEnd)],
  ]);
  if (message.optionalCount === 0) findings.set("optional", "none");
  for (let i = 0; i < message.optionalCount; i++) {
    const content = quoteOctets(bytes, message.optionalStart[i]!, message.optionalEnd[i]!);
    findings.set(`optional[${i}]`, `code ${message.optionalCode[i]} ${content}`);
  }
  const category = categoryOf(message);
  findings.set("category", category < 0 ? "none" : String(category));
  return findings.set("segmented", isSegmented(message) ? "yes" : "no");
}

/** `number`: the content of a number parameter. Option: `calling` (also generic and redirecting), `called` or `subsequent`. */
function readNumberVector(vector: Vector): Findings {
  const [party = "calling", more] = vector.options;
  const bytes = octetsOf(vector);
  if (more !== undefined) return refuseVector(vector, "more than one option");
  if (party === "subsequent") {
    const read = readSubsequent(bytes, 0, bytes.length);
    if (typeof read === "string") return new Map([["fault", read]]);
    return new Map([
      ["fault", "none"],
      ["digits", quote(read.digits)],
    ]);
  }
  if (party !== "calling" && party !== "called")
    return refuseVector(vector, "options are not one of calling, called, subsequent");
  const number = (party === "calling" ? readNumber : readCalled)(bytes, 0, bytes.length);
  if (typeof number === "string") return new Map([["fault", number]]);
  const findings = new Map([["fault", "none"]]);
  for (const [key, value] of Object.entries({ ...number })) {
    const said = typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
    findings.set(key, key === "digits" ? quote(said) : said);
  }
  return findings;
}

/** `calling: +861087654321 fixed, allowed, screening 3`. */
function sayParty({ source, number, presentation, screening }: AssertedIdentity): string {
  const checked = screening === undefined ? "" : `, screening ${screening}`;
  return `${source}: ${describeNumber(number)}, ${presentation}${checked}`;
}

/** `parties`: an ISUP message, and whom it names. Option: the trunk, `domestic:10` or `intl`. */
function readPartiesVector(vector: Vector): Findings {
  const [trunk = "domestic:10", more] = vector.options;
  if ((trunk !== "domestic:10" && trunk !== "intl") || more !== undefined)
    return refuseVector(vector, "options are not one of domestic:10, intl");
  const message = readMessage(vector, "itu");
  if (message.fault !== undefined) return refuseVector(vector, message.fault);
  const parties = readParties(message, planOf(trunk), trunk === "intl");
  if (typeof parties === "string") return new Map([["fault", parties]]);
  const { calling, names, diversion, called, natureOfAddress, screening } = parties;
  const findings = new Map([["fault", "none"]]);
  if (calling.length === 0) findings.set("calling", "none");
  for (const [i, party] of calling.entries()) findings.set(`calling[${i}]`, sayParty(party));
  if (names.length === 0) findings.set("name", "none");
  for (const [i, { source, display, presentation }] of names.entries())
    findings.set(`name[${i}]`, `${source}: ${quote(display)}, ${presentation}`);
  if (diversion.length === 0) findings.set("diverting", "none");
  for (const [i, party] of diversion.entries()) findings.set(`diverting[${i}]`, sayParty(party));
  findings.set("called", called === undefined ? "none" : describeNumber(called));
  findings.set("nature", natureOfAddress === undefined ? "none" : String(natureOfAddress));
  return findings.set("screening", screening === undefined ? "none" : String(screening));
}

/** `isup`, `number`, `parties`. */
export const isupKinds = {
  isup: readIsupVector,
  number: readNumberVector,
  parties: readPartiesVector,
} as const;
