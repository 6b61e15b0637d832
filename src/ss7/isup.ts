// Reads an ISUP message: type, mandatory part and optional parameters, before anything is judged.
import { Buffer } from "node:buffer";

/** The ISUP message types that the filter distinguishes (Q.763 table 4). */
export const IsupType = {
  iam: 0x01,
  sam: 0x02,
  inr: 0x03,
  inf: 0x04,
  cot: 0x05,
  acm: 0x06,
  con: 0x07,
  anm: 0x09,
  rel: 0x0c,
  sus: 0x0d,
  res: 0x0e,
  rlc: 0x10,
  rsc: 0x12,
  grs: 0x17,
  cpg: 0x2c,
  cfn: 0x2f,
  fac: 0x33,
  idr: 0x36,
  irs: 0x37,
  sgm: 0x38,
  sdm: 0x43,
} as const;

/** The optional parameters that are read (Q.763 table 5). All others pass unchanged. */
export const IsupParameter = {
  subsequentNumber: 0x05,
  optionalForwardCallIndicators: 0x08,
  callingPartyNumber: 0x0a,
  redirectingNumber: 0x0b,
  redirectionInformation: 0x13,
  originalCalledNumber: 0x28,
  displayInformation: 0x73,
  genericNumber: 0xc0,
  /** ANSI only (T1.113). */
  genericName: 0xc7,
} as const;

/**
 * The layout of an IAM. `itu` is Q.763, also in its Chinese form (YDN 038) and BICC (Q.1902.3).
 * `ansi` is T1.113, with user service information in place of the transmission medium requirement.
 */
export type IsupVariant = "itu" | "ansi";

/** How the ISUP messages of a peer are laid out. */
export interface IsupLayout {
  readonly variant: IsupVariant;
  /**
   * True: the optional part may end with the message. Q.763 section 1.8 demands an octet "end of
   * optional parameters", which some exchanges leave out.
   */
  readonly endMayBeMissing: boolean;
}

/**
 * At most this many optional parameters. No exchange sends more, and a message with more cannot be
 * judged.
 */
export const MAX_PARAMETERS = 64;

/**
 * One ISUP message as positions in the bytes it was received in. The object is reused: it is valid
 * until the next {@link readIsup} into it, so nothing may keep it.
 */
export interface IsupMessage {
  bytes: Buffer;
  /** The message type stands at `start`. A label and a CIC lie before it. */
  start: number;
  end: number;
  /** {@link IsupType}, or another value; -1 when there is no octet. */
  type: number;
  /**
   * The content of the mandatory variable parameter: called party number of an IAM, subsequent
   * number of a SAM, cause of a REL, range and status of a GRS. `variableStart` is -1 when the type
   * has none.
   */
  variableStart: number;
  variableEnd: number;
  /** The optional parameters in their order: code, and where the content begins and ends. */
  optionalCount: number;
  readonly optionalCode: Uint8Array;
  readonly optionalStart: Int32Array;
  readonly optionalEnd: Int32Array;
  /** In words, why the message cannot be read safely; undefined when it can. */
  fault: string | undefined;
}

/** Makes an empty view for {@link readIsup} to fill. */
export function createIsupMessage(): IsupMessage {
  return {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    type: -1,
    variableStart: -1,
    variableEnd: -1,
    optionalCount: 0,
    optionalCode: new Uint8Array(MAX_PARAMETERS),
    optionalStart: new Int32Array(MAX_PARAMETERS),
    optionalEnd: new Int32Array(MAX_PARAMETERS),
    fault: undefined,
  };
}

/**
 * The octets of the mandatory fixed part, and how many pointers to mandatory variable parameters
 * follow it.
 */
interface MandatoryPart {
  readonly fixed: number;
  readonly pointers: number;
  /** Whether the last pointer leads to an optional part. Messages that cannot have one lack it. */
  readonly hasOptional: boolean;
}

const iamLayouts: Readonly<Record<IsupVariant, MandatoryPart>> = {
  itu: { fixed: 5, pointers: 1, hasOptional: true },
  ansi: { fixed: 4, pointers: 2, hasOptional: true },
};

const layouts: ReadonlyMap<number, MandatoryPart> = new Map([
  [IsupType.sam, { fixed: 0, pointers: 1, hasOptional: true }],
  [IsupType.inr, { fixed: 2, pointers: 0, hasOptional: true }],
  [IsupType.inf, { fixed: 2, pointers: 0, hasOptional: true }],
  [IsupType.cot, { fixed: 1, pointers: 0, hasOptional: false }],
  [IsupType.acm, { fixed: 2, pointers: 0, hasOptional: true }],
  [IsupType.con, { fixed: 2, pointers: 0, hasOptional: true }],
  [IsupType.anm, { fixed: 0, pointers: 0, hasOptional: true }],
  [IsupType.rel, { fixed: 0, pointers: 1, hasOptional: true }],
  [IsupType.sus, { fixed: 1, pointers: 0, hasOptional: true }],
  [IsupType.res, { fixed: 1, pointers: 0, hasOptional: true }],
  [IsupType.rlc, { fixed: 0, pointers: 0, hasOptional: true }],
  [IsupType.rsc, { fixed: 0, pointers: 0, hasOptional: false }],
  [IsupType.grs, { fixed: 0, pointers: 1, hasOptional: false }],
  [IsupType.cpg, { fixed: 1, pointers: 0, hasOptional: true }],
  [IsupType.cfn, { fixed: 0, pointers: 1, hasOptional: true }],
  [IsupType.fac, { fixed: 0, pointers: 0, hasOptional: true }],
  [IsupType.idr, { fixed: 0, pointers: 0, hasOptional: true }],
  [IsupType.irs, { fixed: 0, pointers: 0, hasOptional: true }],
  [IsupType.sgm, { fixed: 0, pointers: 0, hasOptional: true }],
  [IsupType.sdm, { fixed: 0, pointers: 0, hasOptional: true }],
]);

