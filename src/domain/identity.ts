// The claims of who is calling: where each one was asserted, and how it was presented.
import type { PartyNumber } from "./number.ts";

/** Where a calling number was asserted. Nodes tell each other places in this list: new ones come last. */
export const identitySources = [
  "p-asserted-identity",
  "p-preferred-identity",
  "remote-party-id",
  "from",
  "isup-calling-party",
  "isup-generic-number",
  "diversion",
  "history-info",
  "referred-by",
  "address-of-record",
  "isup-redirecting-number",
  "isup-original-called-number",
] as const;
export type IdentitySource = (typeof identitySources)[number];

/** Presentation of a calling number: RFC 3323/3325 for SIP, Q.763 section 3.10 for ISUP. */
export type Presentation = "allowed" | "restricted" | "unavailable";

/** Where ISUP shows a name of the calling party. No number stands beside it. */
export type NameSource = "isup-generic-name" | "isup-display-information";

/** A name of the calling party that stands by itself. */
export interface ShownName {
  readonly source: NameSource;
  /** As received, one character an octet, without control characters. Never empty. */
  readonly display: string;
  /** `unavailable`: the message says that there is no name, whatever it holds. */
  readonly presentation: Presentation;
}

/** ISUP screening indicator (Q.763 section 3.10 f). */
export type Screening = 0 | 1 | 2 | 3;

/** One claim of who is calling. Every value of every header field is one claim. */
export interface AssertedIdentity {
  readonly source: IdentitySource;
  readonly number: PartyNumber;
  readonly presentation: Presentation;
  readonly screening?: Screening;
  /** Display name as received, quotes and escapes included; left out where there is none. */
  readonly display?: string;
  /**
   * Set where a Remote-Party-ID may mean the called party. Some elements show it as the calling party all the same, so
   * its number is judged; but it never speaks for the calling party. Left out everywhere else.
   */
  readonly party?: "called";
}
