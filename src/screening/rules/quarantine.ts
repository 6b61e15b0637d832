// The rule quarantine: calls of whom a finding or an order binds are refused, labelled, or sent on without their number.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Deny, Mark } from "../../domain/decision.ts";
import { formatSubject } from "../../domain/finding.ts";
import { formatKey, type PartyNumber } from "../../domain/number.ts";
import { type Entry, NOWHERE } from "../../state/quarantine/quarantine-table.ts";
import { authorityClasses } from "../authority-classes.ts";
import { isEmergencyCall } from "../emergency-call.ts";
import { isToEmergencyParty } from "../emergency-parties.ts";
import { isCounted } from "../identities.ts";
import type { PolicyTables, ScreenRule } from "../rule.ts";
import type { ScreeningState } from "../state.ts";

const optionsSchema = z.strictObject({});

type Usable = Exclude<PartyNumber, { readonly kind: "unusable" }>;

/** An entry that refuses is stronger than one that marks, and to withhold is stronger than to label. */
function stronger(
  entry: Entry | undefined,
  other: Entry | undefined,
  { at }: CallAttempt,
): Entry | undefined {
  if (entry === undefined || other === undefined) return entry ?? other;
  if (at < entry.held.until) return entry;
  if (at < other.held.until) return other;
  return entry.held.mark === "withhold" ? entry : other;
}

/**
 * True for the number of a public authority that counts as the authority's on this trunk: on a lessee's trunk where the
 * list has it, on one of the country's networks, never from abroad.
 */
function isAuthority(number: Usable, { trunk, lesseeNumbers }: PolicyTables, at: number): boolean {
  if (!authorityClasses.has(number.class) || trunk.side === "international") return false;
  return (
    trunk.side !== "lessee" ||
    (lesseeNumbers !== undefined && lesseeNumbers.numbers.find(number.key, at) >= 0)
  );
}

/** True where every number that the call asserts is an authority's: none of others hides behind one of 110. */
function isOfAuthority(attempt: CallAttempt, tables: PolicyTables): boolean {
  let isOne = false;
  for (const identity of attempt.calling) {
    if (identity.number.kind === "unusable" || !isCounted(attempt, identity)) continue;
    if (!isAuthority(identity.number, tables, attempt.at)) return false;
    isOne = true;
  }
  return isOne;
}

/** True where the shield refuses this number: it took part, she did not answer it, and nobody trusts it. */
function isShielded(
  entry: Entry,
  place: number,
  caller: Usable,
  called: number,
  attempt: CallAttempt,
  { trustedLists }: PolicyTables,
  state: ScreeningState,
): boolean {
  if (entry.shield?.has(place, caller.key) !== true) return false;
  if (state.answered.has(caller.key, called, attempt.at)) return false;
  for (const { numbers } of trustedLists) if (numbers.find(caller.key, attempt.at) >= 0) return false;
  return true;
}

/** The strongest entry that binds the call, whoever it may be spared for. */
function findEntry(attempt: CallAttempt, tables: PolicyTables, state: ScreeningState): Entry | undefined {
  const { quarantine } = state;
  const place = quarantine.placeOf(tables.trunk.id);
  // Who is shielded is shielded from callers on their trunks.
  if (place === NOWHERE) return undefined;
  const { called } = attempt;
  const shield =
    quarantine.shields === 0 || called.kind === "unusable" ? undefined : quarantine.ofCalled(called, attempt);
  let found = quarantine.ofTrunk(place, attempt);
  let last: Usable | undefined;
  for (const identity of attempt.calling) {
    const { number } = identity;
    if (number.kind === "unusable" || !isCounted(attempt, identity)) continue;
    // One number stands in several fields of nearly every call.
    if (last !== undefined && last.key === number.key) continue;
    last = number;
    found = stronger(found, quarantine.ofCaller(place, number, attempt), attempt);
    found = stronger(found, quarantine.ofBlock(place, number, attempt), attempt);
    if (shield !== undefined && called.kind !== "unusable")
      if (isShielded(shield, place, number, called.key, attempt, tables, state))
        found = stronger(found, shield, attempt);
  }
  return found;
}

/** Says why a call passes although an entry binds it; undefined: it does not pass. */
function whySpared(attempt: CallAttempt, tables: PolicyTables, state: ScreeningState): string | undefined {
  if (tables.trunk.side !== "international" && isEmergencyCall(attempt)) return "an emergency call passes";
  if (isToEmergencyParty(attempt, state)) return "the called party called an emergency service today";
  return isOfAuthority(attempt, tables) ? "the caller is a public authority" : undefined;
}

function say({ held: { id, holder, until, mark, markUntil, subject } }: Entry, at: number): Deny | Mark {
  const isRefused = at < until;
  const facts = {
    detector: holder,
    finding: id,
    until: new Date(isRefused ? until : markUntil).toISOString(),
    subject: subject.kind,
  };
  if (isRefused || mark === undefined) return { kind: "reject", reason: "quarantined", facts };
  return { kind: mark, reason: "quarantined", facts };
}

export const quarantine: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "quarantine",
  stage: "screen",
  summary:
    "Callers, blocks of callers and trunks that a finding or an order binds are refused or marked; so are those who bomb a called party, to her.",
  reasons: ["quarantined"],
  options: optionsSchema,
  compile(_options, tables) {
    return (attempt, state) => {
      if (state.quarantine.size === 0) return undefined;
      const entry = findEntry(attempt, tables, state);
      if (entry === undefined || whySpared(attempt, tables, state) !== undefined) return undefined;
      return say(entry, attempt.at);
    };
  },
  explain({ attempt, state, tables }, finding) {
    const entry = state.quarantine.size === 0 ? undefined : findEntry(attempt, tables, state);
    if (entry === undefined) return { saw: "no entry binds the call" };
    const { held } = entry;
    const by = held.holder === "command" ? `order ${held.id}` : `finding ${held.id} of ${held.holder}`;
    const saw = `${sayWhom(entry, attempt)} is in quarantine by ${by}`;
    if (finding === undefined) return { saw: `${saw}; ${whySpared(attempt, tables, state) ?? ""}` };
    const until = new Date(attempt.at < held.until ? held.until : held.markUntil).toISOString();
    return {
      saw: `${saw} until ${until}`,
      change: `release it: sigwall quarantine release ${held.id} --reason TEXT`,
    };
  },
};

/** Whom an entry binds; of a block, the caller too. */
function sayWhom({ held: { subject } }: Entry, { calling, called }: CallAttempt): string {
  if (subject.kind === "called" && called.kind !== "unusable")
    return `who took part in calls to ${formatKey(called.key)}`;
  if (subject.kind !== "callerBlock") return formatSubject(subject);
  const [first] = calling;
  const number = first === undefined || first.number.kind === "unusable" ? "" : formatKey(first.number.key);
  return `${number}, of ${formatSubject(subject)},`;
}
