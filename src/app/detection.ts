// The detectors of the running filter: fed with its calls, and told of in its log and its records.
import type { CallEvent } from "../domain/call.ts";
import type { DetectorMode, Finding } from "../domain/finding.ts";
import type { DetectionFigures } from "../observe/figures.ts";
import type { Log, LogFields } from "../observe/log.ts";
import { redactText } from "../observe/redact.ts";
import type { Policy } from "../policy/policy.ts";
import { describeFinding, type NoteLine } from "../records/lines/record-line.ts";
import { createWatch } from "../screening/detectors/watch.ts";
import type { ScreeningState } from "../screening/state.ts";

/** At most this many findings get a log line in a second. The records have each of them. */
const LINES_A_SECOND = 10;
/** Findings in force at one time. */
const MOST_FINDINGS = 65_536;

export interface DetectionParts {
  readonly policy: () => Policy;
  readonly state: ScreeningState;
  readonly log: Log;
  /** Takes the line of a finding for the records. */
  readonly note: (line: NoteLine) => void;
}

export interface Detection {
  /** Takes every event of a call. Runs on the path of calls. */
  readonly happened: (event: CallEvent) => void;
  readonly figures: () => DetectionFigures;
}

export function createDetection({ policy, state, log, note }: DetectionParts): Detection {
  const { calls, subjects } = policy().tables;
  let second = 0;
  let lines = 0;

  function tellLog(finding: Finding, mode: DetectorMode): void {
    const current = Math.floor(finding.at / 1000);
    if (current !== second) {
      if (lines > LINES_A_SECOND) log.omitted("findings", lines - LINES_A_SECOND);
      second = current;
      lines = 0;
    }
    if (++lines <= LINES_A_SECOND) log.warn("finding", fieldsOf(finding, mode));
  }

  const watch = createWatch({
    sizes: { calls, subjects, findings: MOST_FINDINGS },
    settings: () => policy().detectors,
    ahead: () => state.wall.ahead,
    tell(finding, mode) {
      tellLog(finding, mode);
      note(describeFinding(finding, mode));
    },
  });
  return { happened: watch.happened, figures: () => ({ told: watch.told, full: watch.full() }) };
}

function fieldsOf({ detector, profile, subject, until, evidence }: Finding, mode: DetectorMode): LogFields {
  return {
    detector,
    profile,
    mode,
    subject: subject.kind,
    ...("trunk" in subject ? { trunk: subject.trunk } : {}),
    ...("number" in subject ? { number: redactText(subject.number) } : {}),
    until: new Date(until).toISOString(),
    calls: evidence.map(({ id }) => id),
  };
}
