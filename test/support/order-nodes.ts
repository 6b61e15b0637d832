// Several nodes that share orders, at virtual time: their exchanges are joined in memory, their disks are texts.
import { createSharedOrders, type SharedOrders } from "../../src/app/cluster/shared-orders.ts";
import type { LineRequest, Released } from "../../src/app/lines/line-request.ts";
import { type OrderNote, readLines, writeLines, NO_LINES } from "../../src/app/lines/lines-document.ts";
import { createLines, type Lines } from "../../src/app/lines/lines.ts";
import type { FindingNote } from "../../src/app/quarantine/quarantine-lines.ts";
import { readQuarantineRequest } from "../../src/app/quarantine/quarantine-request.ts";
import { createQuarantine, type Quarantine } from "../../src/app/quarantine/quarantine.ts";
import type { KeptKind } from "../../src/cluster/exchange.ts";
import { tellNobody } from "../../src/cluster/shared-entries.ts";
import type { CallEvent } from "../../src/domain/call.ts";
import { lineStates } from "../../src/domain/line-state.ts";
import type { Finding } from "../../src/domain/finding.ts";
import type { Millis } from "../../src/domain/time.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { SharedFinding } from "../../src/screening/detectors/findings.ts";
import { createWatch, type Watch } from "../../src/screening/detectors/watch.ts";
import type { CommandedLines } from "../../src/screening/line-orders.ts";
import { type AnsweredPairs, createAnsweredPairs } from "../../src/state/quarantine/answered-pairs.ts";
import type { Held } from "../../src/state/quarantine/held.ts";
import { createQuarantineTable, type QuarantineTable } from "../../src/state/quarantine/quarantine-table.ts";
import { NOW } from "./attempt.ts";
import { compileText } from "./proxy.ts";

/** What a node finds on its disk when it starts again. */
export interface Disk {
  lines: string;
  quarantine: readonly Held[];
}

export interface OrderNode {
  readonly name: string;
  readonly disk: Disk;
  readonly commanded: CommandedLines;
  readonly table: QuarantineTable;
  readonly lines: Lines;
  readonly quarantine: Quarantine;
  readonly watch: Watch;
  /** Who answered whom. */
  readonly answered: AnsweredPairs;
  readonly orders: SharedOrders;
  /** What the records of the node got. */
  readonly records: readonly (OrderNote | FindingNote)[];
  /** Orders of other nodes in its log: `NODE: LINE STATE`. */
  readonly log: readonly string[];
  /** Calls of trunks that it released. */
  readonly released: readonly string[];
  /** Why its disk can't be written. */
  broken: string | undefined;
  /** The state of `trunk:lease` by command and file: `suspended JG-1 by command`. */
  readonly state: () => string;
  /** Takes `LINE STATE ORDER`, and more of a request. */
  readonly line: (order: string, more?: Partial<LineRequest>) => Promise<string>;
  /** Takes a body of `POST /api/quarantine`. */
  readonly hold: (body: object) => Promise<string>;
  /** Entries: `SUBJECT STATE`, with the number of participants. */
  readonly held: () => readonly string[];
  /** An event of a call of this node. The others hear it at once. */
  readonly happened: (event: CallEvent) => void;
}

interface Letter {
  readonly from: string;
  readonly kind: KeptKind;
  readonly subject: string;
  readonly bytes: Uint8Array | undefined;
}

export interface StartOptions {
  readonly disk?: Disk;
  /** What its wall clock is ahead. Milliseconds. */
  readonly ahead?: Millis;
  readonly policy?: string;
  /** Redis does not answer at the start. */
  readonly isCutOff?: boolean;
}

