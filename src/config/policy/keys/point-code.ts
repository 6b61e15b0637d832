// Reads SS7 point codes as operators write them.
import { z } from "zod";

/**
 * Reads a point code: a number, "14:3-146-2" (ITU: 3, 8 and 3 bits, Q.708), or "24:10-11-1" (three
 * octets: main signalling area, sub-area and point of GF001-9001; network, cluster and member of
 * ANSI).
 * @returns one number, or an empty list for text that is no point code
 */
export function readPointCode(written: number | string): readonly number[] {
  if (typeof written === "number")
    return Number.isInteger(written) && written >= 0 && written < 2 ** 24 ? [written] : [];
  const is24 = written.startsWith("24:");
  const is14 = written.startsWith("14:");
  if (!is24 && !is14) return [];
  const parts = written.slice(3).split("-", 4).map(readPart);
  const [first, second, third] = parts;
  if (parts.length !== 3 || first === undefined || second === undefined || third === undefined) return [];
  if (is24) return [first * 65_536 + second * 256 + third];
  return first > 7 || third > 7 ? [] : [first * 2048 + second * 8 + third];
}

/** Reads a decimal number from 0 to 255. */
function readPart(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) < 256 ? Number(text) : undefined;
}

/** Schema of a point code in a policy. */
export const pointCodeSchema = z
  .union([z.int().min(0).max(0xff_ffff), z.string()])
  .superRefine((written, context) => {
    if (readPointCode(written).length === 0)
      context.addIssue({
        code: "custom",
        message: `"${written}" is not a point code; expected a number, "14:3-146-2" or "24:10-11-1"`,
      });
  })
  .describe('A point code: a number, "14:3-146-2" (ITU) or "24:10-11-1" (China, ANSI).');
