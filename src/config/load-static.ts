// Loads sigwall.yaml: text in, static configuration and issues out.
import type { EngineName } from "../domain/capabilities.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { type Endpoint, parseEndpoint } from "../net/address.ts";
import { type HostPort, isAddress, parseHostPort } from "../net/host.ts";
import { type AdminConfig, findAdminIssues, readAdmin } from "./sigwall/admin-schema.ts";
import { type EvidenceConfig, findEvidenceIssues, readEvidence } from "./sigwall/evidence-schema.ts";
import { type DrachtioConfig, findEngineIssues, readDrachtio } from "./sigwall/drachtio.ts";
import { type ConfigIssue, hasErrors, sortIssues } from "./yaml/issue.ts";
import { staticJsonSchema } from "./sigwall/static-schema.ts";
import { findM3uaIssues, type M3uaConfig, readM3uaConfig } from "./sigwall/m3ua-schema.ts";
import { readRecords, type RecordsConfig } from "./sigwall/records-schema.ts";
import { findRedisIssues, findUnnamedNodes, readRedis, type RedisConfig } from "./sigwall/redis-schema.ts";
import { explainIssues, valueAt } from "./yaml/schema-issues.ts";
import { readYaml, type Source } from "./yaml/yaml-source.ts";
import {
  type HepEntry,
  type ListenAddress,
  isWildcard,
  readListen,
  sipStaticSchema,
  staticSchema,
} from "./sigwall/static-schema.ts";
import { resolveTls, type TlsConfig } from "./sigwall/tls-files.ts";
import { type ReadFile, resolvePath, unreadable } from "./yaml/config-files.ts";
import { canonicalText, digest } from "./yaml/canonical-text.ts";

/** Limits of TCP and TLS connections, for each listener. */
export interface StreamLimits {
  readonly connections: number;
  readonly perSource: number;
  readonly idleSeconds: number;
  readonly messageSeconds: number;
  /** In units of 1024² bytes. */
  readonly unreadMegabytes: number;
}

/** The HEP collector that gets copies of judged messages. */
export interface HepTarget {
  readonly target: Endpoint;
  readonly captureId: number;
  readonly password: string | undefined;
}

/** The static configuration: `sigwall.yaml` as read, in force until the next start. */
export interface StaticConfig {
  readonly engine: EngineName;
  /** Set only with `engine: drachtio`. */
  readonly drachtio: DrachtioConfig | undefined;
  /** Empty with `engine: m3ua`. */
  readonly listen: readonly ListenAddress[];
  /** Names of the filter beside its listeners; port 0: any of its ports. */
  readonly ownNames: readonly HostPort[];
  /** Set only with `engine: m3ua`: what it relays between. */
  readonly m3ua: M3uaConfig | undefined;
  /** Paths are relative to the working directory of the program. Undefined without TLS. */
  readonly tls: TlsConfig | undefined;
  readonly streams: StreamLimits;
  readonly sockets: "auto" | "dgram" | "batched";
  readonly admin: Endpoint;
  /** How that address is served, and under which names. */
  readonly adminAccess: AdminConfig;
  /** DNS servers as ADDRESS:PORT. Undefined: those of the system. */
  readonly nameServers: readonly string[] | undefined;
  /** Path of the policy, relative to the working directory of the program. */
  readonly policy: string;
  /** Path of the secret key, resolved alike. Undefined: a key for this run only. */
  readonly keyFile: string | undefined;
  /** Name of this filter among the nodes. Undefined: made of the host name (sigwall/node-place.ts). */
  readonly node: string | undefined;
  /** Path of the state folder, resolved alike. Undefined: where node-place.ts finds it. */
  readonly stateFolder: string | undefined;
  /**
   * Longest time in which a stopping filter still passes messages of calls in progress. Undefined:
   * 32, or 0 with inherited sockets.
   */
  readonly drainSeconds: number | undefined;
  /** Longest time without a turn of the call thread; 0: the watchdog is off. */
  readonly watchdogSeconds: number;
  /** What reloads the policy; how many verdicts a reload may change, undefined: any. */
  readonly reload: { readonly watch: boolean; readonly maxChanges: number | undefined };
  /** Where evidence is kept. Undefined: none is kept. */
  readonly evidence: EvidenceConfig | undefined;
  /** What happened is kept there. Undefined: no call is remembered. */
  readonly records: RecordsConfig | undefined;
  /** The Redis through which nodes share. Undefined: this node shares nothing. */
  readonly redis: RedisConfig | undefined;
  /** The HEP collector. Undefined: there is none. */
  readonly hep: HepTarget | undefined;
  readonly log: {
    readonly level: "trace" | "debug" | "info" | "warn" | "error" | "silent";
    readonly refusalsPerSecond: number;
  };
  /** Hash of the file as read. A reload that finds another hash is refused. */
  readonly fingerprint: string;
}

