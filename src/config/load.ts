import { createHash } from "node:crypto";
import type { EngineName } from "../domain/capabilities.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { parseEndpoint } from "../net/address.ts";
import type { Endpoint } from "../net/address.ts";
import type { PolicyRevision } from "../domain/decision.ts";
import type { PolicyParts, TrunkPlan } from "./policy/build-policy.ts";
import { compilePolicy, planTrunks, summariseList } from "./policy/build-policy.ts";
import { findEngineIssues, type DrachtioConfig, readDrachtio } from "./sigwall/drachtio.ts";
import type { ConfigIssue } from "./yaml/issue.ts";
import { hasErrors, sortIssues } from "./yaml/issue.ts";
import { jsonSchemas } from "./json-schema.ts";
import type { LoadedList, ReadFile } from "./lists/list-loading.ts";
import { loadLists, resolvePath } from "./lists/list-loading.ts";
import type { PolicyFile } from "./policy/policy-file.ts";
import { readPolicyFile } from "./policy/policy-file.ts";
import type { Policy } from "../policy/policy.ts";
import { findBrokenReferences } from "./policy/references.ts";
import { findM3uaIssues, readM3uaConfig, type M3uaConfig } from "./sigwall/m3ua-schema.ts";
import { explainIssues, isMapping, valueAt } from "./yaml/schema-issues.ts";
import { readYaml } from "./yaml/yaml-source.ts";
import type { Source } from "./yaml/yaml-source.ts";
import { parseListener, sipStaticSchema, staticSchema } from "./sigwall/static-schema.ts";
import type { HepEntry, Listener } from "./sigwall/static-schema.ts";
import { resolveTls, type TlsConfig } from "./sigwall/tls-files.ts";
import { findImpossible } from "./policy/engine-limits.ts";
import { findUnenforced } from "./policy/unenforced.ts";

/** Bounds of TCP and TLS connections, of every listener on its own. */
export interface StreamLimits {
  readonly connections: number;
  readonly perSource: number;
  readonly idleSeconds: number;
  readonly messageSeconds: number;
  /** 1024² octets. */
  readonly unreadMegabytes: number;
}

/** Where copies of judged messages go. */
export interface HepTarget {
  readonly target: Endpoint;
  readonly captureId: number;
  readonly password: string | undefined;
}

/** `sigwall.yaml`, read: what holds until the next start. */
export interface StaticConfig {
  readonly engine: EngineName;
  /** Set with `engine: drachtio`. */
  readonly drachtio: DrachtioConfig | undefined;
  /** None with the engine `m3ua`. */
  readonly listen: readonly Listener[];
  /** What the engine `m3ua` relays between; undefined with every other engine. */
  readonly m3ua: M3uaConfig | undefined;
  /** Paths as seen from where the program runs; undefined: no TLS. */
  readonly tls: TlsConfig | undefined;
  readonly streams: StreamLimits;
  readonly sockets: "auto" | "dgram" | "batched";
  readonly admin: Endpoint;
  /** DNS servers as ADDRESS:PORT; undefined: those of the system. */
  readonly nameServers: readonly string[] | undefined;
  /** Path of the policy, as seen from where the program runs. */
  readonly policy: string;
  /** Path of the secret key, likewise; undefined: a key for this run only. */
  readonly keyFile: string | undefined;
  /** Longest time in which a filter that ends passes on what is in progress; undefined: as long as the sockets ask for. */
  readonly drainSeconds: number | undefined;
  /** The HEP collector; undefined: there is none. */
  readonly hep: HepTarget | undefined;
  readonly log: {
    readonly level: "trace" | "debug" | "info" | "warn" | "error" | "silent";
    readonly refusalsPerSecond: number;
  };
  /** Hash of everything above as written: a reload that finds another one is refused. */
  readonly fingerprint: string;
}

/** What came of reading `sigwall.yaml`: a config unless an error stands in `issues`. */
export interface LoadedStatic {
  readonly config: StaticConfig | undefined;
  readonly issues: readonly ConfigIssue[];
}

/** What came of reading a policy: a policy unless an error stands in `issues`; the last good one stays in force then. */
export interface LoadedPolicy {
  readonly policy: Policy | undefined;
  readonly issues: readonly ConfigIssue[];
  /** What the policy was compiled from, for its review; undefined without a policy. */
  readonly material: PolicyMaterial | undefined;
}

/** The parts of a policy: what it is compiled from, and what a review looks at. */
export interface PolicyMaterial {
  readonly file: PolicyFile;
  readonly lists: readonly LoadedList[];
  readonly plans: readonly TrunkPlan[];
  readonly revision: PolicyRevision;
}

/** What came of reading a policy that is compiled elsewhere. */
export type ReadPolicy = Omit<LoadedPolicy, "policy">;

