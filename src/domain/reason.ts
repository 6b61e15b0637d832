// The table of reason codes: SIP status, Q.850 cause and meaning.

/** One reason for which a call is refused or accepted: SIP status, phrase and Q.850 cause. */
interface ReasonRow {
  /** SIP status of a refusal; undefined: the call is dropped, or it was accepted. */
  readonly status?: number;
  /** Q.850 cause for the Reason header and the ISUP release; undefined: no Reason header. */
  readonly cause?: number;
  readonly when: string;
}

/**
 * Every reason code: one table for SIP status, Q.850 cause, metric label, evidence and documentation. Codes never
 * change meaning; a policy may override the status per trunk. 503 is for trunk limits and overload only: a per-caller
 * 503 would make the peer try another route (RFC 3261 section 21.5.4).
 */
export const reasons = {
  "source-unknown": { when: "no trunk matches the source" },
  "line-stopped": { status: 403, cause: 21, when: "trunk suspended or closed by order" },
  "line-observed": { when: "trunk observed by order: a mark on its calls, never a verdict" },
  "message-malformed": { status: 400, when: "can't be judged safely" },
  "isup-undecodable": { status: 403, cause: 21, when: "a body claims ISUP and can't be decoded" },
  "method-not-allowed": { status: 405, when: "method not carried on this trunk" },
  "dialog-unknown": { status: 481, when: "in-dialog request without a dialog of ours" },
  "routing-refused": { status: 403, when: "a Route or target the trunk may not choose" },
  "cli-hidden": { status: 433, cause: 21, when: "presentation restricted or anonymous, no exemption" },
  "cli-absent": { status: 403, cause: 21, when: "no usable calling number in any field" },
  "cli-malformed": { status: 403, cause: 21, when: "a calling number no plan allows" },
  "body-names-caller": {
    status: 403,
    cause: 21,
    when: "a body part that can name a caller and that nobody reads",
  },
  "cli-conflict": { status: 403, cause: 21, when: "fields that must agree don't" },
  "display-name-misleading": {
    status: 403,
    cause: 21,
    when: "a display name that shows another number, a short code or a word for a hidden caller",
  },
  "cli-not-listed": { status: 403, cause: 21, when: "not in the lessee's list" },
  "cli-expired": {
    status: 403,
    cause: 21,
    when: "listed, outside its dates, or verification overdue by policy",
  },
  "cli-wrong-line": { status: 403, cause: 21, when: "listed, for other trunks of the lessee only" },
  "number-class": {
    status: 403,
    cause: 21,
    when: "a class that never calls (400, …); on national trunks noted for codes of authorities (110, 96110, …)",
  },
  "home-cli-from-abroad": {
    status: 403,
    cause: 21,
    when: "domestic-looking caller on an international trunk, bare numbers that read as domestic included",
  },
  "diversion-unlicensed": {
    status: 403,
    cause: 21,
    when: "forwarding signalling from a number without the licence",
  },
  "police-listed": { status: 603, cause: 21, when: "on the police list" },
  denylisted: { status: 603, cause: 21, when: "on another deny list" },
  "score-listed": { status: 603, cause: 21, when: "on a score list, with a score that its bands name" },
  "do-not-call": { status: 603, cause: 21, when: "marketing to a number on a do-not-call list" },
  "marketing-hours": { status: 403, cause: 21, when: "marketing in the rest hours of the called area" },
  "marketing-number": { status: 403, cause: 21, when: "marketing from a number that is no platform number" },
  quarantined: { status: 403, cause: 21, when: "a detector's finding or an order of quarantine is in force" },
  "frequency-exceeded": {
    status: 403,
    cause: 21,
    when: "contract frequency per caller, lessee or called party",
  },
  "call-rate-exceeded": { status: 503, cause: 42, when: "trunk CPS" },
  "message-rate-exceeded": { status: 503, when: "trunk messages (MESSAGE) a second" },
  "channels-exceeded": { status: 503, cause: 34, when: "trunk concurrent calls" },
  overload: { status: 503, cause: 42, when: "the filter protects itself or drains" },
  protocol: { when: "one of RFC 3261's own answers: 414, 416, 420, 482, 483" },
  "rule-fault": { status: 500, cause: 41, when: "our own fault, by the trunk's exception policy" },
  emergency: { when: "called number is an emergency service" },
  listed: { when: "every asserted identity is in the lessee's list" },
  default: { when: "no rule decided" },
} as const satisfies Record<string, ReasonRow>;

export type ReasonCode = keyof typeof reasons;

/** True for a code of the table. */
export function isReasonCode(code: string): code is ReasonCode {
  return Object.hasOwn(reasons, code);
}

/** The reason codes in the order of the table. Counters use the index. */
export const reasonCodes: readonly ReasonCode[] = Object.keys(reasons).filter(isReasonCode);

/** SIP status of a refusal for `code`; 403 where the table has none (a drop that must be answered). */
export function statusOf(code: ReasonCode): number {
  return (reasons[code] as ReasonRow).status ?? 403;
}

/** What `code` means, in words. */
export function meaningOf(code: ReasonCode): string {
  return reasons[code].when;
}

/** Q.850 cause for `code`, if a refusal carries one. */
export function causeOf(code: ReasonCode): number | undefined {
  return (reasons[code] as ReasonRow).cause;
}