/** Result of loading `sigwall.yaml`. `config` is undefined when `issues` has an error. */
export interface LoadedStatic {
  readonly config: StaticConfig | undefined;
  readonly issues: readonly ConfigIssue[];
}

/** Reads `sigwall.yaml`. Pure: the only input is what `readFile` gives. */
export function loadStatic(readFile: ReadFile, path: string): LoadedStatic {
  const content = readFile(path);
  if ("error" in content) return { config: undefined, issues: [unreadable(path, content.error)] };
  const source = readYaml(path, content.bytes);
  const schema = valueAt(source.value, ["engine"]) === "m3ua" ? staticSchema : sipStaticSchema;
  const read = schema.safeParse(source.value);
  if (!read.success || hasErrors(source.issues)) {
    const mistakes =
      read.success || source.value === undefined ? [] : explainIssues(read.error, source, staticJsonSchema);
    return { config: undefined, issues: sortIssues([...source.issues, ...mistakes]) };
  }
  const { engine, drachtio, listen = [], m3ua, tls, streams, sockets, admin, nameServers } = read.data;
  const {
    ownNames,
    policy,
    keyFile,
    node,
    stateFolder,
    drainSeconds,
    watchdogSeconds,
    reload,
    records,
    redis,
    hep,
    log,
  } = read.data;
  const listeners = listen.map(readListen).filter((listener) => typeof listener !== "string");
  const evidence = readEvidence(read.data.evidence, path);
  const issues = [
    ...findEvidenceIssues(source, evidence),
    ...findTwiceListened(source, listeners),
    ...findTlsIssues(source, engine, listeners, tls !== undefined),
    ...findHidden(source, listeners, engine),
    ...findEngineIssues(source, engine, drachtio),
    ...findM3uaIssues(source, engine, m3ua),
    ...findAdminIssues(source, admin),
    ...findRedisIssues(source, redis, keyFile),
    ...findUnnamedNodes(source, redis, isNamedAlone(engine, ownNames, listeners)),
    ...(reload.maxChanges !== undefined && records === undefined
      ? [
          source.issueAt(
            ["reload", "maxChanges"],
            "needs `records`: a reload is rehearsed with recorded calls",
          ),
        ]
      : []),
  ];
  const [endpoint, adminAccess] = readAdmin(admin, path);
  if (endpoint === undefined || hasErrors(issues)) return { config: undefined, issues: sortIssues(issues) };
  const config: StaticConfig = {
    engine,
    drachtio: engine === "drachtio" ? readDrachtio(drachtio, path) : undefined,
    listen: listeners,
    ownNames: (ownNames ?? []).map((name) => parseHostPort(name)).filter((name) => name !== undefined),
    m3ua: engine === "m3ua" && m3ua !== undefined ? readM3uaConfig(m3ua) : undefined,
    tls: tls === undefined || engine === "drachtio" ? undefined : resolveTls(path, tls),
    streams,
    sockets,
    admin: endpoint,
    adminAccess,
    nameServers: nameServers?.map((text) => parseEndpoint(text, 53)).flatMap(writeEndpoint),
    policy: resolvePath(path, policy),
    keyFile: keyFile === undefined ? undefined : resolvePath(path, keyFile),
    node,
    stateFolder: stateFolder === undefined ? undefined : resolvePath(path, stateFolder),
    drainSeconds,
    watchdogSeconds,
    reload: { watch: reload.watch, maxChanges: reload.maxChanges },
    evidence,
    records: readRecords(records, path),
    redis: readRedis(redis, path),
    hep: hepTarget(hep),
    log,
    fingerprint: digest(canonicalText(read.data)),
  };
  return { config: Object.freeze(config), issues };
}

