// The dialogs of an answered call: one, or several where the call was forked on its way to the called party.
import { DIALOGS, IN_RELEASE, IN_SETUP, MOST_DIALOGS, ROW_WORDS, TAGS } from "./call-row.ts";

/*
 * The word DIALOGS: how many are known (3 bits), which of them stand (6 bits from bit 8), and the dialog of the last BYE
 * plus one (3 bits from bit 16; 0: its BYE was answered).
 */
const KNOWN = 7;
const STAND_SHIFT = 8;
const STANDS = 63;
const LAST_SHIFT = 16;

/** Dialogs that are known, of the word DIALOGS: so many tags stand behind it. */
export function countDialogs(dialogs: number): number {
  return dialogs & KNOWN;
}

/**
 * True for a word DIALOGS that a call in set-up, answered or in release can have. In set-up there is no dialog, an
 * answered call has one that stands, one in release has had one.
 */
export function canHaveDialogs(state: number, dialogs: number): boolean {
  const known = dialogs & KNOWN;
  const stands = (dialogs >>> STAND_SHIFT) & STANDS;
  const last = (dialogs >>> LAST_SHIFT) & KNOWN;
  if (known > MOST_DIALOGS || last > known || stands >= 2 ** known) return false;
  if (dialogs !== (known | (stands << STAND_SHIFT) | (last << LAST_SHIFT))) return false;
  if (state === IN_SETUP) return known === 0;
  return state === IN_RELEASE ? stands === 0 && last > 0 : stands > 0;
}

/**
 * FNV-1a with a finish that spreads it. It needs no key: the called party alone chooses tags, and two that meet merge
 * two dialogs of its own call. Without a key a snapshot is good in the next process too.
 */
export function hashTag(tag: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < tag.length; i++) hash = Math.imul(hash ^ tag.charCodeAt(i), 0x01000193);
  return spread(hash);
}

/** The same for a tag that is latin1 in octets. */
export function hashTagAt(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return spread(hash);
}

function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

function indexOf(words: Int32Array, at: number, tag: number): number {
  const known = words[at + DIALOGS]! & KNOWN;
  for (let i = 0; i < known; i++) if (words[at + TAGS + i] === tag) return i;
  return -1;
}

/** True when the call has a dialog of this tag, whether it stands or not. */
export function knowsDialog(words: Int32Array, row: number, tag: number): boolean {
  return indexOf(words, row * ROW_WORDS, tag) >= 0;
}

/**
 * A dialog of an unknown tag begins. @returns false when {@link MOST_DIALOGS} are known: the call then ends with these,
 * by the expiry of its session, or as lost
 */
export function beginDialog(words: Int32Array, row: number, tag: number): boolean {
  const at = row * ROW_WORDS;
  const known = words[at + DIALOGS]! & KNOWN;
  if (known >= MOST_DIALOGS) return false;
  words[at + TAGS + known] = tag;
  words[at + DIALOGS] = (words[at + DIALOGS]! + 1) | (1 << (STAND_SHIFT + known));
  return true;
}

/**
 * A BYE ends the dialog of this tag. An unknown tag means the only dialog, where there is one: the BYE of a caller may
 * name a fork whose 2xx has taken another way.
 *
 * @returns true when the dialog stood until now
 */
export function endDialog(words: Int32Array, row: number, tag: number): boolean {
  const at = row * ROW_WORDS;
  const dialogs = words[at + DIALOGS]!;
  const found = indexOf(words, at, tag);
  const index = found < 0 && (dialogs & KNOWN) === 1 ? 0 : found;
  if (index < 0 || (dialogs & (1 << (STAND_SHIFT + index))) === 0) return false;
  const others = dialogs & ~(1 << (STAND_SHIFT + index)) & ~(KNOWN << LAST_SHIFT);
  words[at + DIALOGS] = others | ((index + 1) << LAST_SHIFT);
  return true;
}

/** True when the dialog of this tag stands. */
export function standsWith(words: Int32Array, row: number, tag: number): boolean {
  const at = row * ROW_WORDS;
  const index = indexOf(words, at, tag);
  return index >= 0 && (words[at + DIALOGS]! & (1 << (STAND_SHIFT + index))) !== 0;
}

/** True when at least one dialog stands. */
export function hasDialog(words: Int32Array, row: number): boolean {
  return (words[row * ROW_WORDS + DIALOGS]! & (STANDS << STAND_SHIFT)) !== 0;
}

/** True for a known dialog that the last BYE, where one waits for its answer, does not end. */
export function isOtherDialog(words: Int32Array, row: number, tag: number): boolean {
  const at = row * ROW_WORDS;
  const last = (words[at + DIALOGS]! >>> LAST_SHIFT) & KNOWN;
  const index = indexOf(words, at, tag);
  return index >= 0 && index !== last - 1;
}

/** The dialog of this tag stands again: its BYE was refused. @returns false when it stood all the time, or is unknown */
export function restoreDialog(words: Int32Array, row: number, tag: number): boolean {
  const at = row * ROW_WORDS;
  const index = indexOf(words, at, tag);
  const stands = 1 << (STAND_SHIFT + index);
  if (index < 0 || (words[at + DIALOGS]! & stands) !== 0) return false;
  words[at + DIALOGS] = words[at + DIALOGS]! | stands;
  return true;
}

/** The last BYE was answered; where it was refused, its dialog stands again. @returns false when no BYE waits */
export function settleBye(words: Int32Array, row: number, isRefused: boolean): boolean {
  const at = row * ROW_WORDS;
  const dialogs = words[at + DIALOGS]!;
  const last = (dialogs >>> LAST_SHIFT) & KNOWN;
  if (last === 0) return false;
  const settled = dialogs & ~(KNOWN << LAST_SHIFT);
  words[at + DIALOGS] = isRefused ? settled | (1 << (STAND_SHIFT + last - 1)) : settled;
  return true;
}
