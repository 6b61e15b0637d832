// The parties that a dialog token names: written into it once, compared with each later request of the dialog.
import type { AssertedIdentity, IdentitySource } from "../../domain/identity.ts";
import type { PartyNumber } from "../../domain/number.ts";
import type { UsableNumber } from "../../numbering/e164.ts";
import type { KeyedTags } from "../../sip/tag.ts";

/** Stands in front of each party of a list. */
const ITEM = "_";
/** Stands in front of a party whose number or word is not readable in the token. */
const HASHED = "x";
/** Hex digits of such a party: 48 bits. Each guess of a forger is a request that is refused and told. */
const HASH_LENGTH = 12;
/** Stands where the call was accepted with a hidden identity: it may go on to name nobody. */
const HIDDEN = "h";
/** Stands in front of a diverting party. It may divert later too, and may not call. */
const DIVERTING = "d";
/**
 * Stand in front of an identity that does not count on its trunk. It was not authenticated, so it is named again only in
 * the field in which it stood.
 */
const PASSED_OVER: Readonly<Partial<Record<IdentitySource, string>>> = {
  "p-asserted-identity": "a",
  "p-preferred-identity": "p",
  "remote-party-id": "r",
  from: "f",
};
/** At most this many parties. A message asserts at most 16 in its fields, and an ISUP part some more. */
const MOST_PARTIES = 20;

/** What a list of parties is written and read with: the key of the filter, and the call. */
export interface PartyContext {
  readonly tags: KeyedTags;
  readonly callId: string;
}

/** What a call was accepted with: the identities that count on its trunk, and those that don't. */
export interface CallingParties {
  readonly counted: readonly AssertedIdentity[];
  readonly passedOver: readonly AssertedIdentity[];
}

/**
 * Lists the identities that a call was accepted with, each once. A number that is shown stands in clear: it stands in
 * the message's own fields too. A hidden number and a word are hashed with the Call-ID, so the list reveals neither.
 *
 * @param isSecret true: no number stands in clear
 */
export function listCalling(
  context: PartyContext,
  { counted, passedOver }: CallingParties,
  isSecret: boolean,
): string {
  const list = listCounted(context, counted, isSecret);
  return passedOver.length === 0 ? list : list + listPassedOver(context, passedOver, isSecret, list);
}

function listPassedOver(
  context: PartyContext,
  identities: readonly AssertedIdentity[],
  isSecret: boolean,
  counted: string,
): string {
  let list = "";
  for (const identity of identities.slice(0, MOST_PARTIES)) {
    const { number, presentation, source } = identity;
    const isShown = presentation === "allowed";
    if (isShown && isNumberless(number)) continue;
    const isClear = isShown && number.kind !== "unusable" && !isSecret;
    const item = isClear ? textOf(number) : hashOf(context, number, isShown);
    const placed = (PASSED_OVER[source] ?? "") + item;
    if (!holds(counted, item) && !holds(list, placed)) list += ITEM + placed;
  }
  return list;
}

function listCounted(
  context: PartyContext,
  identities: readonly AssertedIdentity[],
  isSecret: boolean,
): string {
  let list = identities.some(({ presentation }) => presentation !== "allowed") ? ITEM + HIDDEN : "";
  let count = 0;
  let last = Number.NaN;
  for (const { number, presentation } of identities) {
    const isShown = presentation === "allowed";
    if (isShown && isNumberless(number)) continue;
    const isClear = isShown && number.kind !== "unusable" && !isSecret;
    // Nearly every call asserts the same number several times.
    if (isClear && number.key === last) continue;
    if (isClear) last = number.key;
    if (count === MOST_PARTIES) break;
    const item = isClear ? textOf(number) : hashOf(context, number, isShown);
    if (list !== "" && holds(list, item)) continue;
    list += ITEM + item;
    count++;
  }
  return list;
}

/** Lists the diverting parties of a call, to stand behind its calling parties. */
export function listDiverting(
  context: PartyContext,
  identities: readonly AssertedIdentity[],
  isSecret: boolean,
): string {
  let list = "";
  for (const { number } of identities) {
    const item = divertingItem(context, number, isSecret);
    if (!holds(list, item)) list += ITEM + item;
  }
  return list;
}

