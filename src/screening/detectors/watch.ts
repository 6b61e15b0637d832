// Feeds the detectors with the events of calls, and tells what they find.
import type { CallDecided, CallEnded, CallEvent } from "../../domain/call.ts";
import {
  detectorIds,
  type DetectorId,
  type DetectorMode,
  type Finding,
  type Participant,
} from "../../domain/finding.ts";
import type { Millis } from "../../domain/time.ts";
import { readSenderPrint } from "../../sip/fields/sender-print.ts";
import { createCallBacks, type CallBacks } from "./call-backs.ts";
import type {
  Detector,
  DetectorForm,
  DetectorSetting,
  DetectorSettings,
  SeenCall,
  Sighting,
} from "./detector.ts";
import { createFindings, type FindingInForce, IN_FORCE, type SharedFinding } from "./findings.ts";
import { detectorForms } from "./registry.ts";
import { createSeenCalls } from "./seen-calls.ts";
import { createSubjectTables } from "./subject-table.ts";

export interface WatchSizes {
  /** Calls at one time. */
  readonly calls: number;
  /** Subjects of each kind that are counted at one time. */
  readonly subjects: number;
  /** Findings in force at one time. */
  readonly findings: number;
}

export interface WatchParts {
  readonly sizes: WatchSizes;
  /** What the policy in force says. The same object as long as it says the same. */
  readonly settings: () => DetectorSettings;
  /** Milliseconds that the wall clock is ahead of the monotonic one. */
  readonly ahead: () => Millis;
  /** Takes each finding once. Runs on the path of calls. */
  readonly tell: (finding: Finding, mode: DetectorMode) => void;
  /** Takes a caller that joins a finding in force about a called party. `isHeard`: by a call of another node. */
  readonly join?: (finding: FindingInForce, participant: Participant, isHeard: boolean) => void;
  /** Takes each call that is answered. `at` is the wall clock. */
  readonly answered?: (call: SeenCall, at: Millis) => void;
  /** Takes each call that ends, after the detectors have seen it. `at` is the wall clock. */
  readonly ended?: (call: SeenCall, at: Millis) => void;
  /** Gives each finding its id. Left out: `f1`, `f2` … */
  readonly name?: () => string;
}

export interface Watch {
  /** Takes every event of a call, in order. */
  readonly happened: (event: CallEvent) => void;
  /**
   * Takes an event of a call of another node. It is counted as an own one. A finding that it completes is told by that
   * node; should that node die before, the next own call that fits tells it here.
   */
  readonly heard: (event: CallEvent) => void;
  /** Takes a finding that another node has told. `at` is the wall clock. */
  readonly hear: (finding: SharedFinding, at: Millis) => void;
  /** Findings told, by detector and mode. */
  readonly told: readonly { readonly detector: DetectorId; readonly mode: DetectorMode; count: number }[];
  /** Calls, subjects and findings that were not watched because a table was full. */
  readonly full: () => number;
  readonly octets: () => number;
  readonly findings: () => Iterable<SharedFinding>;
}

interface Post {
  readonly form: DetectorForm;
  /** Made when the policy has it first: its tables are large. */
  detector: Detector | undefined;
  readonly thresholds: Record<string, number>;
  profile: string;
  isOn: boolean;
  isEnforced: boolean;
  /** How long a finding is in force: as long as the quarantine that follows from it, so that it can be found again. */
  lasts: Millis;
  readonly told: Readonly<Record<"monitor" | "enforce", Told>>;
}

interface Told {
  readonly detector: DetectorId;
  readonly mode: DetectorMode;
  count: number;
}

/** ISUP tells nothing of the sender. */
function printOf({ bytes, decision: { attempt } }: CallDecided): number {
  return bytes === undefined || attempt.origin.signalling === "isup" ? 0 : readSenderPrint(bytes);
}

/** What a policy that says nothing says of each detector. */
export const defaultSettings: DetectorSettings = new Map(
  detectorForms.map(({ id, profile, thresholds }) => [
    id,
    {
      mode: "monitor",
      profile,
      thresholds: Object.fromEntries(Object.entries(thresholds).map(([name, { value }]) => [name, value])),
    },
  ]),
);

