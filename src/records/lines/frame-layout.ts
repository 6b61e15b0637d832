// How events lie in the ring between the call thread and the records thread: kinds, flags, bounds and tables of words.
import type { SignallingSource } from "../../domain/attempt.ts";
import type { Action } from "../../domain/call.ts";
import type { NameSource, Presentation } from "../../domain/identity.ts";

/** The first octet of a frame. */
export const Frame = { decided: 1, request: 2, ended: 3, moved: 4, shed: 5, gap: 6 } as const;

/** The second octet of a frame, as bits. */
export const FrameFlag = {
  /** The message is evidence: it was refused, withheld, labelled or marked for it. */
  evidence: 1,
  /** Somebody waits until the line is on disk. */
  wait: 2,
} as const;

/** At most this many octets of a message go into the ring, beside its real length. */
export const MOST_MESSAGE = 16_384;

/** At most this many octets of one text of a peer go into the ring: 256 code points have no more. */
export const MOST_TEXT = 1024;

/** At most this many parties, shadow findings or marks of one attempt go into the ring. */
export const MOST_PARTIES = 16;
export const MOST_FINDINGS = 32;

/** Octets of the longest frame: parties with number, code and display name, everything else, what findings name, and the message. */
export const LONGEST_FRAME =
  (2 * MOST_PARTIES + 1) * 3 * (2 * MOST_TEXT) + 32_768 + MOST_FINDINGS * (2 * MOST_TEXT) + MOST_MESSAGE;

/** The first octet of a text. */
export const Text = { absent: 0, octets: 1, utf8: 2 } as const;

/** Numbers of names from this one on have another meaning. Names have 1 and more; 0: there is none. */
export const MOST_NAMES = 0xfff0;
/** A number and the text of a new name follow. */
export const NEW_NAME = 0xffff;
/** A text follows that has no number: there are too many names. */
export const NO_NAME = 0xfffe;

/** The kinds of numbers. */
export const NumberKind = { e164: 0, short: 1, unusable: 2 } as const;

/** A number that a field of 16 or 32 bits leaves out. */
export const NONE_16 = 0xffff;
export const NONE_32 = 0xffff_ffff;

// Tables: the position of a word is its code.

export const signallings = [
  "sip",
  "sip-i",
  "isup",
] as const satisfies readonly SignallingSource["signalling"][];
export const transports = [
  "udp",
  "tcp",
  "tls",
  "sctp",
  "mtp",
] as const satisfies readonly SignallingSource["transport"][];
export const presentations = [
  "allowed",
  "restricted",
  "unavailable",
] as const satisfies readonly Presentation[];
export const nameSources = [
  "isup-generic-name",
  "isup-display-information",
] as const satisfies readonly NameSource[];
export const actionKinds = [
  "forwarded",
  "redirected",
  "answered",
  "released",
  "silent",
] as const satisfies readonly Action["kind"][];
export const movedWhys = ["down", "503", "unreached"] as const;
