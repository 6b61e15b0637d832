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