/** Reads `sigwall.yaml`. Pure: the only input is what `readFile` gives. */
export function loadStatic(readFile: ReadFile, path: string): LoadedStatic {
  const content = readFile(path);
  if ("error" in content) return { config: undefined, issues: [unreadable(path, content.error)] };
  const source = readYaml(path, content.bytes);
  const schema = valueAt(source.value, ["engine"]) === "m3ua" ? staticSchema : sipStaticSchema;
  const read = schema.safeParse(source.value);
  if (!read.success || hasErrors(source.issues)) {
    const mistakes =
      read.success || source.value === undefined
        ? []
        : explainIssues(read.error, source, jsonSchemas.sigwall);
    return { config: undefined, issues: sortIssues([...source.issues, ...mistakes]) };
  }
  const { engine, drachtio, listen = [], m3ua, tls, streams, sockets, admin, nameServers } = read.data;
  const { policy, keyFile, drainSeconds, hep, log } = read.data;
  const listeners = listen.map(parseListener).filter((listener) => typeof listener !== "string");
  const issues = [
    ...findTwiceListened(source, listeners),
    ...findMissingTls(source, listeners, tls !== undefined),
    ...findEngineIssues(source, engine, drachtio),
    ...findM3uaIssues(source, engine, m3ua),
  ];
  const endpoint = parseEndpoint(admin);
  if (endpoint === undefined || hasErrors(issues)) return { config: undefined, issues: sortIssues(issues) };
  const config: StaticConfig = {
    engine,
    drachtio: engine === "drachtio" ? readDrachtio(drachtio, path) : undefined,
    listen: listeners,
    m3ua: engine === "m3ua" && m3ua !== undefined ? readM3uaConfig(m3ua) : undefined,
    tls: tls === undefined ? undefined : resolveTls(path, tls),
    streams,
    sockets,
    admin: endpoint,
    nameServers: nameServers?.map((text) => parseEndpoint(text, 53)).flatMap(writeEndpoint),
    policy: resolvePath(path, policy),
    keyFile: keyFile === undefined ? undefined : resolvePath(path, keyFile),
    drainSeconds,
    hep: hepTarget(hep),
    log,
    fingerprint: digest(canonicalText(read.data)),
  };
  return { config: Object.freeze(config), issues };
}

/**
 * Reads, validates and compiles a policy and the lists it names. Pure: the only input is what `readFile` gives.
 * `listeners`: canonical ids of the static config, when known, so that `match.listener` can be held against them; `engine`: what
 * it can't do is held against the policy.
 */
export function loadPolicy(
  readFile: ReadFile,
  path: string,
  listeners?: readonly string[],
  engine?: EngineName,
): LoadedPolicy {
  const { material, issues } = readPolicy(readFile, path, listeners, engine);
  const policy = material === undefined ? undefined : compilePolicy(partsOf(material));
  return { policy, issues, material };
}

/** What a policy is compiled from. */
export function partsOf({ file, plans, lists, revision }: PolicyMaterial): PolicyParts {
  return { file, plans, lists: lists.map(summariseList), revision };
}

/** As {@link loadPolicy}, but compiles nothing. */
export function readPolicy(
  readFile: ReadFile,
  path: string,
  listeners?: readonly string[],
  engine: EngineName = "embedded",
): ReadPolicy {
  const content = readFile(path);
  if ("error" in content) return refused([unreadable(path, content.error)]);
  const source = readYaml(path, content.bytes);
  if (source.value === undefined) return refused(source.issues);
  const { file, issues: mistakes } = readPolicyFile(source);
  const { lists, issues: listIssues } = loadLists(file, readFile);
  const { plans, issues: planIssues } = planTrunks(file, lists);
  const issues = sortIssues([
    ...source.issues,
    ...mistakes,
    ...findBrokenReferences(file, listeners),
    ...findUnenforced(file),
    ...planIssues,
    ...findImpossible(file, plans, engine),
    ...listIssues,
  ]);
  if (hasErrors(issues)) return refused(issues);
  return { issues, material: { file, lists, plans, revision: revisionOf(source, lists) } };
}

function hepTarget(written: HepEntry | undefined): HepTarget | undefined {
  const target = written === undefined ? undefined : parseEndpoint(written.target, 9060);
  if (written === undefined || target === undefined) return undefined;
  return { target, captureId: written.captureId, password: written.password };
}

function writeEndpoint(endpoint: Endpoint | undefined): readonly string[] {
  return endpoint === undefined ? [] : [formatEndpoint(endpoint)];
}

function refused(issues: readonly ConfigIssue[]): ReadPolicy {
  return { issues: sortIssues(issues), material: undefined };
}

/** Hash over the policy and its lists as written: comments, key order and line ends make no difference. */
function revisionOf(source: Source, lists: readonly LoadedList[]): string {
  const byPath = new Map(lists.map((list) => [list.written, digest(list.read.text)]));
  return digest(canonicalText({ policy: source.value, lists: Object.fromEntries(byPath) }));
}

/** JSON with the keys of every map in order. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isMapping(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** The first 48 bits of SHA-256: enough to tell revisions apart, short enough to read aloud. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function unreadable(file: string, error: string): ConfigIssue {
  return { severity: "error", file, line: 1, column: 1, path: "", message: `can't be read: ${error}` };
}

function findTwiceListened(source: Source, listeners: readonly Listener[]): readonly ConfigIssue[] {
  return listeners.flatMap((listener, index) => {
    const { id, address, port, transport } = listener;
    // TLS is a TCP port too.
    const isSame = (other: Listener): boolean =>
      other.address === address &&
      other.port === port &&
      (other.transport === "udp") === (transport === "udp");
    const earlier = port === 0 ? undefined : listeners.slice(0, index).find(isSame);
    if (earlier === undefined) return [];
    const message =
      earlier.id === id ? `"${id}" is listened on already` : `"${earlier.id}" has this port already`;
    return [source.issueAt(["listen", index], message)];
  });
}

function findMissingTls(
  source: Source,
  listeners: readonly Listener[],
  hasTls: boolean,
): readonly ConfigIssue[] {
  const index = listeners.findIndex(({ transport }) => transport === "tls");
  if (index >= 0 && !hasTls) return [source.issueAt(["listen", index], "needs the section `tls`")];
  if (index >= 0 || !hasTls) return [];
  return [source.issueAt(["tls"], "without effect: nothing listens on tls", "warning")];
}
