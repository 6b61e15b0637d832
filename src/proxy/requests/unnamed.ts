// The identities of a request that the token of its dialog does not name.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import { isOfIsup } from "../../judging/sip-i-attempt.ts";
import type { Proof } from "../memory/dialog-proof.ts";
import { namesCalled, namesCalling, namesDiverting } from "../memory/named-parties.ts";
import { alsoWithout, type MessageChanges } from "../messages/message-changes.ts";
import type { TrunkTurn } from "../turn/turn.ts";

const NOBODY: readonly AssertedIdentity[] = [];

/** Returns the identities that the token does not name for the side that the request comes from. Nearly always none. */
export function unnamedOf(
  { proxy, request }: TrunkTurn,
  { token, side }: Proof,
  identities: readonly AssertedIdentity[],
): readonly AssertedIdentity[] {
  const context = { tags: proxy.tags, callId: request.callId };
  const isOpen = token.accepted === "emergency";
  let unnamed: AssertedIdentity[] | undefined;
  for (const identity of identities) {
    const isNamed =
      side === "caller"
        ? namesCalling(context, token.calling, identity, isOpen)
        : namesCalled(context, token.called, identity.number);
    if (!isNamed) (unnamed ??= []).push(identity);
  }
  return unnamed ?? NOBODY;
}

/**
 * Returns the diverting parties in fields of the request whom the token does not name. A request of a dialog diverts
 * nothing, so their fields are taken out.
 */
export function unnamedDiverting(
  { proxy, request }: TrunkTurn,
  { token, side }: Proof,
  { diversion }: CallAttempt,
): readonly AssertedIdentity[] {
  if (diversion.length === 0) return NOBODY;
  const context = { tags: proxy.tags, callId: request.callId };
  return diversion.filter((identity) => {
    if (isOfIsup(identity)) return false;
    return side === "caller"
      ? !namesDiverting(context, token.calling, identity.number)
      : !namesCalled(context, token.called, identity.number);
  });
}

/** Returns the changes that also take out the fields of `hidden`, whose names are the sources of the identities. */
export function withoutParties(
  changes: MessageChanges | undefined,
  hidden: readonly AssertedIdentity[],
): MessageChanges | undefined {
  return hidden.length === 0
    ? changes
    : alsoWithout(
        changes,
        hidden.map(({ source }) => source),
      );
}
