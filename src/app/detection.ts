// The detectors of the running filter: fed with its calls, told of in its log and its records, followed by its quarantine.
import type { CallEvent } from "../domain/call.ts";
import type { DetectorMode, Finding } from "../domain/finding.ts";
import type { DetectionFigures, QuarantineFigures } from "../observe/figures.ts";
import type { Log } from "../observe/log.ts";
import type { Policy } from "../policy/policy.ts";
import { detectorForms } from "../screening/detectors/registry.ts";
import { createWatch } from "../screening/detectors/watch.ts";
import { createAnswerNotes } from "../screening/quarantine/answer-notes.ts";
import type { Bound } from "../screening/quarantine/binding.ts";
import type { ScreeningState } from "../screening/state.ts";
import { engineNow } from "../wire/kernel/clock.ts";
import { type OpenedQuarantine, openQuarantine } from "./quarantine/open-quarantine.ts";
import { type FindingNote, logOfFinding, noteOfFinding } from "./quarantine/quarantine-lines.ts";

/** At most this many findings get a log line in a second. The records have each of them. */
const LINES_A_SECOND = 10;
/** Findings in force at one time. */
const MOST_FINDINGS = 65_536;

export interface DetectionParts {
  readonly policy: () => Policy;
  readonly state: ScreeningState;
  readonly log: Log;
  /** Takes the line of a finding for the records. */
  readonly note: (line: FindingNote) => void;
  /** The state folder; `why` says why nothing can be kept there. */
  readonly folder: { readonly path: string; readonly why: string | undefined; readonly epoch: number };
  readonly fault: (error: unknown) => void;
}

export interface Detection extends Pick<OpenedQuarantine, "order" | "list" | "policyChanged" | "close"> {
  /** Takes every event of a call. Runs on the path of calls. */
  readonly happened: (event: CallEvent) => void;
  readonly figures: () => DetectionFigures;
  readonly quarantined: () => QuarantineFigures;
}

export function createDetection({ policy, state, log, note, folder, fault }: DetectionParts): Detection {
  const { calls, subjects } = policy().tables;
  const { quarantine: table } = state;
  let second = 0;
  let lines = 0;

  function tellLog(finding: Finding, mode: DetectorMode, bound: Bound): void {
    const current = Math.floor(finding.at / 1000);
    if (current !== second) {
      if (lines > LINES_A_SECOND) log.omitted("findings", lines - LINES_A_SECOND);
      second = current;
      lines = 0;
    }
    if (++lines <= LINES_A_SECOND) log.warn("finding", logOfFinding(finding, mode, bound));
  }

  const quarantine = openQuarantine({
    folder,
    state,
    policy,
    findings: () => watch.findings(),
    note,
    log,
    fault,
  });
  const watch = createWatch({
    sizes: { calls, subjects, findings: MOST_FINDINGS },
    settings: () => policy().detectors,
    ahead: () => state.wall.ahead,
    name: quarantine.nameFinding,
    tell(finding, mode) {
      const bound = quarantine.take(finding);
      tellLog(finding, mode, bound);
      note(noteOfFinding(finding, mode, bound));
    },
    join: quarantine.join,
    ...createAnswerNotes(state, () => policy().detectors),
  });

  return {
    happened(event) {
      watch.happened(event);
      if (table.size === 0 || event.kind !== "decided" || event.decision.rule !== "quarantine") return;
      const id = event.decision.verdict.facts?.["finding"];
      if (typeof id === "string" && event.action.kind !== "forwarded") table.countRefusal(id);
    },
    figures() {
      const now = engineNow() + state.wall.ahead;
      const counts = new Map<string, number>(detectorForms.map(({ id }) => [id, 0]));
      for (const { detector, until } of watch.findings())
        if (until > now) counts.set(detector, (counts.get(detector) ?? 0) + 1);
      const inForce = [...counts].map(([detector, count]) => ({ detector, count }));
      return { told: watch.told, inForce, full: watch.full() };
    },
    quarantined() {
      const counts = quarantine.counts();
      const holders = [...detectorForms.map(({ id }) => id), "command" as const];
      return {
        held: holders.map((holder) => ({ detector: holder, count: counts.get(holder) ?? 0 })),
        full: table.full,
        isKept: quarantine.isKept(),
      };
    },
    order: quarantine.order,
    list: quarantine.list,
    policyChanged: quarantine.policyChanged,
    close: quarantine.close,
  };
}
