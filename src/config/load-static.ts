import type { EngineName } from "../domain/capabilities.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { type Endpoint, parseEndpoint } from "../net/address.ts";
import { type DrachtioConfig, findEngineIssues, readDrachtio } from "./sigwall/drachtio.ts";
import { type ConfigIssue, hasErrors, sortIssues } from "./yaml/issue.ts";
import { staticJsonSchema } from "./sigwall/static-schema.ts";
import { findM3uaIssues, type M3uaConfig, readM3uaConfig } from "./sigwall/m3ua-schema.ts";
import { explainIssues, valueAt } from "./yaml/schema-issues.ts";
import { readYaml, type Source } from "./yaml/yaml-source.ts";
import {
  type HepEntry,
  type ListenAddress,
  parseListener,
  sipStaticSchema,
  staticSchema,
} from "./sigwall/static-schema.ts";
import { resolveTls, type TlsConfig } from "./sigwall/tls-files.ts";
import { type ReadFile, resolvePath, unreadable } from "./yaml/config-files.ts";
import { canonicalText, digest } from "./yaml/canonical-text.ts";

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
  readonly listen: readonly ListenAddress[];
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
    // TLS is a TCP port too.
    const isSame = (other: ListenAddress): boolean =>
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
  listeners: readonly ListenAddress[],
  hasTls: boolean,
): readonly ConfigIssue[] {
  const index = listeners.findIndex(({ transport }) => transport === "tls");
  if (index >= 0 && !hasTls) return [source.issueAt(["listen", index], "needs the section `tls`")];
  if (index >= 0 || !hasTls) return [];
  return [source.issueAt(["tls"], "without effect: nothing listens on tls", "warning")];
}
