// Reads the called party of a SIP request: a step of making the call attempt.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { DialPlan, PartyNumber } from "../../domain/number.ts";
import { readCalledNumber } from "../../numbering/e164.ts";
import { createAddressSpan, readAddress, readUri, type UriParts } from "../fields/name-addr.ts";
import { Header } from "../header.ts";
import { headerValue, type SipMessage } from "../message.ts";
import { readUriNumber } from "./sip-identity.ts";

const span = createAddressSpan();

const NO_NUMBER: PartyNumber = { kind: "unusable", why: "not-a-number", detail: "no number", raw: "" };

/** Reads the called number that a Request-URI names. */
export function readCallee(uri: UriParts, plan: DialPlan): PartyNumber {
  return uri.scheme === "urn" || uri.scheme === "other"
    ? NO_NUMBER
    : readCalledNumber(uri.user ?? "", plan, uri.params);
}

/** @returns true for `urn:service:sos` and its subservices (RFC 5031) */
export function isEmergencyUrn({ scheme, user = "" }: UriParts): boolean {
  if (scheme !== "urn") return false;
  const urn = user.toLowerCase();
  return urn === "service:sos" || urn.startsWith("service:sos.");
}

/** Reads the called party of a request when nothing else of the call is needed. */
export function readRequestCallee(
  message: SipMessage,
  plan: DialPlan,
): Pick<CallAttempt, "called" | "emergencyUrn"> {
  const uri = readUri(message.text, message.uriStart, message.uriEnd);
  return { called: readCallee(uri, plan), emergencyUrn: isEmergencyUrn(uri) };
}

/**
 * Reads To as a number that is called, and as the number that a From with the same URI asserts. The called side of a
 * dialog uses it for itself, whatever the Request-URI became on the way (RFC 3261 section 12.2.1.1).
 */
export function readToNumbers(message: SipMessage, plan: DialPlan): readonly [PartyNumber, PartyNumber] {
  const value = headerValue(message, message.first[Header.to]!);
  readAddress(value, 0, span);
  const uri = readUri(value, span.uriStart, span.uriEnd);
  return [readCalledNumber(uri.user ?? "", plan), readUriNumber(uri, plan)];
}
