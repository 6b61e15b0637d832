// Orders for the quarantine and its list: plain values between command, threads and HTTP.
import {
  type FindingSubject,
  formatSubject,
  type Participant,
  type SubjectKind,
} from "../../domain/finding.ts";
import { BLOCK_OF_CALLERS, formatKey } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import { readListNumber } from "../../numbering/e164.ts";

/** An order as it was given. */
export type QuarantineRequest =
  | {
      readonly order: "add";
      readonly subject: FindingSubject;
      /** How long. Milliseconds. */
      readonly for: Millis;
      readonly reason: string;
    }
  | {
      readonly order: "release";
      /** An id, or every entry and finding about a subject. */
      readonly what: string | FindingSubject;
      readonly reason: string;
    };

/** An entry, or a finding in force from which nothing follows, for people and scripts. Times are ISO 8601, UTC. */
export interface QuarantineRow {
  readonly id: string;
  /** The detector, or `command`. */
  readonly detector: string;
  readonly profile: string;
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly number?: string;
  readonly trunk?: string;
  readonly since: string;
  readonly until: string;
  /** Calls that the finding counted. */
  readonly calls: number;
  readonly state: "in force" | "monitor only" | "released";
  /** What happens to the calls: `refuse`, `label`, `withhold`; left out where nothing does. */
  readonly does?: "refuse" | "label" | "withhold";
  /** Calls refused since the start. */
  readonly refused: number;
  readonly reason?: string;
  /** Of a called party: how many callers took part. */
  readonly participants?: number;
}

/** A part of the list. */
export interface QuarantinePage {
  readonly rows: readonly QuarantineRow[];
  /** Where the next part begins; undefined: this was the last one. */
  readonly next: number | undefined;
}

/** The answer to an order. Of a refused order nothing is in force. */
export type QuarantineAnswer =
  | {
      readonly result: "taken";
      readonly taken: readonly QuarantineRow[];
      readonly warnings: readonly string[];
    }
  | { readonly result: "refused"; readonly status: 400 | 404 | 409 | 503; readonly message: string };

export function refuseQuarantine(
  status: Extract<QuarantineAnswer, { readonly result: "refused" }>["status"],
  message: string,
): QuarantineAnswer {
  return { result: "refused", status, message };
}

/** How a subject is written. */
export const subjectForms = "caller:NUMBER@TRUNK, callerBlock:NUMBER@TRUNK, trunk:NAME or called:NUMBER";

/** Most characters of a reason. */
const MOST_TEXT = 500;
const HOUR: Millis = 3_600_000;
const units: Readonly<Record<string, Millis>> = { s: 1000, m: HOUR / 60, h: HOUR, d: 24 * HOUR };
const LONGEST: Millis = 366 * 24 * HOUR;

/** Reads `30s`, `30m`, `24h`, `7d`. @returns undefined for what is none, or is longer than a year */
export function readLasting(text: string): Millis | undefined {
  const parts = /^(\d{1,8})([smhd])$/.exec(text.trim());
  if (parts === null) return undefined;
  const lasting = Number(parts[1]) * (units[parts[2] ?? ""] ?? NaN);
  return lasting > 0 && lasting <= LONGEST ? lasting : undefined;
}

const trunkName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Reads a subject as people write it. @returns what is wrong, in words */
export function readSubject(text: string): FindingSubject | { readonly wrong: string } {
  const wrong = (why: string): { readonly wrong: string } => ({ wrong: `"${text.slice(0, 100)}" ${why}` });
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  if (kind === "trunk")
    return trunkName.test(rest) ? { kind, trunk: rest } : wrong("names no trunk; expected trunk:NAME");
  if (kind === "called") {
    const key = keyOf(rest);
    return typeof key === "number" ? { kind, number: formatKey(key) } : wrong(`is no subject: ${key.wrong}`);
  }
  if (kind !== "caller" && kind !== "callerBlock") return wrong(`is no subject; expected ${subjectForms}`);
  const at = rest.lastIndexOf("@");
  const trunk = rest.slice(at + 1);
  // A number on no trunk would be one that anybody can write.
  if (at < 0 || !trunkName.test(trunk))
    return wrong(`names no trunk: a caller is bound on one trunk only; expected ${kind}:NUMBER@TRUNK`);
  const key = keyOf(rest.slice(0, at));
  if (typeof key !== "number") return wrong(`is no subject: ${key.wrong}`);
  if (kind === "caller") return { kind, trunk, number: formatKey(key) };
  if (key < 0) return wrong("is a code: it is no part of a block; expected caller:CODE@TRUNK");
  return { kind, trunk, number: formatKey(key - (key % BLOCK_OF_CALLERS)) };
}

function keyOf(text: string): number | { readonly wrong: string } {
  const number = readListNumber(text);
  return typeof number === "string" ? { wrong: number } : number.key;
}

/**
 * Reads the body of `POST /api/quarantine`.
 *
 * @param value parsed JSON
 * @returns what is wrong, in words
 */
export function readQuarantineRequest(value: unknown): QuarantineRequest | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "expected a JSON object";
  const fields = new Map<string, unknown>(Object.entries(value));
  const order = fields.get("order");
  if (order !== "add" && order !== "release") return "order: expected add | release";
  const known =
    order === "add" ? ["order", "subject", "for", "reason"] : ["order", "id", "subject", "reason"];
  for (const key of fields.keys())
    if (!known.includes(key)) return `unknown key "${key.slice(0, 40)}"; known are ${known.join(", ")}`;
  const reason = fields.get("reason");
  if (typeof reason !== "string" || !isText(reason))
    return `reason: required, text of 1 to ${MOST_TEXT} characters, without control characters`;
  const id = fields.get("id");
  const written = fields.get("subject");
  if (order === "release" && id !== undefined) {
    if (written !== undefined) return "id and subject: expected one of them";
    if (typeof id !== "string" || !/^[fo][a-z0-9]{0,12}-?\d{1,12}$/.test(id))
      return "id: expected an id of the list";
    return { order, what: id, reason: reason.trim() };
  }
  if (typeof written !== "string") return `subject: expected ${subjectForms}`;
  const subject = readSubject(written);
  if ("wrong" in subject) return `subject: ${subject.wrong}`;
  if (order === "release") return { order, what: subject, reason: reason.trim() };
  const lasting = fields.get("for");
  const read = typeof lasting === "string" ? readLasting(lasting) : undefined;
  if (read === undefined) return "for: expected a time like 30m, 24h or 7d, at most 366d";
  return { order, subject, for: read, reason: reason.trim() };
}

/** True for text that can stand in one line of a log. */
function isText(text: string): boolean {
  return text.trim() !== "" && text.length <= MOST_TEXT && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}

/** The fields of a row that say whom it is about. */
export function subjectFields(
  subject: FindingSubject,
  participants: readonly Participant[],
): Pick<QuarantineRow, "subject" | "kind" | "number" | "trunk" | "participants"> {
  return {
    subject: formatSubject(subject),
    kind: subject.kind,
    ...("number" in subject ? { number: subject.number } : {}),
    ...("trunk" in subject ? { trunk: subject.trunk } : {}),
    ...(subject.kind === "called" ? { participants: participants.length } : {}),
  };
}