/** @returns true for a message type whose layout is known here */
export function isIsupType(type: number): boolean {
  return type === IsupType.iam || layouts.has(type);
}

/**
 * Reads the ISUP message `bytes[start, end)`, which begins with its message type (Q.763 section 1).
 * Parameters of an unknown type are not read. Octets after the end of the optional part, such as
 * padding or a frame check sequence, are ignored.
 * @param message is filled; it refers to `bytes` until the next reading
 * @param form the layout; a variant alone stands for its strict one
 * @param bytes the buffer that holds the message
 * @param start where the message type stands
 * @param end where the message ends
 * @returns false when the message cannot be read safely; `message.fault` says why, and
 *   `message.type` is still right
 */
export function readIsup(
  message: IsupMessage,
  form: IsupVariant | IsupLayout,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  message.bytes = bytes;
  message.start = start;
  message.end = end;
  message.type = -1;
  message.variableStart = -1;
  message.variableEnd = -1;
  message.optionalCount = 0;
  message.fault = undefined;
  if (start >= end) return refuse(message, "the message is empty");
  const type = bytes[start]!;
  message.type = type;
  const variant = typeof form === "string" ? form : form.variant;
  const layout = type === IsupType.iam ? iamLayouts[variant] : layouts.get(type);
  if (layout === undefined) return true;
  let at = start + 1 + layout.fixed;
  if (at + layout.pointers > end) return refuse(message, "the message ends inside its mandatory part");
  for (let pointer = 0; pointer < layout.pointers; pointer++, at++) {
    const length = at + bytes[at]!;
    // A pointer counts from its own octet. 0, or a pointer past the end, leads nowhere (Q.763
    // section 1.3).
    if (length === at || length >= end) return refuse(message, "a pointer leads out of the message");
    const content = length + 1;
    if (content + bytes[length]! > end) return refuse(message, "a mandatory parameter ends past the message");
    // ANSI puts the user service information first, so the parameter that is read comes last.
    message.variableStart = content;
    message.variableEnd = content + bytes[length]!;
  }
  if (!layout.hasOptional || (type !== IsupType.iam && at === end)) return true;
  if (at >= end) return refuse(message, "the message ends before its optional part");
  const endMayBeMissing = typeof form !== "string" && form.endMayBeMissing;
  return bytes[at] === 0 || readOptional(message, at + bytes[at]!, endMayBeMissing);
}

/** Reads optional parameters: code, length and content, until a code of 0 (Q.763 section 1.8). */
function readOptional(message: IsupMessage, begin: number, endMayBeMissing: boolean): boolean {
  const { bytes, end, optionalCode, optionalStart, optionalEnd } = message;
  let at = begin;
  while (at < end) {
    const code = bytes[at]!;
    if (code === 0) return true;
    if (at + 1 >= end) return refuse(message, "an optional parameter without length");
    const content = at + 2;
    const next = content + bytes[at + 1]!;
    if (next > end) return refuse(message, "an optional parameter ends past the message");
    const count = message.optionalCount;
    if (count === MAX_PARAMETERS) return refuse(message, `more than ${MAX_PARAMETERS} optional parameters`);
    if (isSingle(code) && findParameter(message, code) >= 0)
      return refuse(message, `parameter ${code} appears twice`);
    optionalCode[count] = code;
    optionalStart[count] = content;
    optionalEnd[count] = next;
    message.optionalCount = count + 1;
    at = next;
  }
  return (endMayBeMissing && at === end) || refuse(message, "the optional part has no end");
}

/**
 * Tells whether the parameter may stand only once. With two of them, two readers could see two
 * callers.
 */
function isSingle(code: number): boolean {
  return (
    code === IsupParameter.subsequentNumber ||
    code === IsupParameter.callingPartyNumber ||
    code === IsupParameter.redirectingNumber ||
    code === IsupParameter.redirectionInformation ||
    code === IsupParameter.originalCalledNumber ||
    code === IsupParameter.optionalForwardCallIndicators
  );
}

/** @returns the index of the next optional parameter `code` after index `after`, or -1 */
export function findParameter(message: IsupMessage, code: number, after = -1): number {
  for (let i = after + 1; i < message.optionalCount; i++) if (message.optionalCode[i] === code) return i;
  return -1;
}

/**
 * @returns the calling party's category of an IAM, or -1 when there is none (Q.763 section 3.11)
 */
export function categoryOf(message: IsupMessage): number {
  return message.type === IsupType.iam && message.start + 4 < message.end
    ? message.bytes[message.start + 4]!
    : -1;
}

/**
 * @returns true when an IAM says that a segmentation message with more parameters follows (Q.764
 *   section 2.1.12)
 */
export function isSegmented(message: IsupMessage): boolean {
  const i = findParameter(message, IsupParameter.optionalForwardCallIndicators);
  if (i < 0) return false;
  const at = message.optionalStart[i]!;
  return at < message.optionalEnd[i]! && (message.bytes[at]! & 4) !== 0;
}

function refuse(message: IsupMessage, why: string): false {
  message.fault = why;
  return false;
}
