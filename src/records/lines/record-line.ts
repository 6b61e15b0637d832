// The kinds of record lines and their fields, as plain values for JSON. Names are fixed; more may come.
import type { Action, CallEnd, CallEnded, CallMoved, CallsShed } from "../../domain/call.ts";
import type { DetectorId, DetectorMode, Finding, FindingSubject, Participant } from "../../domain/finding.ts";
import type { LineId, LineState } from "../../domain/line-state.ts";
import type { AttemptLine, MarkLine } from "./attempt-line.ts";

// A field that does not apply is undefined, and an empty list is left out: JSON has neither.

/** Where and when a line was written. */
export interface Stamped {
  /** UTC, `2026-11-30T12:00:00.000Z`. */
  readonly time: string;
  readonly node: string;
}

/** The fields of an attempt, each of which may be missing. */
type AttemptFields = {
  readonly [Field in keyof Omit<AttemptLine, "frame" | "time">]?: AttemptLine[Field] | undefined;
};

/** What was decided about a call attempt, and what was done. */
export interface DecidedLine extends Stamped, AttemptFields {
  readonly record: "decided";
  /** NODE-EPOCH-COUNT. */
  readonly id: string;
  readonly trunk: string;
  readonly listener?: string | undefined;
  readonly tlsName?: string | undefined;
  readonly privacy?: readonly string[] | undefined;
  readonly displays?: readonly string[] | undefined;
  /** Media types of the body and of its parts. */
  readonly bodies?: readonly string[] | undefined;
  readonly agent?: string | undefined;
  readonly codecs?: string | undefined;
  readonly fromHost?: string | undefined;
  readonly marks?: readonly MarkLine[] | undefined;
  /** The mode of the rule that decided. Findings of other modes are in `shadow`. */
  readonly mode?: "enforce" | undefined;
  readonly action: Action["kind"];
  readonly status?: number | undefined;
  readonly cause?: number | undefined;
  readonly nextHop?: string | undefined;
  readonly why?: string | undefined;
  readonly overlapOf?: string | undefined;
  /** `lists/police.csv:17`: the row that decided. */
  readonly listLine?: string | undefined;
  /** Id of the finding, or of the order of quarantine, that decided. */
  readonly finding?: string | undefined;
  /** The notice that the row came with, or the order of a list of numbers shut down. */
  readonly notice?: string | undefined;
  readonly contract?: string | undefined;
  /** Fields whose octets were no UTF-8, as hex, by name. Their text has U+FFFD there. */
  readonly rawHex?: Readonly<Record<string, string>> | undefined;
}

/** A refused request that is no call, or a change inside a dialog. */
export interface RequestLine extends Omit<DecidedLine, "record" | "id"> {
  readonly record: "request";
  readonly method: string;
  /** The call, where it is known. */
  readonly id?: string | undefined;
}

/** The end of a forwarded call. */
export interface EndedLine extends Stamped, CallEnd {
  readonly record: "ended";
  readonly id: string;
  readonly trunk: string;
  readonly lessee?: string | undefined;
  readonly ringingMs?: number | undefined;
  readonly answeredMs?: number | undefined;
  /** From the answer to the end. Seconds, to the millisecond. */
  readonly seconds?: number | undefined;
}

/** A forwarded call went on to another next hop. */
export interface MovedLine extends Stamped {
  readonly record: "moved";
  readonly id: string;
  readonly trunk: string;
  readonly nextHop: string;
  readonly why: CallMoved["why"];
}

/** Refusals of one second that were not told one by one. */
export interface ShedLine extends Stamped, Pick<CallsShed, "trunk" | "reason" | "status" | "count"> {
  readonly record: "shed";
  /** Left out: they were call attempts. */
  readonly of?: CallsShed["of"] | undefined;
  readonly from: string;
  readonly to: string;
}

/** An order for a line was taken. */
export interface OrderLine extends Stamped {
  readonly record: "order";
  readonly line: LineId;
  readonly state: LineState;
  readonly previous: LineState;
  readonly order: string;
  readonly reason: string;
  readonly authority?: string | undefined;
  readonly until?: string | undefined;
  readonly calls?: "keep" | "release" | undefined;
  readonly released?: number | undefined;
  readonly gone?: number | undefined;
  readonly notReleasable?: number | undefined;
  /** `command`, `file`, `until`: what set it; and who, where that is known. */
  readonly by: string;
}

