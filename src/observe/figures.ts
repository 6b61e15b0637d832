// The figures of a scrape: plain values, read in the call thread and rendered in the admin thread.
import type { ClusterFigures } from "./cluster/cluster-figures.ts";
import type { Counters, TrunkCounters } from "./counters.ts";

/** A next hop of a trunk at the moment of a scrape. */
export interface NextHopFigure {
  readonly trunk: string;
  readonly id: string;
  readonly state: "unknown" | "up" | "down";
  readonly addresses: number;
  /** True: it gets no new calls while another is up, because its 503 had Retry-After. */
  readonly isResting?: boolean;
}

/** A next hop that is a name. */
export interface NameFigure {
  readonly id: string;
  readonly isStale: boolean;
  readonly found: number;
  readonly failed: number;
}

/** A server that carries calls. */
export interface LinkFigure {
  readonly id: string;
  readonly isUp: boolean;
}

/** A list of the policy in force. */
export interface ListFigure {
  readonly id: string;
  readonly numbers: number;
}

/** Copies of judged messages for a HEP collector. */
export interface HepFigures {
  /** Messages handed to the network, each with its verdict. The filter does not learn whether a datagram arrives. */
  readonly sent: number;
  /** Messages that were lost: the queue was full, the message was larger than a datagram, or the socket refused it. */
  readonly lost: Readonly<Record<"queue" | "size" | "socket", number>>;
}

/** The records of calls. */
/** Messages that should be evidence and are not, since the start. */
export interface EvidenceFigures {
  /** True: evidence can be written, or none is kept. */
  readonly isOk: boolean;
  /** Memory was full. */
  readonly full: number;
  /** Their trunk had spent its budget. */
  readonly beyond: number;
  /** The disk failed. */
  readonly disk: number;
  /** Their answer left after 250 ms, when the disk did not have them yet. */
  readonly late: number;
  /** Checkpoints of other nodes, by what became of them. */
  readonly peers: Readonly<Record<string, number>>;
}

export interface RecordsFigures {
  /** True: record lines can be written. */
  readonly isOk: boolean;
  /** Events that have no record line and never will. */
  readonly lost: number;
  /** Octets of the record files. */
  readonly bytes: number;
  readonly evidence: EvidenceFigures;
}

/** The health of the engine: its overload stage and its load. */
export interface HealthFigures {
  readonly stage: number;
  readonly isDraining: boolean;
  readonly load: { readonly busy: number; readonly late: number };
}

/** Loads of a policy since the start, by outcome. */
export interface ReloadCounts {
  ok: number;
  failed: number;
}

/** What the detectors have told since the start. */
export interface DetectionFigures {
  readonly told: readonly { readonly detector: string; readonly mode: string; readonly count: number }[];
  /** Findings in force now, whether something follows from them or not. */
  readonly inForce: readonly { readonly detector: string; readonly count: number }[];
  /** Calls, subjects and findings that nobody watched because a table was full. */
  readonly full: number;
}

/** The quarantine. */
export interface QuarantineFigures {
  /** Entries that bind somebody, by the detector that made them; `command`: by an order. */
  readonly held: readonly { readonly detector: string; readonly count: number }[];
  /** Entries that were not made because there was no room. */
  readonly full: number;
  /** True: every entry is kept over a restart. */
  readonly isKept: boolean;
}

/** Calls in progress of a trunk. */
export interface StandingCalls {
  readonly setup: number;
  readonly answered: number;
}

/** The state folder, which survives a restart. */
export interface StateFolderFigures {
  /** True: this process holds the state folder, and the newest snapshot of calls was written. */
  readonly isOk: boolean;
  /** Snapshots of calls. */
  readonly written: number;
  readonly failed: number;
}

/** The program and its name among the nodes. */
export interface BuildFigures {
  readonly version: string;
  readonly node: string;
}

