// What a line order asks for, and what is answered: plain values between command, threads and HTTP.
import { type LineId, type LineState, lineStates } from "../../domain/line-state.ts";

/** An order as it was given. `active` takes the order away that was given before. */
export interface LineRequest {
  /** Undefined: the one line that bears the name. */
  readonly kind: "trunk" | "lessee" | undefined;
  readonly name: string;
  readonly state: LineState;
  /** Reference of the order. */
  readonly order: string;
  readonly reason: string;
  readonly authority?: string;
  /** A date or a date-time, in the time zone of the policy where it has no offset. */
  readonly until?: string;
  readonly calls: "keep" | "release";
}

/** What became of the calls of a line whose order says `release`. */
export interface Released {
  /** Calls that the filter has ended. */
  readonly released: number;
  /** Calls that had ended by themselves meanwhile. */
  readonly gone: number;
  /** Calls that the filter can't end: of drachtio, or from before a restart. */
  readonly notReleasable: number;
}

export const NOTHING_RELEASED: Released = { released: 0, gone: 0, notReleasable: 0 };

/** The order that holds for a line, for people and scripts. Times are of the policy's time zone, with their offset. */
export interface LineHeld {
  /** The line that the order is for: the trunk itself, or its lessee. */
  readonly line: LineId;
  readonly state: LineState;
  readonly order?: string | undefined;
  readonly authority?: string | undefined;
  readonly reason?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly calls: "keep" | "release";
  /** `command`, or `policy.yaml:12:5`. */
  readonly from: string;
}

/** What is in force after an order was taken. */
export interface LineTaken extends Released {
  readonly line: LineId;
  readonly state: LineState;
  readonly previous: LineState;
  /** The order that holds now; undefined for an active line. */
  readonly held: LineHeld | undefined;
  /** The trunks of the line. */
  readonly trunks: readonly string[];
  /** What keeps the order from having the effect that is expected, in words. */
  readonly warnings: readonly string[];
}

/** The answer to an order. Of a refused order nothing is in force. */
export type LineAnswer =
  | { readonly result: "taken"; readonly taken: LineTaken }
  | {
      readonly result: "refused";
      /** HTTP status: 400 and 404 for what was asked wrongly, 409 and 503 for what can't be done. */
      readonly status: 400 | 404 | 409 | 500 | 503;
      readonly message: string;
    };

export function refuseOrder(
  status: Extract<LineAnswer, { readonly result: "refused" }>["status"],
  message: string,
): LineAnswer {
  return { result: "refused", status, message };
}

/** Most characters of a text in an order. */
const MOST_TEXT = 500;

const textKeys = ["order", "reason", "authority", "until"] as const;
const keys: readonly string[] = ["state", "calls", ...textKeys];

/**
 * Reads the body of `POST /api/lines/{trunk|lessee}/{id}`.
 *
 * @param value parsed JSON
 * @returns what is wrong, in words
 */
export function readLineRequest(
  kind: LineRequest["kind"],
  name: string,
  value: unknown,
): LineRequest | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "expected a JSON object";
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const key of fields.keys())
    if (!keys.includes(key)) return `unknown key "${key.slice(0, 40)}"; known are ${keys.join(", ")}`;
  const state = lineStates.find((word) => word === fields.get("state"));
  if (state === undefined) return `state: expected ${lineStates.join(" | ")}`;
  const calls = fields.get("calls") ?? "keep";
  if (calls !== "keep" && calls !== "release") return "calls: expected keep | release";
  if (calls === "release" && (state === "active" || state === "observe"))
    return "calls: release is only for suspended and closed";
  if (state === "active" && fields.has("until")) return "until: an order that is taken away has no end";
  const texts: Partial<Record<(typeof textKeys)[number], string>> = {};
  for (const key of textKeys) {
    const text = fields.get(key);
    if (text === undefined) continue;
    if (typeof text !== "string" || !isText(text))
      return `${key}: expected text of 1 to ${MOST_TEXT} characters, without control characters`;
    texts[key] = text.trim();
  }
  const { order, reason, ...rest } = texts;
  if (order === undefined) return "order: required, the reference of the order";
  if (reason === undefined) return "reason: required";
  return { kind, name, state, order, reason, calls, ...rest };
}

/** True for text that can stand in one line of a log. */
function isText(text: string): boolean {
  return text.trim() !== "" && text.length <= MOST_TEXT && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}
