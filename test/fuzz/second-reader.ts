import { Grammar } from "sip.js/lib/grammar/grammar.js";
import { splitField, type Draft } from "./draft.ts";

/** Fields that some element takes the caller from. */
const callerFields = new Set(["from", "p-asserted-identity", "p-preferred-identity", "remote-party-id"]);

/** True for the long name of such a field. */
export function namesCaller(name: string): boolean {
  return callerFields.has(name);
}

/**
 * Every calling number that anybody might read in a message: by the grammar of SIP.js where it can, and by looking for
 * everything like a URI outside quotes. Neither was written for the filter. Digits and "+" only; separators are gone.
 */
export function readCallers(draft: Draft): readonly string[] {
  const called = nationalOf(digitsOf(/^\S+ (?:sips?|tel):([^@;>?\s]*)/i.exec(draft.start)?.[1] ?? ""));
  const callers = new Set<string>();
  for (const field of draft.fields) {
    const [name, value] = splitField(field);
    if (!namesCaller(name)) continue;
    const text = value.replaceAll(/\r\n[ \t]+/g, " ");
    const isCallee = name === "remote-party-id" && /;\s*party\s*=\s*"?called/i.test(text);
    for (const user of [...usersByGrammar(text), ...usersBySight(text)]) {
      const digits = digitsOf(user);
      // An element that reads Remote-Party-ID at all finds the called party in one of `party=called`.
      if (digits !== "" && !(isCallee && nationalOf(digits) === called)) callers.add(digits);
    }
  }
  return [...callers];
}

function usersByGrammar(value: string): readonly string[] {
  // SIP.js knows the grammar of a single name-addr.
  const parsed = Grammar.nameAddrHeaderParse(value);
  const user = parsed?.uri.user;
  return user === undefined ? [] : [user];
}

function usersBySight(value: string): readonly string[] {
  const unquoted = value.replaceAll(/"(?:\\.|[^"\\])*"/gs, "");
  // What stands in brackets; else a bare URI, whose parameters are the field's.
  const places = [...unquoted.matchAll(/<([^>]*)>?|[^<>,;]+/g)];
  return places.flatMap(([text, bracketed]) => {
    const found = /^\s*(?:sips?:([^@]*)@|tel:(.*))/i.exec(bracketed ?? text);
    return found === null ? [] : [found[1] ?? found[2] ?? ""];
  });
}

/** The number in a user part; "" where it has none. */
function digitsOf(user: string): string {
  let text = user.split(/[;:]/, 1)[0] ?? "";
  text = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const plain = text.replaceAll(/[-.()]/g, "");
  return /^\+?\d+$/.test(plain) ? plain : "";
}

/** Without the prefixes of the home network, so that two spellings of a number compare. */
function nationalOf(digits: string): string {
  return digits.replace(/^(?:\+|00)?(?:86(?=\d{10}))?0?/, "");
}

/** True where the message asks for the caller's number to be hidden (RFC 3323 `user`, RFC 3325 `id`). */
export function isHidden(draft: Draft): boolean {
  return draft.fields.some((field) => {
    const [name, value] = splitField(field);
    return name === "privacy" && /(?:^|[;,\s])(?:id|user)(?:$|[;,\s])/i.test(value);
  });
}