/** The certificate of a listener. */
export interface CertificateFigure {
  /** `tls:192.0.2.1:5061`, or `admin`. */
  readonly listener: string;
  /** Time until the first certificate of its chain expires. Seconds; below 0 it has expired. */
  readonly seconds: number;
}

/** The JavaScript engine of the call thread; the metrics `nodejs_*`. */
export interface RuntimeFigures {
  /** Octets. */
  readonly heap: { readonly total: number; readonly used: number; readonly external: number };
  readonly spaces: readonly {
    readonly name: string;
    readonly total: number;
    readonly used: number;
    readonly available: number;
  }[];
  /** Garbage collections by kind. */
  readonly collections: ReadonlyMap<string, CollectionFigure>;
  /** How long a due callback waited for the call thread, measured by the scrape before this one. Seconds. */
  readonly lag: number;
  /** Active handles, requests and resources of the event loop, by type. */
  readonly active: Readonly<Record<"handles" | "requests" | "resources", ReadonlyMap<string, number>>>;
}

/** Garbage collections of one kind. */
export interface CollectionFigure {
  /** Collections by {@link collectionBuckets}, not cumulative. The last bucket holds everything above. */
  readonly buckets: readonly number[];
  /** Seconds. */
  readonly sum: number;
}

/** Upper bounds of the histogram of garbage collections, in seconds. */
export const collectionBuckets: readonly number[] = [0.001, 0.01, 0.1, 1, 2, 5];

/** The last reload, where it did not bring the files into force. */
export interface ReloadProblem {
  readonly result: "failed" | "refused";
  /** Unix milliseconds. */
  readonly at: number;
  /** The first cause, with masked digits. */
  readonly cause: string;
}

/** The figures whose size does not depend on the number of trunks. */
export interface GeneralFigures {
  readonly totals: Omit<Counters, "trunks" | "strangers" | "strays">;
  readonly revision: string;
  readonly reloads: Readonly<ReloadCounts & { readonly refused: number }>;
  /** Undefined: the last reload was taken, or there was none. */
  readonly reloadProblem: ReloadProblem | undefined;
  /** How SIP over UDP is received and sent: "batched", "dgram" or "none". */
  readonly sockets: string;
  /** Undefined before the engine is up. */
  readonly health: HealthFigures | undefined;
  /** Undefined when nothing goes to a HEP collector. */
  readonly hep: HepFigures | undefined;
  /** Undefined when no call is remembered. */
  readonly records: RecordsFigures | undefined;
  /** Hourly sealings of the records. Undefined: they are not sealed. */
  readonly seals: ReloadCounts | undefined;
  readonly links: readonly LinkFigure[];
  /** How often a call met each bounded table of the rules full. */
  readonly tableFull: Readonly<Record<string, number>>;
  /** How often each rule threw. */
  readonly ruleFaults: Readonly<Record<string, number>>;
  readonly build: BuildFigures | undefined;
  readonly stateFolder: StateFolderFigures | undefined;
  /** Lists that a start took from a snapshot and whose files said something else. Undefined: no list has a snapshot. */
  readonly listsDiffering: number | undefined;
  /** True: the orders for lines that were given by command are whole, and kept. Undefined: there are none. */
  readonly areLinesKept: boolean | undefined;
  readonly certificates: readonly CertificateFigure[];
  readonly detection: DetectionFigures | undefined;
  readonly quarantine: QuarantineFigures | undefined;
  /** Undefined: this node shares nothing with others. */
  readonly cluster: ClusterFigures | undefined;
  readonly limits: readonly LimitFigure[];
}

/** A limit by contract that is nearly used up. */
export interface LimitFigure {
  readonly lessee: string;
  readonly limit: string;
  /** The share that is used, 0.8 and more. */
  readonly ratio: number;
}

/**
 * The figures of one scrape. Invariant: every value can be cloned into another thread. Trunks are read one after the
 * other while calls go on, so that two of them may be some milliseconds apart.
 */
