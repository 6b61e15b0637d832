// Writes the URI of the called party at the target that the policy chose.
import { bracketed } from "../../net/endpoint.ts";
import type { Target } from "../../routing/listener.ts";
import type { UriParts } from "../../sip/fields/name-addr.ts";

/** RFC 3261 section 25.1: `unreserved` and `user-unreserved`, and "%", behind which an escape stands already. */
const USER_MARKS = "-_.!~*'()&=+$,;?/%";

/** The Contact of a 302 (RFC 3261 section 21.3.3). */
export function redirectContact(uri: UriParts, target: Target): string {
  return `<${partyAt(uri, target)}>`;
}

/**
 * The URI of whom a call is for, at the place the policy chose. Host, port and parameters of the Request-URI are not
 * repeated: nothing in a message chooses the target.
 */
export function partyAt(uri: UriParts, { transport, address, port }: Target): string {
  const host = bracketed(address);
  const over = transport === "udp" ? "" : `;transport=${transport}`;
  const isTelephone = uri.scheme === "tel" || uri.params.toLowerCase().startsWith(";user=phone");
  const isParty = uri.scheme !== "urn" && uri.scheme !== "other" && (uri.user ?? "") !== "";
  if (!isParty) return `sip:${host}:${port}${over}`;
  return `sip:${escapeUser(uri.user ?? "")}@${host}:${port}${isTelephone ? ";user=phone" : ""}${over}`;
}

/** Escapes what may not stand in a user part, so that it can't end the URI. */
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
