// The schema of the key `state` of trunks and lessees: a word, or an order with its dates.
import { z } from "zod";
import { lineStates } from "../../../domain/line-state.ts";
import { textSchema } from "../../yaml/schema-parts.ts";

const stateSchema = z
  .enum(lineStates)
  .describe(
    "active: the rules decide; observe: calls that the rules let pass are marked and recorded with evidence; suspended, closed: every call but emergency calls is refused as line-stopped.",
  );

const momentSchema = z.string().regex(/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.{0,12})?$/, {
  error: "expected a date like 2026-12-31, or a date-time like 2026-12-31T18:00",
});

const orderSchema = z
  .strictObject({
    state: stateSchema,
    order: textSchema.exactOptional().describe("Reference of the order."),
    authority: textSchema.exactOptional().describe("Who gave the order."),
    since: momentSchema
      .exactOptional()
      .describe("First day, or first moment. In `timeZone` where no offset is written."),
    until: momentSchema.exactOptional().describe("Last day, or the moment at which it ends."),
    reason: textSchema.exactOptional().describe("Why."),
    calls: z
      .enum(["keep", "release"])
      .default("keep")
      .describe("What becomes of calls that stand: keep lets them end by themselves, release ends them."),
  })
  .refine(({ state, calls }) => calls === "keep" || state === "suspended" || state === "closed", {
    error: "release is only for suspended and closed",
    path: ["calls"],
  });

/** Schema of `trunks[].state` and `lessees[].state`. */
export const lineStateSchema = z
  .union([stateSchema, orderSchema])
  .describe(
    "State of the line: a word, or a map with `state` and the order. The stricter one of trunk, lessee and the command `sigwall line` holds.",
  );

/** The key `state` as read. */
export type LineStateEntry = z.output<typeof lineStateSchema>;
