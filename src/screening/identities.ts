// Tells which asserted identities of a call count on its trunk, and describes them.
import type { CallAttempt } from "../domain/attempt.ts";
import type { AssertedIdentity, IdentitySource } from "../domain/identity.ts";
import { formatNumber } from "../domain/number.ts";

/** The SIP fields in the order in which `pai-first` looks for the calling party. */
const paiFirst: readonly IdentitySource[] = [
  "p-asserted-identity",
  "remote-party-id",
  "p-preferred-identity",
  "from",
];

/**
 * Tells whether an asserted identity counts under the trunk's `identity` mode: whether its number
 * must pass. It is decided here, once, for caller-form, home-cli-from-abroad, number-class,
 * caller-authentication and call-frequency. An identity that does not count refuses no call, whether
 * it is a number, an extension or a name. hidden-caller, deny-lists and display-name look at every
 * identity, whatever counts.
 *
 * - `all`: every identity counts.
 * - `presented`: From counts.
 * - `pai-first`: the first field that asserts a number counts, in the order PAI, RPID, PPI, From. The
 *   next network shows that field (RFC 3325 section 9.1). Fields behind it don't count. A field
 *   before it asserts no number, so nothing of it is judged.
 *
 * ISUP identities always count: a network that reads the ISUP part obeys it before any header.
 */
export function isCounted(attempt: CallAttempt, identity: AssertedIdentity): boolean {
  const mode = attempt.trunk.identity;
  if (mode === "all") return true;
  const source = identity.source;
  if (source === "isup-calling-party" || source === "isup-generic-number") return true;
  if (mode === "presented") return source === "from";
  const place = paiFirst.indexOf(source);
  return place >= 0 && place <= paiFirst.indexOf(firstField(attempt));
}

/** @returns true for an identity in a field of the calling party that does not count in this request */
export function isPassedOver(attempt: CallAttempt, identity: AssertedIdentity): boolean {
  return paiFirst.includes(identity.source) && !isCounted(attempt, identity);
}

/** @returns true when an identity that counts has a usable number and speaks for the calling party */
export function hasCountedNumber(attempt: CallAttempt): boolean {
  for (const identity of attempt.calling) {
    if (identity.number.kind !== "unusable" && identity.party === undefined && isCounted(attempt, identity))
      return true;
  }
  return false;
}

/**
 * Tells whether an identity asserts no number: a name, an account or an empty user part in any SIP
 * field of the calling party, and a word for a hidden caller in From. It is ignored when another identity has a number.
 * `sip:alice@bank.example` beside `tel:+861087654321` is RFC 3325's own example (section 9.1).
 * Something like a number that no plan allows does assert one. An ISUP part has no names: without a
 * number it asserts that nobody calls. A referrer or an address of record must have a number.
 */
export function assertsNoNumber({ source, number }: AssertedIdentity): boolean {
  if (number.kind !== "unusable" || number.why === "invalid") return false;
  if (source === "from") return true;
  return (number.why === "not-a-number" || number.why === "empty") && paiFirst.includes(source);
}

/**
 * Describes an identity for explanations: `from +861087654321 (fixed) restricted`. What a peer
 * wrote is escaped, because it goes to a terminal.
 */
export function describeIdentity(identity: AssertedIdentity): string {
  const { number, presentation } = identity;
  const what =
    number.kind === "unusable"
      ? `${JSON.stringify(number.raw)} (${number.why}: ${number.detail})`
      : `${formatNumber(number) ?? ""} (${number.class})`;
  return presentation === "allowed"
    ? `${identity.source} ${what}`
    : `${identity.source} ${what} ${presentation}`;
}

/** The first field, in the order of {@link paiFirst}, in which the calling party asserts a number; otherwise From. */
function firstField(attempt: CallAttempt): IdentitySource {
  for (let i = 0; i < paiFirst.length; i++) {
    const source = paiFirst[i]!;
    for (const identity of attempt.calling) {
      if (identity.source === source && identity.party === undefined && !assertsNoNumber(identity))
        return source;
    }
  }
  return "from";
}