export interface Figures {
  readonly general: GeneralFigures;
  readonly runtime: RuntimeFigures | undefined;
  readonly trunks: ReadonlyMap<string, TrunkCounters>;
  readonly nextHops: readonly NextHopFigure[];
  readonly names: readonly NameFigure[];
  readonly lists: readonly ListFigure[];
  /** Calls in progress by trunk of the calling side, where an engine can tell. */
  readonly calls: ReadonlyMap<string, StandingCalls>;
  /** The state of the line of each screened trunk. */
  readonly lines: ReadonlyMap<string, string>;
}

/** Where the call thread reads the figures. */
export interface FigureSources {
  readonly counters: Counters;
  readonly reloads: Readonly<ReloadCounts & { readonly refused: number }>;
  readonly reloadProblem?: () => ReloadProblem | undefined;
  readonly sockets: string;
  readonly policy: () => { readonly revision: string; readonly lists: readonly ListFigure[] };
  readonly nextHops: () => readonly NextHopFigure[];
  readonly names: () => readonly NameFigure[];
  readonly health?: () => HealthFigures | undefined;
  readonly hep?: () => HepFigures | undefined;
  readonly records?: () => RecordsFigures | undefined;
  readonly seals?: () => Readonly<ReloadCounts> | undefined;
  readonly links?: () => readonly LinkFigure[];
  readonly calls?: () => ReadonlyMap<string, StandingCalls>;
  readonly lines?: () => Iterable<readonly [trunk: string, state: string]>;
  readonly areLinesKept?: () => boolean;
  readonly build?: BuildFigures;
  readonly stateFolder?: () => StateFolderFigures;
  readonly listsDiffering?: () => number;
  readonly certificates?: () => readonly CertificateFigure[];
  readonly detection?: () => DetectionFigures;
  readonly quarantine?: () => QuarantineFigures;
  readonly cluster?: () => ClusterFigures | undefined;
  readonly limits?: () => readonly LimitFigure[];
  readonly runtime?: () => RuntimeFigures;
  readonly tableFull: Readonly<Record<string, number>>;
  readonly ruleFaults: Readonly<Record<string, number>>;
}

/**
 * The figures that one turn of the call thread hands over. Invariant: the maps are live, so the part is cloned before
 * the turn ends.
 */
export type FiguresPart = Partial<Figures>;

/**
 * At most this many values in one part, unless one trunk alone has more. A thousand take about 0.1 ms to read and to
 * clone.
 */
const MOST_VALUES = 1000;
/** Values of a trunk besides those in its maps. */
const PLAIN_VALUES = 12;
/** At most this many rows in one part: next hops, names, lists and the like. */
const MOST_ROWS = 200;

/** Reads all figures in parts, each small enough to be read between two messages of calls. */
export function* readFigures(sources: FigureSources): Generator<FiguresPart, void, void> {
  const { counters, policy, nextHops, names, calls, lines, runtime } = sources;
  const { revision, lists } = policy();
  yield { general: generalFigures(sources, revision) };
  if (runtime !== undefined) yield { runtime: runtime() };
  for (const trunks of trunkParts(counters.trunks)) yield { trunks };
  for (const rows of rowParts(nextHops())) yield { nextHops: rows };
  for (const rows of rowParts(names())) yield { names: rows };
  for (const rows of rowParts(lists)) yield { lists: rows.map(({ id, numbers }) => ({ id, numbers })) };
  for (const rows of rowParts([...(calls?.() ?? [])])) yield { calls: new Map(rows) };
  for (const rows of rowParts([...(lines?.() ?? [])])) yield { lines: new Map(rows) };
}

