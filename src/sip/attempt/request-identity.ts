// Reads identities that only requests other than INVITE carry: REFER, REGISTER and their like.
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { DialPlan } from "../../domain/number.ts";
import { createAddressSpan, readAddress, readUri } from "../fields/name-addr.ts";
import { fieldsNamed } from "../field-name.ts";
import { Header } from "../header.ts";
import { readSingleIdentity } from "./sip-identity.ts";
import { headerValue, noteFault, type SipMessage } from "../message.ts";

const span = createAddressSpan();

/**
 * Reads the identities that a request other than INVITE asserts beside the fields that every
 * request has: the referrer of a REFER (RFC 3892), the address of record of a REGISTER (RFC 3261
 * section 10.2: To). What cannot be judged safely is noted as a fault of the message.
 */
export function readFurtherIdentities(message: SipMessage, plan: DialPlan): readonly AssertedIdentity[] {
  if (message.method === "REGISTER") {
    const to = message.first[Header.to]!;
    return to < 0 ? [] : [readSingleIdentity(message, headerValue(message, to), "address-of-record", plan)];
  }
  if (message.method !== "REFER") return [];
  readReferTo(message);
  const fields = fieldsNamed(message, "referred-by");
  if (fields.length > 1) noteFault(message, "Referred-By appears twice");
  return fields.map((index) => readSingleIdentity(message, headerValue(message, index), "referred-by", plan));
}

/**
 * Checks that a REFER names exactly one target (RFC 3515). Header fields in its URI would enter a
 * call that is not judged (RFC 3261 section 19.1.5).
 */
function readReferTo(message: SipMessage): void {
  const fields = fieldsNamed(message, "refer-to");
  const [index] = fields;
  if (index === undefined || fields.length > 1) {
    noteFault(message, "Refer-To does not appear exactly once");
    return;
  }
  const value = headerValue(message, index);
  readAddress(value, 0, span);
  if (span.fault !== undefined) noteFault(message, `Refer-To: ${span.fault}`);
  if (span.end < value.length) noteFault(message, "Refer-To: more than one address");
  const uri = readUri(value, span.uriStart, span.uriEnd);
  if (uri.fault !== undefined) noteFault(message, `Refer-To: ${uri.fault}`);
  if (value.slice(span.uriStart, span.end).includes("?"))
    noteFault(message, "Refer-To: the URI has header fields");
}

/**
 * Reads the event package of a SUBSCRIBE, NOTIFY or PUBLISH (RFC 6665 section 8.2.1).
 * @returns undefined unless Event appears exactly once
 */
export function readEventPackage(message: SipMessage): string | undefined {
  const fields = fieldsNamed(message, "event");
  const [index] = fields;
  if (index === undefined || fields.length > 1) return undefined;
  const value = headerValue(message, index);
  const semicolon = value.indexOf(";");
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
}
