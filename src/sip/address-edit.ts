import { decodeOnce } from "../numbering/sip-user.ts";
import { createAddressSpan, readAddress } from "./address.ts";

/** What is changed in an address field; everything else stays as it came. */
export interface AddressChange {
  /** True: without display name. */
  readonly withoutName: boolean;
  /** Put in front of the display name, latin1, ready to stand in quotes; empty: nothing. */
  readonly prefix: string;
  /** True: without the parameter `verstat`, wherever it stands. */
  readonly withoutVerstat: boolean;
}

const span = createAddressSpan();

/** The unfolded value of a From, P-Asserted-Identity or similar field, every address in it changed. */
export function changeAddresses(value: string, change: AddressChange): string {
  let out = "";
  let at = 0;
  do {
    readAddress(value, at, span);
    out += value.slice(at, span.displayStart) + changeOne(value, change);
    at = span.end;
    if (at < value.length) out += value.charAt(at++);
  } while (at < value.length);
  return out;
}

/** The address in `span`. */
function changeOne(value: string, change: AddressChange): string {
  const { displayStart, displayEnd, uriStart, uriEnd, paramsStart, end } = span;
  const isBracketed = value.charAt(uriStart - 1) === "<" && uriStart > displayStart;
  const named = value.slice(displayStart, uriStart - (isBracketed ? 1 : 0));
  const uri = clean(value.slice(uriStart, uriEnd), change);
  const params = clean(value.slice(paramsStart, end), change);
  if (change.prefix === "") {
    const name = change.withoutName ? "" : named;
    return name + (isBracketed ? `<${uri}>` : uri) + params;
  }
  const name = change.withoutName ? "" : value.slice(displayStart, displayEnd);
  return `${prefixed(name, change.prefix)} <${uri}>${params}`;
}

function prefixed(name: string, prefix: string): string {
  if (name === "") return `"${prefix}"`;
  return name.startsWith('"') ? `"${prefix} ${name.slice(1)}` : `"${prefix} ${name}"`;
}

function clean(text: string, { withoutVerstat }: AddressChange): string {
  return withoutVerstat ? removeVerstat(text) : text;
}

/** Parameters may stand in the user part, behind the host and behind the address (3GPP TS 24.229 section 7.2A.20, RFC 3966). */
function removeVerstat(text: string): string {
  let out = "";
  let from = 0;
  for (let at = text.indexOf(";"); at >= 0; at = text.indexOf(";", at)) {
    let end = at + 1;
    while (end < text.length && !isParamEnd(text.charAt(end))) end++;
    const equals = text.indexOf("=", at);
    const name = decodeOnce(text.slice(at + 1, equals < 0 || equals > end ? end : equals).trim());
    if (typeof name === "string" && name.toLowerCase() === "verstat") {
      out += text.slice(from, at);
      from = end;
    }
    at = end;
  }
  return out + text.slice(from);
}

function isParamEnd(char: string): boolean {
  return char === ";" || char === "@" || char === ">" || char === "?" || char === ",";
}
