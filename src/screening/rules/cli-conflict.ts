// The rule cli-conflict: fields that must agree must assert the same number.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity, IdentitySource } from "../../domain/identity.ts";
import type { AgreementField, Trunk } from "../../domain/trunk.ts";
import { describeIdentity } from "../identities.ts";
import type { ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

const sourceOf: Readonly<Record<AgreementField, IdentitySource>> = {
  pai: "p-asserted-identity",
  rpid: "remote-party-id",
  isup: "isup-calling-party",
};

function sourcesOf(trunk: Trunk): readonly IdentitySource[] {
  return trunk.mustAgree.map((field) => sourceOf[field]);
}

/**
 * Returns the first identity whose number differs from an earlier one. From and generic number may
 * differ: authentication judges them.
 */
function findConflict(
  attempt: CallAttempt,
  sources: readonly IdentitySource[],
): AssertedIdentity | undefined {
  let agreed: number | undefined;
  for (const identity of attempt.calling) {
    if (identity.number.kind === "unusable" || !sources.includes(identity.source)) continue;
    if (agreed === undefined) agreed = identity.number.key;
    else if (agreed !== identity.number.key) return identity;
  }
  return undefined;
}

export const cliConflict: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "cli-conflict",
  stage: "screen",
  summary: "The fields named by the trunk's mustAgree must assert one and the same number.",
  reasons: ["cli-conflict"],
  options: optionsSchema,
  silentWhenPlain: true,
  compile(_options, { trunk }) {
    const sources = sourcesOf(trunk);
    if (sources.length === 0) return undefined;
    return (attempt) => {
      const conflict = findConflict(attempt, sources);
      if (conflict === undefined) return undefined;
      return { kind: "reject", reason: "cli-conflict", facts: { field: conflict.source } };
    };
  },
  explain({ attempt, tables }, finding) {
    const sources = sourcesOf(tables.trunk);
    const named = attempt.calling.filter((identity) => sources.includes(identity.source));
    const saw =
      named.length === 0 ? "none of the fields that must agree" : named.map(describeIdentity).join(", ");
    if (finding === undefined) return { saw };
    return {
      saw,
      change: `send one number in all of ${sources.join(", ")}, or remove a field from mustAgree`,
    };
  },
};
