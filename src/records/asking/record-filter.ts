// What is asked of records: which lines are meant, as a value, and whether a line is one of them.
import type { Millis } from "../../domain/time.ts";
import { isFields, objectsIn } from "../lines/line-fields.ts";
import { readListNumber } from "../../numbering/e164.ts";
import { isPlainNumber } from "../../numbering/sip-user.ts";
import { formatNumber } from "../../domain/number.ts";

/** A record line as it was read: nothing is known of its fields but the kind and the time. */
export interface ReadLine {
  readonly record: string;
  readonly time: string;
  readonly [field: string]: unknown;
}

/** A party that is asked for: by number, or by the text that stood in the message. */
export type PartyAsked =
  | {
      readonly kind: "number";
      /** Every way in which record lines write it. */
      readonly forms: readonly string[];
      /** A code, which may stand behind an area code too; undefined: a number. */
      readonly code: string | undefined;
    }
  | { readonly kind: "raw"; readonly text: string };

/** Which lines are meant. What is left out makes no difference. */
export interface RecordFilter {
  /** Values of `record`. */
  readonly kinds: readonly string[];
  /** First moment, inclusive, and last one, exclusive. */
  readonly from?: Millis | undefined;
  readonly to?: Millis | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly callId?: string | undefined;
  readonly caller?: PartyAsked | undefined;
  readonly called?: PartyAsked | undefined;
  readonly trunk?: string | undefined;
  readonly lessee?: string | undefined;
  readonly reason?: string | undefined;
  readonly verdict?: string | undefined;
  /** The rule that decided. */
  readonly rule?: string | undefined;
  /** A rule or a reason of a finding that was only noted. */
  readonly shadow?: string | undefined;
}

/** Fields that must be equal. */
export const equalFields = ["callId", "trunk", "lessee", "reason", "verdict", "rule"] as const;

const HOME = "+86";

/** Reads a number in any usual spelling: `+861087654321`, `010-8765 4321`, `8613912345678`, `95588`. */
export function readParty(text: string): PartyAsked {
  const trimmed = text.trim();
  const read = readListNumber(trimmed);
  // What is unreadable as it stands may lack its "+": `8613912345678`, `442079460000`.
  const number = typeof read === "string" && isPlainNumber(trimmed) ? readListNumber(`+${trimmed}`) : read;
  if (typeof number === "string") return { kind: "raw", text };
  if (number.kind === "e164" && number.key >= 0)
    return { kind: "number", forms: [formatNumber(number) ?? ""], code: undefined };
  const code = String(-number.key);
  return { kind: "number", forms: [code, HOME + code], code };
}

/** Digits of an area code without trunk prefix. */
export const areaDigits = [2, 3] as const;

function isForm(number: unknown, { forms, code }: PartyAsked & { readonly kind: "number" }): boolean {
  if (typeof number !== "string") return false;
  if (forms.includes(number)) return true;
  if (code === undefined || !number.startsWith(HOME) || !number.endsWith(code)) return false;
  const area = number.length - HOME.length - code.length;
  return areaDigits.some((digits) => digits === area);
}

function isParty(party: unknown, asked: PartyAsked): boolean {
  if (!isFields(party)) return false;
  return asked.kind === "raw" ? party["raw"] === asked.text : isForm(party["number"], asked);
}

/** Tells whether a line is meant. Never throws, whatever the line holds. */
export function isMeant(line: ReadLine, filter: RecordFilter): boolean {
  const { kinds, from = 0, to = Infinity, ids, caller, called, shadow } = filter;
  if (!kinds.includes(line.record)) return false;
  const at = Date.parse(line.time);
  if (!(at >= from && at < to)) return false;
  if (equalFields.some((field) => filter[field] !== undefined && line[field] !== filter[field])) return false;
  if (ids !== undefined && !ids.some((id) => id === line["id"])) return false;
  if (called !== undefined && !isParty(line["called"], called)) return false;
  if (caller !== undefined && !objectsIn(line["calling"]).some((party) => isParty(party, caller)))
    return false;
  return (
    shadow === undefined ||
    objectsIn(line["shadow"]).some(({ rule, reason }) => rule === shadow || reason === shadow)
  );
}

/**
 * Chooses a text that stands in every line that is meant, so that other lines need not be parsed.
 *
 * @returns undefined when nothing in the filter is sure to stand there as it is
 */
export function needleOf(filter: RecordFilter): string | undefined {
  const { caller, called, ids } = filter;
  const candidates = [
    filter.callId,
    ids?.length === 1 ? ids[0] : undefined,
    numberOf(caller),
    numberOf(called),
    filter.trunk,
    filter.lessee,
    filter.reason,
    filter.kinds.length === 1 ? filter.kinds[0] : undefined,
  ];
  return candidates.find((text) => text !== undefined && text !== "" && isPlain(text));
}

function numberOf(party: PartyAsked | undefined): string | undefined {
  return party?.kind === "number" ? (party.code ?? party.forms[0]) : undefined;
}

/** True for text that JSON writes in one way only. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c || code === 0x2f) return false;
  }
  return true;
}
