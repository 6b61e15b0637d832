// The rule diversion-licence: a diverting number on a leased line must be licensed to forward.
import { z } from "zod";
import { setColumn } from "../list-change.ts";
import type { Deny } from "../../domain/decision.ts";
import { findListed } from "../listed-row.ts";
import { licensedForwarder } from "../forwarding.ts";
import { formatNumber } from "../../domain/number.ts";
import { describeIdentity } from "../identities.ts";
import type { ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

const unlicensed: Deny = { kind: "reject", reason: "diversion-unlicensed" };

export const diversionLicence: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "diversion-licence",
  stage: "screen",
  summary: "Forwarding signalling on a leased line needs a last diverting number that may forward.",
  reasons: ["diversion-unlicensed"],
  options: optionsSchema,
  silentWhenPlain: true,
  compile(_options, { trunk, lesseeNumbers }) {
    if (trunk.side !== "lessee") return undefined;
    return (attempt) => {
      if (attempt.diversion.length === 0) return undefined;
      return licensedForwarder(attempt, lesseeNumbers) === undefined ? unlicensed : undefined;
    };
  },
  explain({ attempt, tables: { lesseeNumbers } }, finding) {
    const last = attempt.diversion[0];
    if (last === undefined) return { saw: "no forwarding signalling" };
    const saw = `last diverting party ${describeIdentity(last)}`;
    if (last.number.kind === "unusable")
      return { saw, change: "name the last diverting party by one number, the same in every field" };
    const found = lesseeNumbers === undefined ? -1 : findListed(lesseeNumbers, last.number.key, attempt.at);
    const row = found <= -2 ? -2 - found : found;
    const file = lesseeNumbers?.file ?? "the lessee's list";
    if (row < 0 || lesseeNumbers === undefined) {
      return finding === undefined
        ? { saw }
        : { saw, change: `add the diverting number to ${file} with may_forward yes` };
    }
    const line = `${file}:${lesseeNumbers.numbers.line(row)}`;
    const number = formatNumber(last.number) ?? "the diverting number";
    const set = (value: string): string => setColumn(lesseeNumbers, row, number, `may_forward ${value}`);
    if (finding === undefined) return { saw, line, change: set("no") };
    return { saw, line, change: found < 0 ? `renew the dates at ${line}` : set("yes") };
  },
};