/** @param forms the detectors; left out: all of them */
export function createWatch(parts: WatchParts, forms: readonly DetectorForm[] = detectorForms): Watch {
  const { sizes, settings, ahead, tell } = parts;
  const calls = createSeenCalls(sizes.calls);
  const tables = createSubjectTables(sizes.subjects);
  let callBacks: CallBacks | undefined;
  let readsPrints = false;
  let named = 0;
  const findings = createFindings(sizes.findings, parts.name ?? (() => `f${++named}`));
  const posts = forms
    .toSorted((a, b) => detectorIds.indexOf(a.id) - detectorIds.indexOf(b.id))
    .map((form): Post => {
      const thresholds: Record<string, number> = {};
      return {
        form,
        detector: undefined,
        thresholds,
        profile: form.profile,
        isOn: false,
        isEnforced: false,
        lasts: IN_FORCE,
        told: {
          monitor: { detector: form.id, mode: "monitor", count: 0 },
          enforce: { detector: form.id, mode: "enforce", count: 0 },
        },
      };
    });
  let known: DetectorSettings | undefined;
  let isAnyOn = false;

  function follow(next: DetectorSettings): void {
    known = next;
    for (const post of posts) {
      const setting = next.get(post.form.id);
      post.isOn = setting !== undefined && setting.mode !== "off";
      if (setting === undefined) continue;
      post.isEnforced = setting.mode === "enforce";
      post.lasts = lastingOf(setting);
      post.profile = setting.profile;
      Object.assign(post.thresholds, setting.thresholds);
      if (post.isOn) post.detector ??= post.form.create(post.thresholds, tables);
    }
    isAnyOn = posts.some(({ isOn }) => isOn);
    readsPrints = posts.some(({ isOn, form }) => isOn && form.needsPrints === true);
    if (posts.some(({ isOn, form }) => isOn && form.needsCallBacks === true))
      callBacks ??= createCallBacks(tables);
  }

  function begin(event: CallDecided, now: Millis, isHeard: boolean): void {
    const call = calls.begin(event, now);
    if (call === undefined) return;
    callBacks?.begun(call, now);
    if (readsPrints && call.trunk.side === "lessee") call.print = printOf(event);
    for (const post of posts) {
      const seen = post.isOn ? post.detector?.begun?.(call, now) : undefined;
      if (seen !== undefined) take(post, seen, call, event.at, isHeard);
    }
  }

  function end(event: CallEnded, now: Millis, isHeard: boolean): void {
    const call = calls.end(event, now);
    if (call === undefined) return;
    for (const post of posts) {
      const seen = post.isOn ? post.detector?.ended?.(call, now) : undefined;
      if (seen !== undefined) take(post, seen, call, event.at, isHeard);
    }
    callBacks?.ended(call, now);
    parts.ended?.(call, event.at);
  }

  function take(post: Post, seen: Sighting, call: SeenCall, at: Millis, isHeard: boolean): void {
    const { form, profile, isEnforced, lasts } = post;
    // A finding that is in force before it is told would keep the next call from telling it.
    const finding = isHeard
      ? undefined
      : findings.take({ detector: form.id, profile, isEnforced, lasts }, seen, call, at);
    if (finding === undefined) {
      const grown = seen.joined === undefined ? undefined : findings.join(form.id, seen, call);
      if (grown !== undefined && seen.joined !== undefined) parts.join?.(grown, seen.joined, isHeard);
      return;
    }
    const told = post.told[isEnforced ? "enforce" : "monitor"];
    told.count++;
    tell(finding, told.mode);
  }

  function see(event: CallEvent, isHeard: boolean): void {
    if (event.kind === "answered") {
      const call = parts.answered === undefined ? undefined : calls.of(event.call.id);
      if (call !== undefined) parts.answered?.(call, event.at);
    }
    if (event.kind !== "decided" && event.kind !== "ended") return;
    const current = settings();
    if (current !== known) follow(current);
    if (!isAnyOn) return;
    const now = event.at - ahead();
    if (event.kind === "decided") begin(event, now, isHeard);
    else end(event, now, isHeard);
  }

  return {
    happened: (event) => see(event, false),
    heard: (event) => see(event, true),
    hear: (finding, at) => findings.hear(finding, at),
    told: posts.flatMap(({ told: { monitor, enforce } }) => [monitor, enforce]),
    full: () =>
      calls.full +
      findings.full +
      tables.full() +
      posts.reduce((sum, { detector }) => sum + (detector?.full?.() ?? 0), 0),
    octets: tables.octets,
    findings: () => findings.inForce(),
  };
}

function lastingOf({ mode, quarantine, action }: DetectorSetting): Millis {
  return mode === "enforce" ? (quarantine?.for ?? action?.for ?? IN_FORCE) : IN_FORCE;
}
