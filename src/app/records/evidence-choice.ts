// Chooses in the call thread which events leave evidence, within the budget of each trunk, and which answers wait for it.
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { CallEvent } from "../../domain/call.ts";
import type { Decision } from "../../domain/decision.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { Millis } from "../../domain/time.ts";
import { asksEvidence } from "../../judging/held-refusals.ts";
import { type BudgetGap, createEvidenceBudget } from "../../records/evidence/evidence-budget.ts";

/**
 * `none`: nothing asks for evidence. `beyond`: the trunk has spent its budget; the line stays. `kept`: the message is
 * evidence. `awaited`: the answer to it waits until the disk has it.
 */
export type EvidenceChoice = "none" | "beyond" | "kept" | "awaited";

export interface EvidenceChooser {
  readonly choose: (event: CallEvent) => EvidenceChoice;
  /** True for a trunk whose refusals wait for their evidence. */
  readonly holds: (trunk: Trunk) => boolean;
  /** The gaps of trunks beyond their budget that are a second old. */
  readonly due: (at: Millis) => readonly BudgetGap[];
  /** All gaps, for the end of the process. */
  readonly rest: () => readonly BudgetGap[];
}

/** Octets of a block beside the message and the line, about. */
const BESIDE = 1024;

/** `config` undefined: no evidence is kept. */
export function createEvidenceChooser(config: EvidenceConfig | undefined): EvidenceChooser {
  if (config === undefined)
    return { choose: () => "none", holds: () => false, due: () => [], rest: () => [] };
  const { durability } = config;
  const budget = createEvidenceBudget(config.perTrunk);
  const modeOf = ({ evidence = durability }: Trunk): NonNullable<Trunk["evidence"]> => evidence;
  return {
    choose(event) {
      if (event.kind !== "decided" && event.kind !== "request") return "none";
      const { decision, bytes, at } = event;
      const { verdict, attempt } = decision;
      if (bytes === undefined || !asksEvidence(decision)) return "none";
      const mode = modeOf(attempt.trunk);
      if (mode === "off" && !isOrdered(decision)) return "none";
      if (!budget.take(attempt.trunk.id, bytes.length + BESIDE, verdict.reason, at)) return "beyond";
      return mode === "before-reject" && verdict.kind === "reject" ? "awaited" : "kept";
    },
    holds: (trunk) => modeOf(trunk) === "before-reject",
    due: budget.due,
    rest: budget.rest,
  };
}

/** An order to observe a line asks for evidence, also where the trunk keeps none. */
function isOrdered({ marks }: Decision): boolean {
  return marks.some(({ kind }) => kind === "observe");
}
