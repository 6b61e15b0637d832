import { z } from "zod";
import type { CleanUp, LabelForm } from "../../domain/trunk.ts";
import { isKept, longName } from "../../sip/field-name.ts";

/** RFC 3261 section 25.1 `token`. */
const TOKEN = /^[A-Za-z0-9.!%*_+`'~-]{1,64}$/;

/** A header field that may be taken out of a request. */
const fieldSchema = z.string().superRefine((name, context) => {
  if (!TOKEN.test(name))
    context.addIssue({ code: "custom", message: `"${name}" is no name of a header field` });
  else if (isKept(name))
    context.addIssue({
      code: "custom",
      message: `"${name}" can't be removed: routing, dialogs or the body need it`,
    });
});

/** The key `strip` of a trunk. */
export const stripSchema = z
  .array(fieldSchema)
  .min(1)
  .describe("Header fields removed after judging; names in any case, compact forms included.");

/** Shown to people: printable, and short enough for any display. */
const shownSchema = z
  .string()
  .min(1)
  .max(64)
  .refine((text) => !/\p{C}/u.test(text), { error: "must not hold control characters" });

/** The key `label` of a trunk. */
export const labelSchema = z
  .strictObject({
    text: shownSchema.exactOptional().describe("For people, beside the reason code in P-Sigwall-Label."),
    displayName: shownSchema
      .exactOptional()
      .describe("Put in front of the caller's display name in From and P-Asserted-Identity."),
  })
  .describe("What a verdict `label` adds to the call; P-Sigwall-Label with the reason code in any case.");

/** What a trunk takes out; undefined: nothing. */
export function compileCleanUp(strip: readonly string[] | undefined, verstat: boolean): CleanUp | undefined {
  if (strip === undefined && !verstat) return undefined;
  return Object.freeze({ fields: new Set((strip ?? []).map(longName)), verstat });
}

export function compileLabel(label: z.output<typeof labelSchema> | undefined): LabelForm {
  return Object.freeze({ text: label?.text ?? "", displayName: label?.displayName ?? "" });
}
