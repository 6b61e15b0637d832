// Dialog tokens of before, which calls in progress carry over an upgrade: those of 0.1.0 and the first ones of 0.2.0.
import { CALL_TAG_LENGTH } from "../../calls/call-tag.ts";
import type { DialogToken } from "./dialog-proof.ts";

/** Separates the pieces. Tokens of today have none. */
const SEPARATOR = "!";
/** Pieces in front of the MAC: with the name of the call, and without it in 0.1.0. */
const CLAIMS = 7;
const CLAIMS_OF_010 = 6;
/** Stands in place of the numbers when the calling number is withheld from every request of the dialog. */
const WITHHELD = "w";

/** True for a token of a former form. */
export function isFormer(text: string): boolean {
  return text.includes(SEPARATOR);
}

/** Returns how many separators a token without confirmation has. */
export function separatorsOfFormer(text: string): number {
  return isNamed(text) ? CLAIMS : CLAIMS_OF_010;
}

/**
 * Splits `CALL!INGRESS!EGRESS!CALLED!IDENTITIES!SOURCE!TARGET!MAC[!CONFIRMATION]`; tokens of 0.1.0 have no CALL. The
 * lists hold numbers behind tildes. A call that passed unjudged, labelled or hidden has no identities there.
 *
 * @returns undefined when it has not this form
 */
export function claimsOfFormer(text: string): DialogToken | undefined {
  const count = separatorsOfFormer(text);
  const pieces = text.split(SEPARATOR, count + 3);
  if (pieces.length <= count || pieces.length > count + 2) return undefined;
  const call = isNamed(text) ? pieces[0] : undefined;
  const [ingress = "", egress = "", called = "", identities = "", source = "", target = "", mac = "", seal] =
    pieces.slice(call === undefined ? 0 : 1);
  const isWithheld = identities === WITHHELD;
  return {
    call,
    ingress,
    egress,
    called: called.replaceAll("~", "_"),
    accepted: isWithheld ? "withheld" : "judged",
    label: undefined,
    calling: isWithheld ? "" : identities.replaceAll("~", "_"),
    source,
    target,
    mac,
    confirmation: seal,
    claims: pieces.slice(0, count).join(SEPARATOR),
  };
}

/** True when the token names its call. The first piece is then longer than any first piece of 0.1.0. */
function isNamed(text: string): boolean {
  return text.indexOf(SEPARATOR) === CALL_TAG_LENGTH;
}
