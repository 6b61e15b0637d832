import type { CallAttempt } from "../domain/attempt.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import type { KeyedTags } from "../sip/tag.ts";

/**
 * The proof that a dialog is one of ours, carried in our Record-Route URI so that no node needs state for it: which trunk
 * called, which trunk was called, which numbers were authorised, and a MAC over these, the Call-ID and the caller's tag.
 *
 * `INGRESS.EGRESS.CALLED.IDENTITIES.MAC`, all hex: tags of 8 digits, identities 8 digits each.
 */
export const TOKEN_PARAM = "sw";

const PIECE = 8;
/** Numbers that a token can name; a call with more is screened again on every change. */
const MAX_IDENTITIES = 4;

export interface DialogToken {
  readonly ingress: string;
  readonly egress: string;
  readonly called: string;
  readonly identities: string;
  readonly mac: string;
}

/** What stands for a trunk in tokens: it must survive restarts and not tell peers the trunk's name. */
export function trunkTag(tags: KeyedTags, trunkId: string): string {
  return tags.mac("identity", `trunk\n${trunkId}`).slice(0, PIECE);
}

function numberTag(tags: KeyedTags, key: number): string {
  return tags.mac("identity", `number\n${key}`).slice(0, PIECE);
}

function macOf(
  tags: KeyedTags,
  ingress: string,
  egress: string,
  called: string,
  identities: string,
  callId: string,
  callerTag: string,
): string {
  return tags.mac("dialog", `${ingress}.${egress}.${called}.${identities}\n${callId}\n${callerTag}`);
}

/** The token for an accepted call. Numbers are named only for a side that is screened when it changes them. */
export function createToken(
  tags: KeyedTags,
  attempt: CallAttempt,
  ingress: string,
  egress: string,
  egressScreened: boolean,
  callerTag: string,
): string {
  const { called, calling, trunk } = attempt;
  const calledTag = egressScreened && called.kind !== "unusable" ? numberTag(tags, called.key) : "";
  const identities = trunk.side === "core" ? "" : identityTags(tags, calling);
  return `${ingress}.${egress}.${calledTag}.${identities}.${macOf(tags, ingress, egress, calledTag, identities, attempt.callId, callerTag)}`;
}

function identityTags(tags: KeyedTags, calling: readonly AssertedIdentity[]): string {
  let list = "";
  let last = Number.NaN;
  for (const { number } of calling) {
    // Nearly every call asserts one number several times.
    if (number.kind === "unusable" || number.key === last || list.length === MAX_IDENTITIES * PIECE) continue;
    last = number.key;
    const tag = numberTag(tags, number.key);
    if (!holds(list, tag)) list += tag;
  }
  return list;
}

/** Takes a token apart; undefined when it has not our form. It proves nothing before {@link provesDialog}. */
export function parseToken(text: string): DialogToken | undefined {
  const parts = text.split(".", 6);
  const [ingress, egress, called, identities, mac] = parts;
  if (ingress === undefined || egress === undefined || called === undefined || identities === undefined)
    return undefined;
  if (mac === undefined || parts.length !== 5) return undefined;
  return { ingress, egress, called, identities, mac };
}

/** True when the token was made by a holder of the key for this Call-ID and caller's tag. */
export function provesDialog(
  tags: KeyedTags,
  token: DialogToken,
  callId: string,
  callerTag: string,
): boolean {
  return (
    macOf(tags, token.ingress, token.egress, token.called, token.identities, callId, callerTag) === token.mac
  );
}

/** True when every number that the request now asserts was authorised for the side it comes from; absent fields are fine. */
export function identitiesHold(
  tags: KeyedTags,
  token: DialogToken,
  fromCaller: boolean,
  calling: readonly AssertedIdentity[],
): boolean {
  const authorised = fromCaller ? token.identities : token.called;
  for (const { number, presentation } of calling) {
    if (presentation !== "allowed") return false;
    if (number.kind === "unusable") {
      if (number.why !== "not-a-number" && number.why !== "empty") return false;
    } else if (!holds(authorised, numberTag(tags, number.key))) return false;
  }
  return true;
}

function holds(list: string, tag: string): boolean {
  for (let i = 0; i < list.length; i += PIECE) if (list.startsWith(tag, i)) return true;
  return false;
}