export interface OrderCluster {
  /** The wall clock of a node whose clock is right. */
  now: Millis;
  readonly start: (name: string, options?: StartOptions) => OrderNode;
  /** The node ends, without a word. What it kept stays. */
  readonly stop: (node: OrderNode) => Disk;
  /** Lets everything that was told reach the others. */
  readonly deliver: () => void;
  /** Lets some of it reach them: what one node told, in its order; what several told, in any. `dice`: from 0 to 1. */
  readonly trickle: (dice: () => number) => void;
  /** Redis and what it keeps is gone; what was on its way too. */
  readonly forget: () => void;
  /** Entries in Redis: `NODE KIND SUBJECT`. */
  readonly stored: () => readonly string[];
  /** Puts octets into Redis as if a node had told them, and tells them. */
  readonly plant: (from: string, kind: KeptKind, subject: string, bytes: Uint8Array) => void;
}

export const emptyDisk = (): Disk => ({ lines: writeLines(NO_LINES), quarantine: [] });

export function createOrderCluster(policyText: string): OrderCluster {
  const running = new Map<string, OrderNode>();
  const redis = new Map<string, Letter>();
  /** What each node has not heard yet. */
  const inboxes = new Map<string, Letter[]>();

  function post(letter: Letter): void {
    const field = `${letter.from} ${letter.kind} ${letter.subject}`;
    if (letter.bytes === undefined) redis.delete(field);
    else redis.set(field, letter);
    for (const [name, inbox] of inboxes) if (name !== letter.from) inbox.push(letter);
  }

  function hand(node: OrderNode, { from, kind, subject, bytes }: Letter): void {
    node.orders.kept({ node: from, epoch: 1 }, kind, subject, bytes, cluster.now);
  }

  function start(name: string, options: StartOptions = {}): OrderNode {
    const policy = compileText(options.policy ?? policyText);
    const node = createNode(name, policy, options, () => cluster.now + (options.ahead ?? 0), post);
    const told = node.happened;
    const joined: OrderNode = Object.assign(node, {
      happened(event: CallEvent) {
        told(event);
        for (const other of running.values()) if (other.name !== name) other.watch.heard(event);
      },
    });
    inboxes.set(name, []);
    if (options.isCutOff !== true) for (const letter of redis.values()) hand(joined, letter);
    joined.orders.begin();
    joined.lines.begin();
    running.set(name, joined);
    return joined;
  }

  const cluster: OrderCluster = {
    now: NOW,
    start,
    stop(node) {
      running.delete(node.name);
      inboxes.delete(node.name);
      for (const [name, inbox] of inboxes)
        inboxes.set(
          name,
          inbox.filter(({ from }) => from !== node.name),
        );
      return { lines: node.disk.lines, quarantine: [...node.table.entries()].map(({ held }) => held) };
    },
    deliver() {
      // What is heard may be answered.
      while ([...inboxes.values()].some(({ length }) => length > 0)) cluster.trickle(() => 0);
    },
    trickle(dice) {
      for (const node of running.values()) {
        const inbox = inboxes.get(node.name) ?? [];
        for (let left = Math.ceil(inbox.length * (1 - dice())); left > 0 && inbox.length > 0; left--) {
          const from = inbox[Math.floor(dice() * inbox.length)]?.from;
          const next = inbox.findIndex((letter) => letter.from === from);
          for (const letter of inbox.splice(next, 1)) hand(node, letter);
        }
      }
    },
    forget() {
      redis.clear();
      for (const name of inboxes.keys()) inboxes.set(name, []);
    },
    stored: () => [...redis.keys()].toSorted(),
    plant: (from, kind, subject, bytes) => post({ from, kind, subject, bytes }),
  };
  return cluster;
}

