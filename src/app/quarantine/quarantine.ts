// The quarantine of a running filter: takes findings and orders, keeps them, lets them end, and lists them.
import type { DetectorMode, Finding, FindingSubject, Participant } from "../../domain/finding.ts";
import { formatSubject } from "../../domain/finding.ts";
import type { Millis } from "../../domain/time.ts";
import type { Side } from "../../domain/trunk.ts";
import { suggest } from "../../config/yaml/suggestion.ts";
import { type Shared, tellNobody } from "../../cluster/shared-entries.ts";
import type { Policy } from "../../policy/policy.ts";
import type { FindingInForce } from "../../screening/detectors/findings.ts";
import {
  type Bound,
  bindFinding,
  findSubject,
  joinShields,
  releasedOf,
  unboundWords,
} from "../../screening/quarantine/binding.ts";
import { fillQuarantine, followPolicy, modeOfHolder } from "../../screening/quarantine/enforced.ts";
import { mergeHeld } from "../../screening/quarantine/heard-entries.ts";
import { changedAfter, endOf, type Held, type Holder } from "../../state/quarantine/held.ts";
import type { Entry, QuarantineTable } from "../../state/quarantine/quarantine-table.ts";
import type { JournalLine } from "./quarantine-journal.ts";
import { type FindingNote, noteOfOrder, rowOfEntry, rowOfFinding } from "./quarantine-lines.ts";
import {
  type QuarantineAnswer,
  type QuarantinePage,
  type QuarantineRequest,
  type QuarantineRow,
  refuseQuarantine,
} from "./quarantine-request.ts";

/** Rows of the list that are made in one turn. */
const PAGE = 200;

/** What the quarantine works on. All of it belongs to the call thread. */
export interface QuarantineParts {
  readonly table: QuarantineTable;
  /** What was kept. */
  readonly kept: readonly Held[];
  readonly policy: () => Policy;
  /** The wall clock, in Unix milliseconds: entries end by it. */
  readonly now: () => Millis;
  /** Keeps a change over a restart. Resolves when it is on the disk. Rejects when that is not possible. */
  readonly keep: (line: JournalLine) => Promise<void>;
  /** Why nothing can be kept at all; undefined: it can. */
  readonly unkept: () => string | undefined;
  /** Takes each order, for the records and the log. */
  readonly note: (line: FindingNote) => void;
  /** Takes each order that another node has taken. The records of that node have it. */
  readonly heard?: (line: FindingNote, from: string) => void;
  readonly findings: () => Iterable<FindingInForce>;
  /** Gives each order its id. */
  readonly name: () => string;
  readonly fault: (error: unknown) => void;
}

export interface Quarantine {
  /** Takes a finding that was told. Runs on the path of calls. */
  readonly take: (finding: Finding) => Bound;
  /**
   * Takes a caller that joins a finding about a called party. Runs on the path of calls.
   *
   * @param isHeard true: by a call of another node, which tells the others
   */
  readonly join: (finding: FindingInForce, participant: Participant, isHeard: boolean) => void;
  /** Takes an order. It is in force before this returns; the promise resolves when it is kept. */
  readonly order: (request: QuarantineRequest) => Promise<QuarantineAnswer>;
  /** @param from 0, or `next` of the page before */
  readonly list: (from: number) => QuarantinePage;
  /** Another policy is in force. */
  readonly policyChanged: () => void;
  /** Lets entries end. Called every second or so. */
  readonly tick: () => void;
  /** The entries, as nodes tell each other. */
  readonly shared: Shared<Held>;
  /** Entries that bind somebody, by who made them. */
  readonly counts: () => ReadonlyMap<Holder, number>;
}

