// Reads the called party of a SIP request: a step of making the call attempt.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { DialPlan, PartyNumber } from "../../domain/number.ts";
import { readCalledNumber } from "../../numbering/e164.ts";
import { decodeOnce, readParameters, routesElsewhere } from "../../numbering/sip-user.ts";
import { createAddressSpan, readAddress, readUri, type UriParts } from "../fields/name-addr.ts";
import { Header } from "../header.ts";
import { headerValue, type SipMessage } from "../message.ts";
import { readUriNumber } from "./uri-number.ts";

const span = createAddressSpan();

const NO_NUMBER: PartyNumber = { kind: "unusable", why: "not-a-number", detail: "no number", raw: "" };

/** Reads the called number that a Request-URI names. */
export function readCallee(uri: UriParts, plan: DialPlan): PartyNumber {
  return uri.scheme === "urn" || uri.scheme === "other"
    ? NO_NUMBER
    : readCalledNumber(uri.user ?? "", plan, uri.params);
}

/** The party that a Request-URI leads to, for comparison with the URIs of other fields. */
export interface CallTarget {
  readonly number: PartyNumber;
  /** The user part without parameters, its escapes decoded. Empty: it has none. */
  readonly user: string;
}

/**
 * Returns the party that a call goes to by its Request-URI.
 * @returns undefined when a parameter may lead the call to another party
 */
export function readTarget(uri: UriParts, called: PartyNumber): CallTarget | undefined {
  const user = uri.user ?? "";
  const semicolon = user.indexOf(";");
  if (routesElsewhere(uri.params) || (semicolon >= 0 && leadsElsewhere(user.slice(semicolon + 1))))
    return undefined;
  return { number: called, user: userText(uri) };
}

/** Tells whether parameters of a number may change which party it is. */
function leadsElsewhere(parameters: string): boolean {
  const read = readParameters(parameters);
  if ("fault" in read || read.routes) return true;
  // Which number a domain makes of the digits is known to that domain alone (RFC 3966 section 5.1.5).
  return read.phoneContext !== undefined && !read.phoneContext.startsWith("+");
}

/**
 * Tells whether a URI of another field names the party that the call goes to: the same number in any
 * spelling, or the same user part where neither is a number.
 */
export function namesTarget(uri: UriParts, plan: DialPlan, target: CallTarget | undefined): boolean {
  if (target === undefined) return false;
  const number = readCallee(uri, plan);
  if (number.kind !== "unusable" || target.number.kind !== "unusable")
    return (
      number.kind !== "unusable" && target.number.kind !== "unusable" && number.key === target.number.key
    );
  return target.user !== "" && target.user === userText(uri) && readTarget(uri, number) !== undefined;
}

function userText({ user = "" }: UriParts): string {
  const semicolon = user.indexOf(";");
  const text = decodeOnce(semicolon < 0 ? user : user.slice(0, semicolon));
  return typeof text === "string" ? text : "";
}

const SOS = "service:sos";

/** @returns true for `urn:service:sos` and its subservices, and nothing behind them (RFC 5031 section 3) */
export function isEmergencyUrn({ scheme, user = "" }: UriParts): boolean {
  return scheme === "urn" && user.toLowerCase().startsWith(SOS) && areLabels(user, SOS.length);
}

/** Tells whether `text` from `start` is any number of labels, each behind a dot: `.police`. */
function areLabels(text: string, start: number): boolean {
  let isBehindDot = false;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isDot = code === 0x2e;
    if (isDot ? isBehindDot : at === start || !isLabelCode(code)) return false;
    isBehindDot = isDot;
  }
  return !isBehindDot;
}

function isLabelCode(code: number): boolean {
  const letter = code | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d;
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
