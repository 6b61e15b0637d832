// The keys `strip` and `label` of a trunk: their schemas and their compiled forms.
import { z } from "zod";
import type { CleanUp, LabelForm } from "../../../domain/trunk.ts";
import { isKept, longName } from "../../../sip/field-name.ts";

/** Name of a header field, a token (RFC 3261 section 25.1). */
const TOKEN = /^[A-Za-z0-9.!%*_+`'~-]{1,64}$/;

/** A header field that may be removed from a request. */
const fieldSchema = z.string().superRefine((name, context) => {
  if (!TOKEN.test(name))
    context.addIssue({ code: "custom", message: `"${name}" is not the name of a header field` });
  else if (isKept(name))
    context.addIssue({
      code: "custom",
      message: `"${name}" can't be removed: routing, dialogs or the body need it`,
    });
});

/** Schema of the key `strip` of a trunk. */
export const stripSchema = z
  .array(fieldSchema)
  .min(1)
  .describe("Header fields removed after judging. Case does not matter; compact forms are included.");

/** Text that is shown to people: printable, and short enough for any display. */
const shownSchema = z
  .string()
  .min(1)
  .max(64)
  .refine((text) => !/\p{C}/u.test(text), { error: "must not hold control characters" });

/** Schema of the key `label` of a trunk. */
export const labelSchema = z
  .strictObject({
    text: shownSchema.exactOptional().describe("Text for people, beside the reason code in P-Sigwall-Label."),
    displayName: shownSchema
      .exactOptional()
      .describe("Text put before the display name of the caller in From and P-Asserted-Identity."),
  })
  .describe("What a verdict `label` adds to the call, besides P-Sigwall-Label with the reason code.");

/**
 * Compiles what a trunk removes from its requests.
 * @returns undefined when it removes nothing
 */
export function compileCleanUp(strip: readonly string[] | undefined, verstat: boolean): CleanUp | undefined {
  if (strip === undefined && !verstat) return undefined;
  return Object.freeze({ fields: new Set((strip ?? []).map(longName)), verstat });
}

/** Compiles what a verdict `label` adds to the calls of a trunk. */
export function compileLabel(label: z.output<typeof labelSchema> | undefined): LabelForm {
  return Object.freeze({ text: label?.text ?? "", displayName: label?.displayName ?? "" });
}
