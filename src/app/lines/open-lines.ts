// Opens the line orders of a running filter: read from its state folder, looked at every second, told to the log.
import type { TrunkId } from "../../domain/trunk.ts";
import type { Millis } from "../../domain/time.ts";
import { type AdminConfig, socketPath } from "../../config/sigwall/admin-schema.ts";
import type { Log, LogFields } from "../../observe/log.ts";
import type { Policy } from "../../policy/policy.ts";
import { linesOf } from "../../domain/line-state.ts";
import { areCallsReleased, type CommandedLines } from "../../screening/line-orders.ts";
import { findLines, keepLines } from "./lines-files.ts";
import { NO_LINES, type OrderNote } from "./lines-document.ts";
import { trunkStates } from "./lines-held.ts";
import { createLines, type Lines } from "./lines.ts";
import type { Released } from "./line-request.ts";

/** What the lines of a running filter need of it. */
export interface OpenLinesParts {
  /** The state folder; `why` says why nothing can be kept there. */
  readonly folder: { readonly path: string; readonly why: string | undefined };
  /** The name of this node. Left out: it has none. */
  readonly node?: string;
  readonly commanded: CommandedLines;
  readonly policy: () => Policy;
  /** Takes each order, for the records. */
  readonly note: (line: OrderNote) => void;
  /** Ends the calls of trunks. Left out: nothing can be released. */
  readonly release?: (trunks: ReadonlySet<TrunkId>) => Promise<Released>;
  readonly callsOn: (trunk: TrunkId) => number;
  readonly log: Log;
  readonly fault: (error: unknown) => void;
}

/** The line orders of a running filter. */
export interface OpenedLines extends Pick<Lines, "order" | "begin" | "policyChanged" | "shared"> {
  /** Where the admin socket is. Undefined: the state folder is not ours, and no other place is configured. */
  readonly socket: (admin: AdminConfig) => string | undefined;
  /**
   * True while an order stops the trunk and releases its calls: a re-INVITE, UPDATE or refresh of a call that could not
   * be released is refused. Runs on the path of calls. `at` is the wall clock.
   */
  readonly areCallsReleased: (trunk: TrunkId, at: Millis) => boolean;
  /** The state of each screened trunk now. */
  readonly states: () => Iterable<readonly [trunk: TrunkId, state: string]>;
  /** False: an order may be missing, or a restart forgets orders. */
  readonly areKept: () => boolean;
  readonly close: () => Promise<void>;
}

/** How often orders are looked at that end or begin by their dates. The rule itself is exact. Milliseconds. */
const LOOK_INTERVAL: Millis = 1000;

/** Reads the kept orders, and puts them in force. The log tells damaged files. */
export function openLines(parts: OpenLinesParts): OpenedLines {
  const { folder, commanded, policy, log } = parts;
  const found = folder.why === undefined ? findLines(folder.path) : { ...NO_LINES, trouble: undefined };
  if (found.trouble !== undefined) log.error(`line orders: ${found.trouble}`);
  let isWhole = found.trouble === undefined && folder.why === undefined;
  let isOrdered = false;
  const lines = createLines({
    kept: found,
    commanded,
    policy,
    now: wallClock,
    unkept: () =>
      folder.why === undefined ? undefined : `the state folder ${folder.path} can't be used: ${folder.why}`,
    async keep(kept) {
      try {
        await keepLines(folder.path, kept);
        if (isOrdered) isWhole = true;
      } catch (error) {
        isWhole = false;
        throw error;
      }
    },
    note: parts.note,
    ...(parts.node === undefined ? {} : { node: parts.node }),
    heard: (line, from) => noteInLog(log, line, from),
    release: parts.release,
    callsOn: parts.callsOn,
    warn: (message) => log.warn(message),
    fault: parts.fault,
  });
  const look = setInterval(lines.tick, LOOK_INTERVAL);
  return {
    order(request) {
      isOrdered = true;
      return lines.order(request);
    },
    begin: lines.begin,
    policyChanged: lines.policyChanged,
    shared: lines.shared,
    socket: (admin) =>
      folder.why !== undefined && admin.socket === undefined ? undefined : socketPath(admin, folder.path),
    areCallsReleased(trunk, at) {
      const tables = policy().trunkById(trunk)?.screen.tables;
      if (tables === undefined || tables.trunk.side === "core") return false;
      return areCallsReleased(tables.lineOrders, linesOf(tables.trunk), commanded, at);
    },
    states: () => trunkStates(policy(), commanded, wallClock()),
    areKept: () => isWhole,
    async close() {
      clearInterval(look);
      await lines.settled();
    },
  };
}

const wallClock = (): Millis => Date.now();

/**
 * Writes an order to the log. Texts of orders may hold numbers of people: the log has the reference alone.
 *
 * @param from the node that took the order. Left out: this one
 */
export function noteInLog(log: Log, line: OrderNote, from?: string): void {
  const { line: id, state, previous, order, by, until, released, gone, notReleasable } = line;
  const fields: LogFields = { line: id, state, previous, order, by };
  log.info("line order", {
    ...fields,
    ...(from === undefined ? {} : { node: from }),
    ...(until === undefined ? {} : { until }),
    ...(released === undefined ? {} : { released, gone: gone ?? 0, notReleasable: notReleasable ?? 0 }),
  });
}
