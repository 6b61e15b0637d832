// The rule bodies: a body that may name a caller must be one that is read.
import { z } from "zod";
import type { ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

export const bodies: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "bodies",
  stage: "screen",
  summary: "No part of the body may name a caller that nobody reads (QSIG, Q.931, GTD, a SIP message …).",
  reasons: ["body-names-caller"],
  options: optionsSchema,
  modes: { national: "monitor" },
  silentWhenPlain: true,
  compile() {
    return ({ unreadBody }) =>
      unreadBody === undefined
        ? undefined
        : { kind: "reject", reason: "body-names-caller", facts: { body: unreadBody } };
  },
  explain({ attempt, tables }, finding) {
    const { unreadBody } = attempt;
    if (finding === undefined || unreadBody === undefined) return { saw: "no body that may name a caller" };
    const saw = JSON.stringify(unreadBody);
    return {
      saw,
      change: unreadBody.includes("/")
        ? `send no body of that type, or add it to bodies of ${tables.trunk.id}`
        : "send each body with one Content-Type, unencoded, and parts that end in CRLF",
    };
  },
};