/** Puts parts together again. @returns undefined when the first one is missing. */
export function joinFigures(parts: Iterable<FiguresPart>): Figures | undefined {
  let general: GeneralFigures | undefined;
  let runtime: RuntimeFigures | undefined;
  const trunks = new Map<string, TrunkCounters>();
  const nextHops: NextHopFigure[] = [];
  const names: NameFigure[] = [];
  const lists: ListFigure[] = [];
  const calls = new Map<string, StandingCalls>();
  const lines = new Map<string, string>();
  for (const part of parts) {
    general ??= part.general;
    runtime ??= part.runtime;
    for (const [id, trunk] of part.trunks ?? []) trunks.set(id, trunk);
    nextHops.push(...(part.nextHops ?? []));
    names.push(...(part.names ?? []));
    lists.push(...(part.lists ?? []));
    for (const [trunk, standing] of part.calls ?? []) calls.set(trunk, standing);
    for (const [trunk, state] of part.lines ?? []) lines.set(trunk, state);
  }
  return general === undefined
    ? undefined
    : { general, runtime, trunks, nextHops, names, lists, calls, lines };
}

function generalFigures(sources: FigureSources, revision: string): GeneralFigures {
  const { counters, reloads, sockets, health, hep, links, tableFull, ruleFaults, build, stateFolder } =
    sources;
  const { certificates, areLinesKept } = sources;
  const { trunks: _trunks, strangers: _strangers, strays: _strays, ...totals } = counters;
  return {
    totals,
    revision,
    reloads,
    reloadProblem: sources.reloadProblem?.(),
    sockets,
    health: plainHealth(health?.()),
    hep: hep?.(),
    records: plainRecords(sources.records?.()),
    seals: sources.seals?.(),
    links: (links?.() ?? []).map(({ id, isUp }) => ({ id, isUp })),
    tableFull,
    ruleFaults,
    build,
    stateFolder: plainStateFolder(stateFolder?.()),
    listsDiffering: sources.listsDiffering?.(),
    areLinesKept: areLinesKept?.(),
    certificates: certificates?.() ?? [],
    detection: plainDetection(sources.detection?.()),
    quarantine: sources.quarantine?.(),
    cluster: sources.cluster?.(),
    limits: sources.limits?.() ?? [],
  };
}

/** Copies what the metrics show, and nothing else. */
function plainStateFolder(figures: StateFolderFigures | undefined): StateFolderFigures | undefined {
  if (figures === undefined) return undefined;
  const { isOk, written, failed } = figures;
  return { isOk, written, failed };
}

function plainDetection(figures: DetectionFigures | undefined): DetectionFigures | undefined {
  if (figures === undefined) return undefined;
  const { full, told, inForce } = figures;
  return { full, inForce, told: told.map((each) => ({ ...each })) };
}

function plainRecords(figures: RecordsFigures | undefined): RecordsFigures | undefined {
  if (figures === undefined) return undefined;
  const { isOk, lost, bytes, evidence } = figures;
  return { isOk, lost, bytes, evidence: { ...evidence, peers: { ...evidence.peers } } };
}

/** Copies plain values. An engine may give an object with functions, which can't be cloned. */
function plainHealth(health: HealthFigures | undefined): HealthFigures | undefined {
  if (health === undefined) return undefined;
  const { stage, isDraining, load } = health;
  return { stage, isDraining, load: { busy: load.busy, late: load.late } };
}

function* trunkParts(trunks: ReadonlyMap<string, TrunkCounters>): Generator<Map<string, TrunkCounters>> {
  let part = new Map<string, TrunkCounters>();
  let values = 0;
  for (const [id, trunk] of trunks) {
    const more = valuesOf(trunk);
    if (part.size > 0 && values + more > MOST_VALUES) {
      yield part;
      part = new Map();
      values = 0;
    }
    part.set(id, trunk);
    values += more;
  }
  if (part.size > 0) yield part;
}

function valuesOf({ attempts, requests, protocolErrors }: TrunkCounters): number {
  let values = PLAIN_VALUES + attempts.size + protocolErrors.size;
  for (const counts of requests.values()) values += counts.size;
  return values;
}

function* rowParts<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += MOST_ROWS) yield rows.slice(from, from + MOST_ROWS);
}
