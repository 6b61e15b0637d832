// Line orders, quarantine and findings on every node: what is changed here is told, what others tell is put in force.
import type { Exchange, ExchangeListener, KeptKind } from "../../cluster/exchange.ts";
import { MOST_KEPT_ENTRIES } from "../../cluster/exchange.ts";
import type { Shared, SharedKinds } from "../../cluster/shared-entries.ts";
import type { Millis } from "../../domain/time.ts";
import type { SharedOrdersFigures } from "../../observe/cluster/cluster-figures.ts";
import type { Log } from "../../observe/log.ts";
import { type EntryForm, findingForm, heldForm, lineForm, readEntry, writeEntry } from "./order-entries.ts";

export interface SharedOrdersParts {
  /** The name of this node. */
  readonly node: string;
  readonly exchange: Pick<Exchange, "keep">;
  readonly kinds: SharedKinds;
  readonly log: Pick<Log, "warn" | "error">;
  /** The wall clock: entries end by it. */
  readonly now: () => Millis;
}

export interface SharedOrders {
  /** Takes an entry of another node. Never throws. Entries of other kinds are not looked at. */
  readonly kept: ExchangeListener["kept"];
  /** Keeps what the other nodes do not keep. Call it once, when they were asked. */
  readonly begin: () => void;
  /** Lets go of what has ended. Call it every second or so. */
  readonly tick: () => void;
  readonly figures: () => SharedOrdersFigures;
}

/** Entries with an end that this node keeps. The rest is for lines. */
const MOST_ENDING: number = MOST_KEPT_ENTRIES - 512;
/** Time between two log lines about one fault. Milliseconds. */
const TELL_EVERY: Millis = 60_000;

interface Kind {
  readonly kept: (from: string, subject: string, bytes: Uint8Array | undefined) => void;
  readonly begin: () => void;
  readonly tick: () => void;
  readonly size: () => number;
}

/** From now on changes of `lines`, `quarantine` and `findings` are told. */
export function createSharedOrders(parts: SharedOrdersParts): SharedOrders {
  const { node, exchange, log, now } = parts;
  let unread = 0;
  let untold = 0;
  let ending = 0;
  const saidAt = new Map<string, Millis>();

  function isToSay(what: string): boolean {
    const at = now();
    const before = saidAt.get(what);
    if (before !== undefined && at >= before && at - before < TELL_EVERY) return false;
    saidAt.set(what, at);
    return true;
  }

  function createKind<Entry>(form: EntryForm<Entry>, shared: Shared<Entry>): Kind {
    /** What this node keeps, and when it ends. */
    const told = new Map<string, Millis>();
    /** What other nodes keep, until this node has begun. */
    let covered: Map<string, string> | undefined = new Map();

    function tell(entry: Entry): void {
      const subject = form.subjectOf(entry);
      const isNew = !told.has(subject);
      const end = form.endOf(entry);
      if (isNew && end !== Infinity && ending >= MOST_ENDING) {
        untold++;
        if (isToSay("full"))
          log.error("orders and findings are not told to other nodes: this node keeps too many", {
            entries: ending,
            untold,
          });
        return;
      }
      if (isNew && end !== Infinity) ending++;
      told.set(subject, end);
      exchange.keep(form.kind, subject, writeEntry(form, entry));
    }

    shared.tellTo(tell);
    return {
      kept(from, subject, bytes) {
        // What has ended, has ended here too.
        if (bytes === undefined) return;
        const entry = readEntry(form, subject, bytes);
        if (entry === undefined) {
          unread++;
          if (isToSay("unread"))
            log.warn("an entry of another node can't be read: it has no effect here", {
              node: from,
              kind: form.kind,
              unread,
            });
          return;
        }
        shared.heard(from, entry);
        if (from !== node) covered?.set(subject, form.versionOf(entry));
        // An earlier process of this node kept it: nobody does from now on.
        else if (covered === undefined && !told.has(subject) && form.endOf(entry) > now()) tell(entry);
      },
      begin() {
        const others = covered;
        covered = undefined;
        for (const entry of shared.entries()) {
          const subject = form.subjectOf(entry);
          const isKept = !form.isKeptByAll && others?.get(subject) === form.versionOf(entry);
          if (!isKept && form.endOf(entry) > now()) tell(entry);
        }
      },
      tick() {
        const at = now();
        for (const [subject, end] of told) {
          if (end > at) continue;
          told.delete(subject);
          ending--;
          exchange.keep(form.kind, subject, undefined);
        }
      },
      size: () => told.size,
    };
  }

  const kinds: Readonly<Partial<Record<KeptKind, Kind>>> = {
    line: createKind(lineForm, parts.kinds.lines),
    quarantine: createKind(heldForm, parts.kinds.quarantine),
    finding: createKind(findingForm, parts.kinds.findings),
  };
  const all = Object.values(kinds);
  return {
    kept: (from, kind, subject, bytes) => kinds[kind]?.kept(from.node, subject, bytes),
    begin: () => all.forEach((kind) => kind.begin()),
    tick: () => all.forEach((kind) => kind.tick()),
    figures: () => ({ unread, untold, kept: all.reduce((sum, { size }) => sum + size(), 0) }),
  };
}