/** Lines, blocks or files that are missing, or that were deleted. */
export interface GapLine extends Stamped {
  readonly record: "gap";
  readonly from: string;
  readonly to: string;
  readonly lost: number;
  readonly why: string;
}

/** Files of a day were deleted because they were older than the retention asks for. */
export interface DeletedLine extends Stamped {
  readonly record: "deleted";
  /** `2026-11-30`. */
  readonly day: string;
  readonly files: number;
  readonly bytes: number;
  readonly why: "retention";
  readonly keepDays: number;
}

/** A policy came into force. */
export interface PolicyLine extends Stamped {
  readonly record: "policy";
  readonly revision: string;
  readonly previous?: string | undefined;
  readonly cause: string;
  readonly by?: string | undefined;
}

/** Releases from a list, and releases that were refused. */
export interface ListLine extends Stamped {
  readonly record: "list";
  readonly list: string;
  readonly [field: string]: unknown;
}

/** A detector saw what many calls together are; or an order was given about it, or about a subject. */
export interface FindingLine extends Stamped {
  readonly record: "finding";
  /** Of the finding or the order. */
  readonly id?: string;
  /** `command`: nobody found it, it was ordered. */
  readonly detector: DetectorId | "command";
  /** The version of the detector's measures. */
  readonly profile: string;
  readonly mode: DetectorMode;
  readonly subject: FindingSubject;
  /** It is in force until then. */
  readonly until: string;
  /** Ids of the newest calls that made it, the oldest first. */
  readonly calls: readonly string[];
  readonly facts: Readonly<Record<string, number>>;
  /** Of a called party: the callers that took part. */
  readonly participants?: readonly Participant[];
  /** Whom it binds, and until when calls are refused or marked. Left out: nobody. */
  readonly binds?: {
    readonly subject: FindingSubject;
    readonly refusedUntil?: string;
    readonly mark?: "label" | "withhold";
    readonly markedUntil?: string;
  };
  /** Why it binds nobody. */
  readonly unbound?: string;
  /** What was ordered about it. Left out: a detector found it. */
  readonly order?: "add" | "release";
  readonly reason?: string;
  /** `command`: who gave the order. */
  readonly by?: string;
}

/** Somebody saw whole numbers, searched or exported. */
export interface AccessLine extends Stamped {
  readonly record: "access";
  readonly command: string;
  readonly by: string;
  readonly case?: string | undefined;
  readonly found?: number | undefined;
}

/** Any line of a records folder. */
export type RecordLine =
  | DecidedLine
  | RequestLine
  | EndedLine
  | MovedLine
  | ShedLine
  | OrderLine
  | GapLine
  | DeletedLine
  | PolicyLine
  | ListLine
  | FindingLine
  | AccessLine;

/** A line that no call makes: it is handed over whole, and its time and node are added by the writer. */
export type NoteLine = Unstamped<
  OrderLine | GapLine | DeletedLine | PolicyLine | ListLine | FindingLine | AccessLine
>;

type Unstamped<Line> = Line extends Stamped ? Omit<Line, keyof Stamped> & Partial<Stamped> : never;

/** The line of a finding, without the node. */
export function describeFinding(
  { id, detector, profile, subject, at, until, evidence, facts, participants }: Finding,
  mode: DetectorMode,
): Omit<FindingLine, "node"> {
  return {
    record: "finding",
    time: new Date(at).toISOString(),
    id,
    detector,
    profile,
    mode,
    subject,
    until: new Date(until).toISOString(),
    calls: evidence.map((call) => call.id),
    facts,
    ...(participants.length === 0 ? {} : { participants }),
  };
}

/** The line of the end of a call, without the node. */
export function describeEnd(event: CallEnded, lessee: string | undefined): Omit<EndedLine, "node"> {
  const { call, at, ringingMs, answeredMs, talkedMs, by, how, status, cause } = event;
  return {
    record: "ended",
    id: call.id,
    time: new Date(at).toISOString(),
    trunk: call.trunk,
    lessee,
    ringingMs,
    answeredMs,
    seconds: talkedMs === undefined ? undefined : Math.round(talkedMs) / 1000,
    by,
    how,
    ...(status === undefined ? {} : { status }),
    ...(cause === undefined ? {} : { cause }),
  };
}
