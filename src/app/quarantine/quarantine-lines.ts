// What is told of the quarantine: rows of its list, record lines and log lines.
import type { DetectorMode, Finding } from "../../domain/finding.ts";
import type { Millis } from "../../domain/time.ts";
import type { LogFields } from "../../observe/log.ts";
import { redactText } from "../../observe/redact.ts";
import { describeFinding, type NoteLine } from "../../records/lines/record-line.ts";
import type { FindingInForce } from "../../screening/detectors/findings.ts";
import type { Bound } from "../../screening/quarantine/binding.ts";
import { endOf, type Held } from "../../state/quarantine/held.ts";
import type { Entry } from "../../state/quarantine/quarantine-table.ts";
import { type QuarantineRow, subjectFields } from "./quarantine-request.ts";

/** The line of a finding, or of an order about one, for the records. */
export type FindingNote = Extract<NoteLine, { readonly record: "finding" }>;

const iso = (at: Millis): string => new Date(at).toISOString();

function doesAt({ until, mark, markUntil, released }: Held, at: Millis): QuarantineRow["does"] {
  if (released !== undefined) return undefined;
  if (at < until) return "refuse";
  return at < markUntil ? mark : undefined;
}

/** An entry, as the list shows it. */
export function rowOfEntry({ held, isOn, refused }: Entry, at: Millis): QuarantineRow {
  const { id, holder, profile, subject, since, calls, reason, released, participants } = held;
  const does = doesAt(held, at);
  return {
    id,
    detector: holder,
    profile,
    ...subjectFields(subject, participants),
    since: iso(since),
    until: iso(endOf(held)),
    calls,
    state: released !== undefined ? "released" : isOn ? "in force" : "monitor only",
    ...(does === undefined ? {} : { does }),
    refused,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** A finding in force from which nothing follows, as the list shows it. */
export function rowOfFinding(finding: FindingInForce): QuarantineRow {
  const { id, detector, profile, subject, at, until, calls, participants } = finding;
  return {
    id,
    detector,
    profile,
    ...subjectFields(subject, participants),
    since: iso(at),
    until: iso(until),
    calls,
    state: "monitor only",
    refused: 0,
  };
}

function bindsOf({ subject, until, mark, markUntil }: Held): NonNullable<FindingNote["binds"]> {
  return {
    subject,
    ...(until === 0 ? {} : { refusedUntil: iso(until) }),
    ...(mark === undefined ? {} : { mark, markedUntil: iso(markUntil) }),
  };
}

/** The record line of a finding, and what follows from it. */
export function noteOfFinding(finding: Finding, mode: DetectorMode, bound: Bound): FindingNote {
  return {
    ...describeFinding(finding, mode),
    ...("entry" in bound ? { binds: bindsOf(bound.entry.held) } : { unbound: bound.unbound }),
  };
}

/** The record line of an order. */
export function noteOfOrder(
  order: "add" | "release",
  held: Held,
  mode: DetectorMode,
  reason: string,
  at: Millis,
): FindingNote {
  const { id, holder, profile, subject, until, markUntil } = held;
  return {
    record: "finding",
    time: iso(at),
    id,
    detector: holder,
    profile,
    mode,
    subject,
    until: iso(order === "add" ? until : Math.max(until, markUntil)),
    calls: [],
    facts: {},
    ...(order === "add" ? { binds: bindsOf(held) } : { unbound: "released" }),
    order,
    reason,
    by: "command",
  };
}

/** A subject for the log, its number masked. */
export function logSubject(subject: Held["subject"]): LogFields {
  return {
    subject: subject.kind,
    ...("trunk" in subject ? { trunk: subject.trunk } : {}),
    ...("number" in subject ? { number: redactText(subject.number) } : {}),
  };
}

/** The log line of a finding. */
export function logOfFinding(finding: Finding, mode: DetectorMode, bound: Bound): LogFields {
  const { id, detector, profile, subject, until, evidence } = finding;
  return {
    finding: id,
    detector,
    profile,
    mode,
    ...logSubject(subject),
    until: iso(until),
    calls: evidence.map((call) => call.id),
    ...(mode !== "enforce"
      ? {}
      : "entry" in bound
        ? { binds: bound.entry.held.subject.kind }
        : { unbound: bound.unbound }),
  };
}
