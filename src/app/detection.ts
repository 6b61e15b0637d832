// The detectors of the running filter: fed with its calls, told of in its log and its records, followed by its quarantine.
import type { CallEvent } from "../domain/call.ts";
import type { DetectorMode, Finding } from "../domain/finding.ts";
import type { Millis } from "../domain/time.ts";
import type { DetectionFigures, QuarantineFigures } from "../observe/figures.ts";
import type { Log } from "../observe/log.ts";
import { type Shared, tellNobody } from "../cluster/shared-entries.ts";
import type { Policy } from "../policy/policy.ts";
import type { SharedFinding } from "../screening/detectors/findings.ts";
import { detectorForms } from "../screening/detectors/registry.ts";
import { createWatch } from "../screening/detectors/watch.ts";
import { createAnswerNotes } from "../screening/quarantine/answer-notes.ts";
import type { Bound } from "../screening/quarantine/binding.ts";
import type { ScreeningState } from "../screening/state.ts";
import type { Held } from "../state/quarantine/held.ts";
import { engineNow } from "../wire/kernel/clock.ts";
import { type OpenedQuarantine, openQuarantine } from "./quarantine/open-quarantine.ts";
import { createFewNotes } from "./quarantine/few-notes.ts";
import { type FindingNote, logOfFinding, noteOfFinding } from "./quarantine/quarantine-lines.ts";

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
  /** The name of this node, where it has others beside it: ids of findings and orders differ by it. */
  readonly node?: string | undefined;
  readonly fault: (error: unknown) => void;
}

export interface Detection extends Pick<OpenedQuarantine, "order" | "list" | "policyChanged" | "close"> {
  /** Takes every event of a call. Runs on the path of calls. */
  readonly happened: (event: CallEvent) => void;
  /** Takes an event of a call of another node. That node tells what the event completes. */
  readonly heard: (event: CallEvent) => void;
  /** What is in force, as nodes tell each other. */
  readonly shared: { readonly quarantine: Shared<Held>; readonly findings: Shared<SharedFinding> };
  readonly figures: () => DetectionFigures;
  readonly quarantined: () => QuarantineFigures;
}

export function createDetection(parts: DetectionParts): Detection {
  const { policy, state, log, note, folder, node, fault } = parts;
  const { calls, subjects } = policy().tables;
  const { quarantine: table } = state;
  const few = createFewNotes(log);
  let share: (finding: SharedFinding) => void = tellNobody;
  const wallNow = (): Millis => engineNow() + state.wall.ahead;

  function tellLog(finding: Finding, mode: DetectorMode, bound: Bound): void {
    if (few.hasRoom(finding.at, "findings")) log.warn("finding", logOfFinding(finding, mode, bound));
  }

  const quarantine = openQuarantine({
    folder,
    ...(node === undefined ? {} : { node }),
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
      share(sharedOf(finding, mode));
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
    heard: watch.heard,
    shared: {
      quarantine: quarantine.shared,
      findings: {
        tellTo(tell) {
          share = tell;
        },
        heard: (_from, finding) => watch.hear(finding, wallNow()),
        entries: watch.findings,
      },
    },
    figures() {
      const now = wallNow();
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

function sharedOf(finding: Finding, mode: DetectorMode): SharedFinding {
  const { id, detector, profile, subject, at, until, strength, facts, evidence, participants } = finding;
  const calls = facts["calls"] ?? evidence.length;
  const isEnforced = mode === "enforce";
  return { id, detector, profile, subject, at, until, strength, calls, participants, isEnforced };
}
