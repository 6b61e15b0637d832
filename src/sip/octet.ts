// The octets and character classes that SIP is made of.

/** Octets with a meaning in SIP (RFC 3261 section 25.1). */
export const CR = 13;
export const LF = 10;
export const SP = 32;
export const TAB = 9;
export const COLON = 58;
export const DEL = 127;

/**
 * The characters of `token`, of which methods and header names are made (RFC 3261 section 25.1).
 */
export const isToken = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")
  isToken[char.charCodeAt(0)] = 1;

/** The octets that stand in the value of a field: everything but control bytes, of which TAB is one that may. */
const isText = new Uint8Array(256).fill(1, SP);
isText[DEL] = 0;
isText[TAB] = 1;

/** Returns where the text that begins at `from` ends: at a control byte that is no TAB, or at the end of the bytes. */
export function textEnd(bytes: Uint8Array, from: number): number {
  const n = bytes.length;
  const last = n - 4;
  let i = from;
  // Four at a time: most of a message is read here.
  while (
    i <= last &&
    (isText[bytes[i]!]! & isText[bytes[i + 1]!]! & isText[bytes[i + 2]!]! & isText[bytes[i + 3]!]!) === 1
  )
    i += 4;
  while (i < n && isText[bytes[i]!] === 1) i++;
  return i;
}
