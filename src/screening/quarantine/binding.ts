// From a finding to an entry of the quarantine: whom it binds, and why it binds nobody.
import {
  type Finding,
  type FindingSubject,
  MOST_PARTICIPANTS,
  type Participant,
  type SubjectKind,
} from "../../domain/finding.ts";
import { BLOCK_OF_CALLERS, formatKey, readKey } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import type { Side, TrunkId } from "../../domain/trunk.ts";
import { changedAfter, type Held } from "../../state/quarantine/held.ts";
import type { Entry, QuarantineTable } from "../../state/quarantine/quarantine-table.ts";
import type { DetectorSetting } from "../detectors/detector.ts";
import { type FindingInForce, GROWTH } from "../detectors/findings.ts";

/**
 * A release holds as long as the campaign goes on: until the detector has seen nothing of it for a day after the end that the
 * quarantine would have had. Milliseconds.
 */
export const RELEASE_HOLDS: Millis = 24 * 3_600_000;

/**
 * Why a finding binds nobody. `monitor`: its detector is not enforced. `unnamed`: it does not name whom the policy wants
 * to bind. `shared`: many share the trunk that it would bind. `core`: calls from the core are not screened. `released`: an
 * operator has released it, and it has not grown since. `full`: there was no room.
 */
export type Unbound = "monitor" | "unnamed" | "shared" | "core" | "released" | "full";

/** Why a finding binds nobody, in words for people. */
export const unboundWords: Readonly<Record<Unbound, string>> = {
  monitor: "its detector is in mode monitor",
  unnamed: "it does not name whom the policy binds",
  shared: "only the trunk of a lessee is bound by a finding: others share theirs",
  core: "calls from the core are not screened",
  released: "it was released",
  full: "the quarantine is full",
};

/** What became of a finding. */
export type Bound = { readonly entry: Entry } | { readonly unbound: Unbound };

/** The subject that a kind of binding takes from a finding; undefined: the finding does not name it. */
function subjectFor(kind: SubjectKind, found: FindingSubject): FindingSubject | undefined {
  if (kind === found.kind) return found;
  if (kind === "trunk" && "trunk" in found) return { kind, trunk: found.trunk };
  if (kind !== "callerBlock" || found.kind !== "caller") return undefined;
  const key = readKey(found.number) ?? 0;
  // A code is a block of its own.
  if (key <= 0) return found;
  return { kind, trunk: found.trunk, number: formatKey(key - (key % BLOCK_OF_CALLERS)) };
}

/**
 * Says whom a finding would bind.
 *
 * @param sideOf undefined for a trunk that the policy does not have
 */
export function findSubject(
  found: FindingSubject,
  { quarantine }: Pick<DetectorSetting, "quarantine">,
  sideOf: (trunk: TrunkId) => Side | undefined,
): FindingSubject | Unbound {
  const subject = quarantine === undefined ? found : subjectFor(quarantine.subject, found);
  if (subject === undefined) return "unnamed";
  const side = "trunk" in subject ? sideOf(subject.trunk) : undefined;
  if (side === "core") return "core";
  return subject.kind === "trunk" && side !== "lessee" ? "shared" : subject;
}

/** Puts a finding in quarantine, as the policy says. `finding.at` is now. */
export function bindFinding(
  finding: Finding,
  setting: DetectorSetting | undefined,
  table: QuarantineTable,
  sideOf: (trunk: TrunkId) => Side | undefined,
): Bound {
  if (setting?.mode !== "enforce") return { unbound: "monitor" };
  const subject = findSubject(finding.subject, setting, sideOf);
  if (typeof subject === "string") return { unbound: subject };
  const { id, detector, profile, at, strength, facts, evidence, participants } = finding;
  const former = table.get(detector, subject);
  const releasedUntil = former?.held.released ?? 0;
  if (former !== undefined && releasedUntil > at && strength < former.held.strength * GROWTH) {
    const released = Math.max(releasedUntil, finding.until + RELEASE_HOLDS);
    table.put({ ...former.held, released, changed: changedAfter(former.held, at) }, at);
    return { unbound: "released" };
  }
  const { quarantine, action } = setting;
  const before = former?.held.released === undefined ? former?.held : undefined;
  const held: Held = {
    id,
    holder: detector,
    profile,
    subject,
    since: before?.since ?? at,
    until: Math.max(quarantine === undefined ? 0 : at + quarantine.for, before?.until ?? 0),
    mark: action?.do,
    markUntil: action === undefined ? 0 : at + action.for,
    calls: facts["calls"] ?? evidence.length,
    strength,
    changed: changedAfter(former?.held, at),
    participants: subject.kind === "called" ? unite(participants, before?.participants ?? []) : [],
  };
  const entry = table.put(held, at);
  return entry === undefined ? { unbound: "full" } : { entry };
}

/** The participants of a finding, and those of the entry that it prolongs, as many as there is room for. */
export function unite(found: readonly Participant[], before: readonly Participant[]): readonly Participant[] {
  if (before.length === 0) return found;
  const named = new Set(found.map(nameOf));
  return [...found, ...before.filter((one) => !named.has(nameOf(one)))].slice(0, MOST_PARTICIPANTS);
}

function nameOf({ trunk, number }: Participant): string {
  return `${number} ${trunk}`;
}

/**
 * Puts a caller that has joined a finding behind the shields of its called party.
 *
 * @returns the entries that bind it from now on
 */
export function joinShields(
  { detector, subject }: FindingInForce,
  participant: Participant,
  table: QuarantineTable,
): readonly Entry[] {
  return [detector, "command" as const].flatMap((holder) => {
    const entry = table.get(holder, subject);
    return entry !== undefined && table.join(entry, participant) ? [entry] : [];
  });
}

/** An entry as it is after its release. */
export function releasedOf(held: Held, at: Millis, reason: string): Held {
  const released = Math.max(at, held.until, held.markUntil) + RELEASE_HOLDS;
  return { ...held, released, reason, changed: changedAfter(held, at) };
}
