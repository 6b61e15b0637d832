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
 * Tells whether an asserted identity counts under the trunk's `identity` mode. ISUP identities
 * always count: a network that reads the ISUP part obeys it before any header.
 */
export function isCounted(attempt: CallAttempt, identity: AssertedIdentity): boolean {
  const mode = attempt.trunk.identity;
  if (mode === "all") return true;
  const source = identity.source;
  if (source === "isup-calling-party" || source === "isup-generic-number") return true;
  return mode === "presented" ? source === "from" : source === firstField(attempt);
}

/** @returns true when an identity that counts has a usable number */
export function hasCountedNumber(attempt: CallAttempt): boolean {
  for (const identity of attempt.calling) {
    if (identity.number.kind !== "unusable" && isCounted(attempt, identity)) return true;
  }
  return false;
}

/**
 * Tells whether a From asserts no number. It is ignored when another identity has one. A From with
 * an invalid number does assert one.
 */
export function isNumberlessFrom(identity: AssertedIdentity): boolean {
  return (
    identity.source === "from" && identity.number.kind === "unusable" && identity.number.why !== "invalid"
  );
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

function firstField(attempt: CallAttempt): IdentitySource | undefined {
  for (const source of paiFirst) {
    for (const identity of attempt.calling) if (identity.source === source) return source;
  }
  return undefined;
}
