// Writes the URI of the called party at the target that the policy chose.
import { bracketed } from "../../net/endpoint.ts";
import type { Target } from "../../routing/listener.ts";
import type { UriParts } from "../../sip/fields/name-addr.ts";

/**
 * Characters of `unreserved` and `user-unreserved` (RFC 3261 section 25.1), and "%", which begins an escape that is
 * there already.
 */
const USER_MARKS = "-_.!~*'()&=+$,;?/%";

/** Returns the Contact of a 302 (RFC 3261 section 21.3.3). */
export function redirectContact(uri: UriParts, target: Target): string {
  return `<${partyAt(uri, target)}>`;
}

/**
 * Returns the URI of the called party, at the place that the policy chose. Host, port and parameters of the Request-URI
 * are not repeated, since nothing in a message chooses the target.
 */
export function partyAt(uri: UriParts, { transport, address, port }: Target): string {
  const host = bracketed(address);
  const over = transport === "udp" ? "" : `;transport=${transport}`;
  const isTelephone = uri.scheme === "tel" || uri.params.toLowerCase().startsWith(";user=phone");
  const isParty = uri.scheme !== "urn" && uri.scheme !== "other" && (uri.user ?? "") !== "";
  if (!isParty) return `sip:${host}:${port}${over}`;
  return `sip:${escapeUser(uri.user ?? "")}@${host}:${port}${isTelephone ? ";user=phone" : ""}${over}`;
}

/** Escapes the characters that a user part may not contain, so that it can't end the URI. */
function escapeUser(user: string): string {
  let out = "";
  for (const char of user) {
    const isPlain =
      (char >= "0" && char <= "9") || (char >= "A" && char <= "Z") || (char >= "a" && char <= "z");
    out +=
      isPlain || USER_MARKS.includes(char)
        ? char
        : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
