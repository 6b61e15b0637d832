// What the sender of a request looks like: its user agent and the codecs that it offers, as one number.

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SPACE = 0x20;
const LOWER_M = 0x6d;
const EQUALS = 0x3d;
const BIT_OF_CASE = 0x20;
const name = Uint8Array.from("user-agent", (letter) => letter.charCodeAt(0));

/** Octets that are read at most. User agents stand far before. */
const MOST = 4096;
/** Spaces before the first format of a medium: `m=audio 49170 RTP/AVP 0 8` (RFC 8866 section 5.14). */
const BEFORE_FORMATS = 3;

/**
 * Reads octets once, and makes no string. A field name may be written in any case; white space before its colon and folded
 * lines are read as they stand: they are part of what the sender looks like.
 *
 * @returns a hash of the value of the first User-Agent field and of the formats of each medium; 0 where there is neither
 */
export function readSenderPrint(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, MOST);
  let hash = 0;
  let isAgentSeen = false;
  let isBody = false;
  for (let at = 0; at < end;) {
    let from = -1;
    if (isBody) {
      if (bytes[at] === LOWER_M && bytes[at + 1] === EQUALS) from = formatsFrom(bytes, at, end);
    } else if (bytes[at] === CR || bytes[at] === LF) isBody = true;
    else if (!isAgentSeen && isAgentAt(bytes, at)) {
      isAgentSeen = true;
      from = at + name.length;
    }
    // The end of the line, hashed where it says something.
    let stop = at;
    while (stop < end && bytes[stop] !== LF) {
      if (from >= 0 && stop >= from && bytes[stop] !== CR) hash = step(hash, bytes[stop]!);
      stop++;
    }
    at = stop + 1;
  }
  return hash;
}

function step(hash: number, octet: number): number {
  const mixed = Math.imul(hash ^ octet ^ 0x9e37, 0x0100_0193);
  return mixed === 0 ? 1 : mixed;
}

function isAgentAt(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < name.length; i++) {
    if ((bytes[at + i]! | BIT_OF_CASE) !== name[i]) return false;
  }
  const next = bytes[at + name.length];
  return next === COLON || next === SPACE;
}

/** @returns where the formats begin; -1 where the line has none */
function formatsFrom(bytes: Uint8Array, at: number, end: number): number {
  let spaces = 0;
  for (let i = at; i < end && bytes[i] !== LF; i++)
    if (bytes[i] === SPACE && ++spaces === BEFORE_FORMATS) return i + 1;
  return -1;
}
