import { type DialPlan, NumberFlag, type PartyNumber } from "../../src/domain/number.ts";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";

const flagNames: ReadonlyMap<number, string> = new Map([
  [NumberFlag.subscriberNature, "NoA1"],
  [NumberFlag.unknownNature, "NoA2"],
  [NumberFlag.domesticForm, "domesticForm"],
  [NumberFlag.noPlus, "noPlus"],
  [NumberFlag.prefix00, "prefix00"],
  [NumberFlag.local, "local"],
  [NumberFlag.nsn, "nsn"],
  [NumberFlag.context, "context"],
  [NumberFlag.ambiguous, "ambiguous"],
]);

/** The trunk of a test row: `intl`, `domestic`, or `domestic:AREA`; pbx.example.cn is its phone-context. */
export function planOf(context: string, given: Partial<DialPlan> = {}): DialPlan {
  const area = context.startsWith("domestic:") ? context.slice("domestic:".length) : undefined;
  return createDialPlan({
    international: context === "intl",
    homeArea: area,
    phoneContexts: new Set(["pbx.example.cn"]),
    ...given,
  });
}

/** A reading on one line: `+861087654321 fixed nsn`, `short 95588 enterprise_95`, `invalid: no rule`. */
export function describeNumber(number: PartyNumber): string {
  if (number.kind === "unusable") return `${number.why}: ${number.detail}`;
  const value = number.kind === "e164" ? `+${number.e164}` : `short ${number.code}`;
  return [value, number.class, ...flagsOf(number.flags)].join(" ");
}

/** Names of the flags that are set, as the case file writes them. */
export function flagsOf(flags: number): readonly string[] {
  return [...flagNames].filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}
