// Reads the names of the calling party that an ISUP message shows.
import type { Buffer } from "node:buffer";
import type { NameSource, Presentation, ShownName } from "../domain/identity.ts";
import { IsupParameter, type IsupMessage } from "./isup.ts";

/** At most this many names are read; no exchange sends more. */
const MOST_NAMES = 8;

const none: readonly ShownName[] = [];

/**
 * The types of name in a generic name (ANSI T1.113): the calling party's, and those of other parties: original
 * called, redirecting and connected name. All that are left are spare.
 */
const CALLING_NAME = 1;
const otherTypes: ReadonlySet<number> = new Set([2, 3, 4]);

/**
 * Reads the generic names (ANSI T1.113) and the display information (Q.763) that may be shown as the calling party's
 * name. `message` was read without fault.
 * @param doubtful true: a generic name whose type no standard knows is the calling party's
 * @returns the names, or in words why they can't be read
 */
export function readNames(message: IsupMessage, doubtful: boolean): readonly ShownName[] | string {
  let names: ShownName[] | undefined;
  for (let i = 0; i < message.optionalCount; i++) {
    const code = message.optionalCode[i]!;
    if (code !== IsupParameter.genericName && code !== IsupParameter.displayInformation) continue;
    const name =
      code === IsupParameter.genericName ? readGeneric(message, i, doubtful) : readDisplay(message, i);
    if (typeof name === "string") return name;
    if (name === undefined) continue;
    names ??= [];
    if (names.length === MOST_NAMES) return `more than ${MOST_NAMES} names`;
    names.push(name);
  }
  return names ?? none;
}

/** A generic name begins with its indicators: type (3 bits), availability (1), spare (2), presentation (2). */
function readGeneric(message: IsupMessage, index: number, doubtful: boolean): ShownName | string | undefined {
  const start = message.optionalStart[index]!;
  const end = message.optionalEnd[index]!;
  if (start === end) return "a generic name is cut short";
  const indicators = message.bytes[start]!;
  const type = indicators >>> 5;
  if (type !== CALLING_NAME && (!doubtful || otherTypes.has(type))) return undefined;
  return nameOf("isup-generic-name", message.bytes, start + 1, end, presentationOf(indicators));
}

/** Of availability and presentation, "blocking toggle" and "no indication" hide nothing by themselves. */
function presentationOf(indicators: number): Presentation {
  if ((indicators & 0x10) !== 0) return "unavailable";
  return (indicators & 3) === 1 ? "restricted" : "allowed";
}

/** Display information is the content of the information element "display" (Q.931 section 4.5.16): characters alone. */
function readDisplay(
  { bytes, optionalStart, optionalEnd }: IsupMessage,
  index: number,
): ShownName | undefined {
  return nameOf("isup-display-information", bytes, optionalStart[index]!, optionalEnd[index]!, "allowed");
}

/** Control characters are left out: displays show nothing in their place. */
function nameOf(
  source: NameSource,
  bytes: Buffer,
  start: number,
  end: number,
  presentation: Presentation,
): ShownName | undefined {
  let display = "";
  for (const char of bytes.toString("latin1", start, end))
    if (char >= " " && char !== "\x7f") display += char;
  return display.trim() === "" ? undefined : { source, display, presentation };
}