function createNode(
  name: string,
  policy: Policy,
  { disk = emptyDisk() }: StartOptions,
  now: () => Millis,
  post: (letter: Letter) => void,
): OrderNode {
  const commanded: CommandedLines = { orders: new Map() };
  const table = createQuarantineTable();
  const records: (OrderNote | FindingNote)[] = [];
  const log: string[] = [];
  const released: string[] = [];
  const answered = createAnsweredPairs(1024);
  let count = 0;
  const fault = (error: unknown): void =>
    void log.push(`fault: ${error instanceof Error ? error.message : String(error)}`);
  const lines = createLines({
    kept: readLines(disk.lines),
    commanded,
    policy: () => policy,
    now,
    node: name,
    async keep(kept) {
      if (node.broken !== undefined) throw new Error(node.broken);
      disk.lines = writeLines(kept);
    },
    unkept: () => undefined,
    note: (line) => records.push(line),
    heard: ({ line, state }, from) => log.push(`${from}: ${line} ${state}`),
    async release(trunks): Promise<Released> {
      released.push(...trunks);
      return { released: trunks.size, gone: 0, notReleasable: 0 };
    },
    warn: (message) => log.push(message),
    fault,
  });
  const quarantine = createQuarantine({
    table,
    kept: disk.quarantine,
    policy: () => policy,
    now,
    async keep() {
      if (node.broken !== undefined) throw new Error(node.broken);
    },
    unkept: () => undefined,
    note: (line) => records.push(line),
    heard: ({ order = "", subject }, from) =>
      log.push(`${from}: ${order} ${subject.kind === "trunk" ? subject.trunk : subject.number}`),
    findings: () => watch.findings(),
    name: () => `o1${name}-${++count}`,
    fault,
  });
  let share: (finding: SharedFinding) => void = tellNobody;
  const watch: Watch = createWatch({
    sizes: { calls: 1000, subjects: 1000, findings: 100 },
    settings: () => policy.detectors,
    ahead: () => 0,
    name: () => `f1${name}-${++count}`,
    tell(finding: Finding, mode) {
      const bound = quarantine.take(finding);
      records.push({
        record: "finding",
        time: "",
        id: finding.id,
        detector: finding.detector,
        profile: "",
        mode,
        subject: finding.subject,
        until: "",
        calls: [],
        facts: {},
        ...("unbound" in bound ? { unbound: bound.unbound } : {}),
      });
      share({ ...finding, calls: finding.facts["calls"] ?? 0, isEnforced: mode === "enforce" });
    },
    join: quarantine.join,
    answered: ({ caller, called }, at) => answered.note(caller, called, at, false),
  });
  const orders = createSharedOrders({
    node: name,
    exchange: { keep: (kind, subject, bytes) => post({ from: name, kind, subject, bytes }) },
    kinds: {
      lines: lines.shared,
      quarantine: quarantine.shared,
      findings: {
        tellTo: (tell) => void (share = tell),
        heard: (_from, finding) => watch.hear(finding, now()),
        entries: watch.findings,
      },
    },
    log: { warn: (message) => void log.push(message), error: (message) => void log.push(message) },
    now,
  });
  const node: OrderNode = {
    name,
    disk,
    commanded,
    table,
    lines,
    quarantine,
    watch,
    answered,
    orders,
    records,
    log,
    released,
    broken: undefined,
    state() {
      const [line] = policy.lines.filter(({ id }) => id === "trunk:lease");
      const order = commanded.orders.get("trunk:lease");
      const isFile = line?.placed !== undefined;
      const shown = order === undefined ? "active" : `${order.state} ${order.order ?? ""}`;
      return isFile ? `${shown}, file ${line.placed.order.state}` : shown;
    },
    async line(order, more = {}) {
      const [line = "", state = "", reference = ""] = order.split(" ");
      const [kind = "", id = ""] = line.split(":");
      const answer = await lines.order({
        kind: kind === "trunk" ? "trunk" : "lessee",
        name: id,
        state: lineStates.find((word) => word === state) ?? "active",
        order: reference,
        reason: "a test",
        calls: "keep",
        ...more,
      });
      return answer.result === "refused" ? answer.message : answer.taken.state;
    },
    async hold(body) {
      const request = readQuarantineRequest({ reason: "a test", ...body });
      if (typeof request === "string") return request;
      const answer = await quarantine.order(request);
      return answer.result === "refused"
        ? answer.message
        : answer.taken.map(({ id, subject, state }) => `${id} ${subject} ${state}`).join(", ");
    },
    held: () =>
      quarantine
        .list(0)
        .rows.map(
          ({ subject, state, participants }) =>
            `${subject} ${state}${participants === undefined ? "" : ` ${participants}`}`,
        )
        .toSorted(),
    happened: watch.happened,
  };
  return node;
}
