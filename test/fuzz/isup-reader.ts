import { fieldOf, type Draft } from "./draft.ts";

/** What an IAM says of a caller; `isHidden`: its presentation is restricted. */
export interface IsupCaller {
  /** With "+" where the nature of address is international. */
  readonly digits: string;
  readonly isHidden: boolean;
}

/** Calling party number and generic number (ITU-T Q.763 section 3.1). */
const callerParameters = new Set([0x0a, 0xc0]);

/** Where the pointer to the optional part of an IAM stands (Q.763 table 32). */
const OPTIONAL_POINTER = 7;

/**
 * The callers of an ISUP body, read by the tables of Q.763 and nothing of the filter's; undefined where the body is no IAM.
 * A body of one part only: `multipart` is left to the filter.
 */
export function readIsupCallers({ body }: Draft): readonly IsupCaller[] | undefined {
  const at = (index: number): number => body.charCodeAt(index) || 0;
  if (body.length <= OPTIONAL_POINTER || at(0) !== 1) return undefined;
  const callers: IsupCaller[] = [];
  if (at(OPTIONAL_POINTER) === 0) return callers;
  for (let from = OPTIONAL_POINTER + at(OPTIONAL_POINTER); from < body.length && at(from) !== 0;) {
    const length = at(from + 1);
    const contents = body.slice(from + 2, from + 2 + length);
    // A generic number has its qualifier in front.
    if (callerParameters.has(at(from)))
      callers.push(readNumber(at(from) === 0xc0 ? contents.slice(1) : contents));
    from += 2 + length;
  }
  return callers;
}

function readNumber(contents: string): IsupCaller {
  const nature = contents.charCodeAt(0) & 0x7f;
  const indicators = contents.charCodeAt(1) || 0;
  let digits = nature === 4 ? "+" : "";
  for (let index = 2; index < contents.length; index++) {
    const pair = contents.charCodeAt(index);
    digits += (pair & 15).toString(16) + (pair >> 4).toString(16);
  }
  if (contents.charCodeAt(0) >= 0x80) digits = digits.slice(0, -1);
  return { digits: digits.replace(/f$/, ""), isHidden: ((indicators >> 2) & 3) === 1 };
}

/** True where the message says that its whole body is ISUP (RFC 3204). */
export function claimsIsup(draft: Draft): boolean {
  return /^application\s*\/\s*isup/i.test(fieldOf(draft, "content-type"));
}