/** Makes the quarantine, and puts in force what was kept. */
export function createQuarantine(parts: QuarantineParts): Quarantine {
  const { table, policy, now, findings, fault } = parts;
  const sideOf = (trunk: string): Side | undefined => policy().trunkById(trunk)?.trunk.side;
  const modeOf = (holder: Holder): DetectorMode => modeOfHolder(holder, policy().detectors);
  let share: (held: Held) => void = tellNobody;
  /** By an order that is being kept: the newest that other nodes told meanwhile, and that the order comes after. */
  const passed = new Map<Held, Held | undefined>();
  const keepSoon = (line: JournalLine): void => {
    if (parts.unkept() === undefined) parts.keep(line).catch(fault);
  };

  const keepShared = (held: Held): void => {
    keepSoon({ held });
    share(held);
  };

  fillQuarantine(table, parts.kept, policy().detectors, now());

  /** Puts an entry in force and keeps it. @returns the refusal; then nothing has changed */
  async function change(held: Held, former: Entry | undefined): Promise<QuarantineAnswer | Entry> {
    const before = former?.held;
    const entry = table.put(held, now());
    if (entry === undefined)
      return refuseQuarantine(503, `${unboundWords.full} (${table.count} entries); nothing was changed`);
    passed.set(held, undefined);
    try {
      await parts.keep({ held });
      share(entry.held);
      return entry;
    } catch (error) {
      // What came meanwhile stays.
      if (entry.held === held) {
        if (before === undefined) table.remove(entry);
        else table.put(before, now());
        const other = passed.get(held);
        if (other !== undefined) takeHeard(other);
      }
      const why = error instanceof Error ? error.message : String(error);
      return refuseQuarantine(503, `the order can't be kept: ${why}; nothing was changed`);
    } finally {
      passed.delete(held);
    }
  }

  /** @returns false where ours stays as it is */
  function takeHeard(heard: Held): boolean {
    const at = now();
    if (endOf(heard) <= at) return false;
    const ours = table.get(heard.holder, heard.subject)?.held;
    const merged = mergeHeld(heard, ours, at);
    if (ours !== undefined && passed.has(ours))
      passed.set(ours, mergeHeld(heard, passed.get(ours), at)?.held ?? passed.get(ours));
    const entry = merged === undefined ? undefined : table.put(merged.held, at);
    if (merged === undefined || entry === undefined) return false;
    keepSoon({ held: entry.held });
    if (merged.isAnswer) share(entry.held);
    return true;
  }

  function hear(from: string, held: Held): void {
    const { holder, reason = "", released } = held;
    const isKnown = table.get(holder, held.subject)?.held.changed === held.changed;
    if (!takeHeard(held) || isKnown || (holder !== "command" && released === undefined)) return;
    const order = released === undefined ? "add" : "release";
    parts.heard?.(noteOfOrder(order, held, modeOf(holder), reason, now()), from);
  }

  /** An order to shield a party goes on against whom later findings name. */
  function joinEntry(entry: Entry | undefined, participant: Participant): void {
    if (entry === undefined || !table.join(entry, participant)) return;
    keepSoon({ join: entry.held.id, participant });
    share(entry.held);
  }

  /** The callers that took part in calls to a party, as the findings in force name them. */
  function participantsOf(subject: FindingSubject): readonly Participant[] {
    const named = [...findings()].filter(
      (finding) => finding.until > now() && isSame(finding.subject, subject),
    );
    const entries = [...table.entries()].filter(({ held }) => isSame(held.subject, subject));
    return [...named, ...entries.map(({ held }) => held)].flatMap(({ participants }) => participants);
  }

  function whyNot(subject: FindingSubject): QuarantineAnswer | undefined {
    if (subject.kind === "called") {
      if (participantsOf(subject).length > 0) return undefined;
      return refuseQuarantine(
        409,
        `no finding names callers that bomb ${subject.number}: a shield would refuse nobody; add the callers: caller:NUMBER@TRUNK`,
      );
    }
    const side = sideOf(subject.trunk);
    if (side === "core")
      return refuseQuarantine(
        409,
        `trunk "${subject.trunk}" is of side core: calls from the core are not screened`,
      );
    if (side !== undefined) return undefined;
    const names = policy().trunks.map(({ trunk }) => trunk.id);
    return refuseQuarantine(404, `unknown trunk "${subject.trunk}"${suggest(subject.trunk, names)}`);
  }

  /** Says which trunks do not enforce the rule. */
  function weaknesses(subject: FindingSubject): readonly string[] {
    const trunks = policy().trunks.filter(
      ({ trunk }) => trunk.side !== "core" && (!("trunk" in subject) || subject.trunk === trunk.id),
    );
    return trunks.flatMap(({ trunk, screen }) => {
      const mode = screen.steps.find(({ id }) => id === "quarantine")?.mode;
      return mode === "enforce"
        ? []
        : [`rule quarantine is ${mode ?? "off"} on trunk "${trunk.id}": its calls pass`];
    });
  }

  async function add({
    subject,
    for: lasting,
    reason,
  }: Extract<QuarantineRequest, { readonly order: "add" }>): Promise<QuarantineAnswer> {
    const refusal = whyNot(subject);
    if (refusal !== undefined) return refusal;
    const at = now();
    const former = table.get("command", subject);
    const held: Held = {
      id: parts.name(),
      holder: "command",
      profile: "",
      subject,
      since: at,
      until: at + lasting,
      mark: undefined,
      markUntil: 0,
      calls: 0,
      strength: 0,
      reason,
      changed: changedAfter(former?.held, at),
      participants: subject.kind === "called" ? unique(participantsOf(subject)) : [],
    };
    const entry = await change(held, former);
    if ("result" in entry) return entry;
    parts.note(noteOfOrder("add", held, "enforce", reason, at));
    return { result: "taken", taken: [rowOfEntry(entry, now())], warnings: weaknesses(subject) };
  }

  /** A finding in force without an entry, as an entry that can be released. */
  function heldOf(finding: FindingInForce): Held {
    const { id, detector, profile, subject, at, until, calls, strength, participants } = finding;
    const wanted = findSubject(subject, policy().detectors.get(detector) ?? {}, sideOf);
    const binds = typeof wanted === "string" ? subject : wanted;
    return {
      id,
      holder: detector,
      profile,
      subject: binds,
      changed: table.get(detector, binds)?.held.changed ?? 0,
      since: at,
      until,
      mark: undefined,
      markUntil: 0,
      calls,
      strength,
      participants,
    };
  }

  function meant(what: string | FindingSubject): readonly Held[] {
    const at = now();
    const isMeant = ({ id, subject }: { readonly id: string; readonly subject: FindingSubject }): boolean =>
      typeof what === "string" ? id === what : isSame(subject, what);
    const entries = [...table.entries()].map(({ held }) => held).filter(isMeant);
    const loose = [...findings()].filter(
      (finding) => finding.until > at && table.byId(finding.id) === undefined && isMeant(finding),
    );
    return [...entries, ...loose.map(heldOf)];
  }

  async function release({
    what,
    reason,
  }: Extract<QuarantineRequest, { readonly order: "release" }>): Promise<QuarantineAnswer> {
    const named = typeof what === "string" ? what : formatSubject(what);
    const all = meant(what);
    if (all.length === 0)
      return refuseQuarantine(404, `nothing is in quarantine as ${named}; look at sigwall quarantine list`);
    const held = all.filter(({ released }) => released === undefined);
    if (held.length === 0) return refuseQuarantine(409, `${named} is released already; nothing was changed`);
    const taken: QuarantineRow[] = [];
    for (const each of held) {
      const at = now();
      const entry = await change(releasedOf(each, at, reason), table.get(each.holder, each.subject));
      if ("result" in entry) return entry;
      parts.note(noteOfOrder("release", each, modeOf(each.holder), reason, at));
      taken.push(rowOfEntry(entry, at));
    }
    return { result: "taken", taken, warnings: [] };
  }

  function* rows(): Generator<() => QuarantineRow, void, void> {
    const at = now();
    for (const entry of table.entries()) yield () => rowOfEntry(entry, at);
    for (const finding of findings())
      if (finding.until > at && table.byId(finding.id) === undefined) yield () => rowOfFinding(finding);
  }

  return {
    take(finding) {
      const setting = policy().detectors.get(finding.detector);
      const bound = bindFinding(finding, setting, table, sideOf);
      for (const participant of finding.participants)
        joinEntry(table.get("command", finding.subject), participant);
      if ("entry" in bound) keepShared(bound.entry.held);
      else if (bound.unbound === "released") {
        const subject = setting === undefined ? undefined : findSubject(finding.subject, setting, sideOf);
        const kept = typeof subject === "object" ? table.get(finding.detector, subject)?.held : undefined;
        if (kept !== undefined) keepShared(kept);
      }
      return bound;
    },
    join(finding, participant, isHeard) {
      for (const { held } of joinShields(finding, participant, table)) {
        keepSoon({ join: held.id, participant });
        if (!isHeard) share(held);
      }
    },
    async order(request) {
      const unkept = parts.unkept();
      if (unkept !== undefined) return refuseQuarantine(503, `${unkept}; nothing was changed`);
      return request.order === "add" ? add(request) : release(request);
    },
    list(from) {
      const page: QuarantineRow[] = [];
      let index = 0;
      for (const row of rows()) {
        if (index++ < from) continue;
        if (page.length === PAGE) return { rows: page, next: from + PAGE };
        page.push(row());
      }
      return { rows: page, next: undefined };
    },
    policyChanged: () => followPolicy(table, policy().detectors),
    shared: {
      tellTo(tell) {
        share = tell;
      },
      heard: hear,
      *entries() {
        for (const { held } of table.entries()) yield held;
      },
    },
    tick: () => void table.forgetEnded(now()),
    counts() {
      const counts = new Map<Holder, number>();
      for (const { isOn, held } of table.entries())
        if (isOn) counts.set(held.holder, (counts.get(held.holder) ?? 0) + 1);
      return counts;
    },
  };
}

function isSame(one: FindingSubject, other: FindingSubject): boolean {
  return formatSubject(one) === formatSubject(other);
}

function unique(participants: readonly Participant[]): readonly Participant[] {
  const found = new Map(participants.map((one) => [`${one.trunk} ${one.number}`, one]));
  return [...found.values()];
}
