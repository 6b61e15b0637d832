// The rule display-name: a display name must not mislead about the calling party.
import { z } from "zod";
import { findMisleadingName } from "../shown-name.ts";
import type { ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({
  action: z
    .enum(["strip", "reject"])
    .default("strip")
    .describe("strip: the call goes on without the display names of its callers; reject: it is refused."),
});
type Options = z.infer<typeof optionsSchema>;

export const displayName: ScreenRule<Options> = {
  id: "display-name",
  stage: "screen",
  summary: "A display name must not show another number, a short code, or that the caller is hidden.",
  reasons: ["display-name-misleading"],
  options: optionsSchema,
  silentWhenPlain: true,
  compile({ action }) {
    return (attempt) => {
      const found = findMisleadingName(attempt);
      if (found === undefined) return undefined;
      const { field, shows } = found;
      return { kind: action, reason: "display-name-misleading", facts: { field, shows } };
    };
  },
  explain({ attempt, options }, finding) {
    const shown = [...attempt.calling, ...(attempt.names ?? [])].filter(
      ({ display }) => display !== undefined,
    );
    if (shown.length === 0) return { saw: "no display name" };
    const found = findMisleadingName(attempt);
    if (finding === undefined || found === undefined) {
      return { saw: shown.map(({ display }) => JSON.stringify(display)).join(", ") };
    }
    const saw = `${found.field} shows ${JSON.stringify(found.name)}: ${found.shows}`;
    return options.action === "strip"
      ? { saw: `${saw}; display names are removed` }
      : { saw, change: "send a display name without numbers, or set action: strip" };
  },
};
