// Reads identities that only requests other than INVITE carry: REFER, REGISTER and their like.
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { DialPlan } from "../../domain/number.ts";
import { decodeEscapes } from "../fields/escapes.ts";
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
 * Header fields that the URI of a Refer-To may hold. They name a dialog, as an attended transfer does (RFC 3891 section
 * 4, RFC 3911, RFC 4538), and no party.
 */
const namesDialog: ReadonlySet<string> = new Set(["replaces", "join", "target-dialog", "require"]);

/**
 * Checks that a REFER names exactly one target (RFC 3515). Header fields in its URI enter a call that is not judged
 * (RFC 3261 section 19.1.5), so only those pass that name no party.
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
  const uriText = value.slice(span.uriStart, span.uriEnd);
  const question = uriText.indexOf("?");
  const fault = question < 0 ? undefined : findForeignField(uriText.slice(question + 1));
  if (fault !== undefined) noteFault(message, `Refer-To: ${fault}`);
  if (value.slice(span.uriEnd, span.end).includes("?") || (question >= 0 && value[span.uriEnd] !== ">"))
    noteFault(message, "Refer-To: header fields outside of brackets");
}

/**
 * Finds a header field of a URI that may not pass.
 *
 * @param fields what stands behind the question mark
 * @returns why it may not pass
 */
function findForeignField(fields: string): string | undefined {
  for (const field of fields.split("&")) {
    const equals = field.indexOf("=");
    const name = field.slice(0, Math.max(equals, 0)).toLowerCase();
    if (!namesDialog.has(name)) return "the URI has header fields that name no dialog";
    // A line break would begin another field. A bare "@" belongs to a user part (RFC 3261 section 25.1).
    if (field.includes("@") || !isPrintable(decodeEscapes(field))) return `the field ${name} can't be read`;
  }
  return undefined;
}

function isPrintable(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
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
