// The addresses that messages name, as the strings that sockets take: each is made once while it is in use.
import { Buffer } from "node:buffer";

/** Strings that are remembered. One that meets another in its place is made again. */
const PLACES = 1024;
/** Octets of the longest address: IPv6 with an IPv4 part. */
const LONGEST = 45;

const names = Array.from<string>({ length: PLACES }).fill("");
const scratch = Buffer.alloc(LONGEST);

/** Returns the text of `bytes[start, end)`, ASCII and at most {@link LONGEST} octets; "" for a longer one. */
export function addressAt(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > LONGEST) return "";
  let hash = length;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  const place = (hash ^ (hash >>> 10)) & (PLACES - 1);
  const known = names[place]!;
  if (isSame(known, bytes, start, length)) return known;
  for (let i = 0; i < length; i++) scratch[i] = bytes[start + i]!;
  const name = scratch.toString("latin1", 0, length);
  names[place] = name;
  return name;
}

function isSame(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