/** True when the list names the diverting party. */
export function namesDiverting(context: PartyContext, list: string, number: PartyNumber): boolean {
  if (!list.includes(ITEM + DIVERTING)) return false;
  return (
    holds(list, divertingItem(context, number, false)) || holds(list, divertingItem(context, number, true))
  );
}

function divertingItem(context: PartyContext, number: PartyNumber, isSecret: boolean): string {
  const isClear = number.kind !== "unusable" && !isSecret;
  return DIVERTING + (isClear ? textOf(number) : hashOf(context, number, true));
}

/** Lists the numbers and words that the called side may use for itself, each once. */
export function listCalled(context: PartyContext, numbers: readonly PartyNumber[]): string {
  let list = "";
  for (const number of numbers) {
    if (isNumberless(number)) continue;
    const item = number.kind === "unusable" ? hashOf(context, number, true) : textOf(number);
    if (!holds(list, item)) list += ITEM + item;
  }
  return list;
}

/**
 * True when the list names the identity of a calling party, in the presentation that was accepted. A hidden number that
 * is shown by now names nobody new.
 *
 * @param isOpen true: the presentation does not matter
 */
export function namesCalling(
  context: PartyContext,
  list: string,
  { number, presentation, source }: AssertedIdentity,
  isOpen: boolean,
): boolean {
  const isShown = presentation === "allowed";
  const mayShow = isShown || isOpen;
  if (isShown && isNumberless(number)) return true;
  // "anonymous" names nobody, and neither does a hidden name.
  if ((isOpen || holds(list, HIDDEN)) && isNobody(number)) return true;
  if (isListed(context, list, number, mayShow, "")) return true;
  const place = PASSED_OVER[source];
  return place !== undefined && isListed(context, list, number, mayShow, place);
}

function isListed(
  context: PartyContext,
  list: string,
  number: PartyNumber,
  mayShow: boolean,
  place: string,
): boolean {
  if (number.kind !== "unusable" && mayShow && holds(list, place + textOf(number))) return true;
  // Most lists hold clear numbers alone: nothing is hashed for them.
  if (!list.includes(ITEM + place + HASHED)) return false;
  if (holds(list, place + hashOf(context, number, false))) return true;
  return mayShow && holds(list, place + hashOf(context, number, true));
}

/** True when the list names the number of the called side, or when there is no number to name. */
export function namesCalled(context: PartyContext, list: string, number: PartyNumber): boolean {
  if (isNumberless(number)) return true;
  if (number.kind !== "unusable" && holds(list, textOf(number))) return true;
  return list.includes(ITEM + HASHED) && holds(list, hashOf(context, number, true));
}

/** True for a name without any digit, and for nothing at all: no number is no change. */
function isNumberless(number: PartyNumber): boolean {
  return number.kind === "unusable" && (number.why === "not-a-number" || number.why === "empty");
}

function isNobody(number: PartyNumber): boolean {
  return isNumberless(number) || (number.kind === "unusable" && number.why === "token");
}

/**
 * The key of a number as text. The digits of an E.164 number are its key: to write the key anew costs more than all the
 * rest of the list.
 */
function textOf(number: UsableNumber): string {
  return number.kind === "e164" && number.key > 0 ? number.e164 : String(number.key);
}

function hashOf({ tags, callId }: PartyContext, number: PartyNumber, isShown: boolean): string {
  const who = number.kind === "unusable" ? `word ${number.raw.toLowerCase()}` : `number ${number.key}`;
  const fields = `party\n${callId}\n${isShown ? "shown" : "hidden"}\n${who}`;
  return HASHED + tags.mac("identity", fields).slice(0, HASH_LENGTH);
}

function holds(list: string, item: string): boolean {
  const text = ITEM + item;
  for (let at = list.indexOf(text); at >= 0; at = list.indexOf(text, at + 1)) {
    const behind = list.charAt(at + text.length);
    if (behind === "" || behind === ITEM) return true;
  }
  return false;
}