function hepTarget(written: HepEntry | undefined): HepTarget | undefined {
  const target = written === undefined ? undefined : parseEndpoint(written.target, 9060);
  if (written === undefined || target === undefined) return undefined;
  return { target, captureId: written.captureId, password: written.password };
}

function writeEndpoint(endpoint: Endpoint | undefined): readonly string[] {
  return endpoint === undefined ? [] : [formatEndpoint(endpoint)];
}

function findTwiceListened(source: Source, listeners: readonly ListenAddress[]): readonly ConfigIssue[] {
  return listeners.flatMap((listener, index) => {
    const { id, address, port, transport } = listener;
    // A TLS listener takes a TCP port too.
    const isSame = (other: ListenAddress): boolean =>
      other.address === address &&
      other.port === port &&
      (other.transport === "udp") === (transport === "udp");
    const earlier = port === 0 ? undefined : listeners.slice(0, index).find(isSame);
    if (earlier === undefined) return [];
    const message =
      earlier.id === id ? `"${id}" is in \`listen\` twice` : `"${earlier.id}" already uses this port`;
    return [source.issueAt(["listen", index], message)];
  });
}

/**
 * Reports listeners that no peer could find again: Via and Record-Route would name an address that is none, or
 * one of the other family.
 */
function findHidden(
  source: Source,
  listeners: readonly ListenAddress[],
  engine: EngineName,
): readonly ConfigIssue[] {
  return listeners.flatMap(({ id, transport, address, port, advertise }, index) => {
    if (advertise === undefined) {
      // With drachtio, Via and Record-Route are those of its servers.
      if (!isWildcard(address) || engine !== "embedded") return [];
      const example = formatEndpoint({ address: address === "::" ? "2001:db8::1" : "192.0.2.1", port });
      const message = `"${id}" is every address of this host and none that a peer can answer to; write one address (${transport}:${example}), or name what peers see: { on: "${id}", advertise: HOST }`;
      return [source.issueAt(["listen", index], message)];
    }
    const isOtherFamily = isAddress(advertise.host) && advertise.host.includes(":") !== address.includes(":");
    if (!isOtherFamily) return [];
    const message = `"${id}" can't be reached at ${advertise.host}: one is IPv4, the other IPv6`;
    return [source.issueAt(["listen", index, "advertise"], message)];
  });
}

function findTlsIssues(
  source: Source,
  engine: EngineName,
  listeners: readonly ListenAddress[],
  hasTls: boolean,
): readonly ConfigIssue[] {
  const without = (why: string): ConfigIssue => source.issueAt(["tls"], `has no effect: ${why}`, "warning");
  // The servers take TLS, with certificates of their own.
  if (engine === "drachtio") return hasTls ? [without("the drachtio servers have their own")] : [];
  const index = listeners.findIndex(({ transport }) => transport === "tls");
  if (index >= 0 && !hasTls)
    return [source.issueAt(["listen", index], "a tls listener needs the section `tls`")];
  return index >= 0 || !hasTls ? [] : [without("`listen` has no tls listener")];
}

/** True where messages may know this filter by its own addresses alone. */
function isNamedAlone(
  engine: EngineName,
  ownNames: readonly string[] | undefined,
  listeners: readonly ListenAddress[],
): boolean {
  const isNamed = (ownNames ?? []).length > 0 || listeners.some(({ advertise }) => advertise !== undefined);
  return engine === "embedded" && listeners.length > 0 && !isNamed;
}
