// The schema of `match`: by what a policy tells its trunks apart.
import { z } from "zod";
import type { CircuitRange } from "../../../policy/trunk-match.ts";
import { networkSchema, portSchema, textSchema, tlsNameSchema } from "../../yaml/schema-parts.ts";
import { pointCodeSchema } from "./point-code.ts";

/** A call instance code of BICC has 32 bits; circuits of ISUP have 12, in ANSI 14 (Q.1902.3, Q.763, T1.113). */
const HIGHEST_CIRCUIT = 0xffff_ffff;

/**
 * Reads circuits: a number, "64", or "1-30" with both ends included.
 * @returns one range, or an empty list for text that is none
 */
export function readCircuits(written: number | string): readonly CircuitRange[] {
  const ends = typeof written === "number" ? [written] : written.split("-", 3).map(readCircuit);
  const [first, last = first] = ends;
  if (ends.length > 2 || first === undefined || last === undefined) return [];
  return first <= last && last <= HIGHEST_CIRCUIT ? [{ first, last }] : [];
}

/** Reads a list of circuits. Ranges that overlap or touch become one, and the lowest comes first. */
export function joinCircuits(written: readonly (number | string)[]): readonly CircuitRange[] {
  const joined: CircuitRange[] = [];
  for (const range of written.flatMap(readCircuits).toSorted((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + 1) joined.push(range);
    else joined[joined.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  return joined;
}

function readCircuit(text: string): number {
  return /^(?:0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Number.NaN;
}

const circuitsSchema = z
  .union([z.int().min(0).max(HIGHEST_CIRCUIT), z.string()])
  .superRefine((written, context) => {
    if (typeof written === "string" && readCircuits(written).length === 0)
      context.addIssue({
        code: "custom",
        message: `"${written}" is no circuit; expected a number, or a range like "1-30"`,
      });
  })
  .describe('Circuits: a number, or a range like "1-30".');

const indicatorSchema = z.int().min(0).max(3);
const appearanceSchema = z.int().min(0).max(0xffff_ffff);

/** Schema of `trunks[].match`. */
export const matchSchema = z
  .strictObject({
    addresses: z.array(networkSchema).min(1).describe("Source addresses or blocks; the longest prefix wins."),
    ports: z.array(portSchema).min(1).exactOptional().describe("Source ports. Any when left out."),
    listener: textSchema
      .exactOptional()
      .describe("One of `listen` in sigwall.yaml, written the same way. Any when left out."),
    tlsName: tlsNameSchema.exactOptional(),
    opc: z
      .array(pointCodeSchema)
      .min(1)
      .max(64)
      .exactOptional()
      .describe("SS7 only: originating point codes. Any when left out."),
    dpc: z
      .array(pointCodeSchema)
      .min(1)
      .max(64)
      .exactOptional()
      .describe("SS7 only: destination point codes. Any when left out."),
    cic: z
      .array(circuitsSchema)
      .min(1)
      .max(256)
      .exactOptional()
      .describe(
        "SS7 only: circuits, as the sender numbers them. Messages without a circuit match too. Any when left out.",
      ),
    networkAppearance: z
      .union([appearanceSchema, z.array(appearanceSchema).min(1).max(64)])
      .exactOptional()
      .describe(
        "SS7 only: network appearances of M3UA. Messages without one don't match. Any when left out.",
      ),
    ni: z
      .union([indicatorSchema, z.array(indicatorSchema).min(1).max(4)])
      .exactOptional()
      .describe("SS7 only: network indicators, 0 to 3 (Q.704 section 14.2.2). Any when left out."),
  })
  .describe("Which messages come from this trunk; the most specific match wins.");
