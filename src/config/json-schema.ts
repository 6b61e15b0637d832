import { z } from "zod";
import { policySchema } from "./policy/policy-schema.ts";
import type { JsonSchema } from "./yaml/schema-issues.ts";
import { staticSchema } from "./sigwall/static-schema.ts";

/** The shapes of both files as JSON Schema, as editors want it: draft 7 is what they all understand. */
export const jsonSchemas: { readonly sigwall: JsonSchema; readonly policy: JsonSchema } = {
  sigwall: { title: "sigwall.yaml", ...z.toJSONSchema(staticSchema, { io: "input", target: "draft-7" }) },
  policy: { title: "policy.yaml", ...z.toJSONSchema(policySchema, { io: "input", target: "draft-7" }) },
};
