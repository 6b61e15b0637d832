// The key `redis` of sigwall.yaml: the Redis through which nodes tell each other what happened.
import { z } from "zod";
import { type HostPort, parseHostPort } from "../../net/host.ts";
import { resolvePath } from "../yaml/config-files.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { pathSchema, textSchema } from "../yaml/schema-parts.ts";
import type { Source } from "../yaml/yaml-source.ts";

/** Where Redis is. Ports are set. */
export type RedisPlace =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string }
  /** The server is the one that the Sentinels name as `master`. */
  | { readonly kind: "sentinels"; readonly sentinels: readonly HostPort[]; readonly master: string };

/** The key `redis`; paths are relative to the working directory of the program. */
export interface RedisConfig {
  readonly place: RedisPlace;
  /** Number of the database. */
  readonly database: number;
  readonly username: string | undefined;
  readonly passwordFile: string | undefined;
  /** Undefined: the connection is not encrypted. Files that are undefined: the authorities of the system, no certificate. */
  readonly tls:
    | {
        readonly ca: string | undefined;
        readonly certificate: string | undefined;
        readonly key: string | undefined;
      }
    | undefined;
  /** First word of every key in Redis. */
  readonly prefix: string;
  /** A node whose policy lags behind the others is not ready. */
  readonly requireSameRevision: boolean;
}

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
const MOST_DATABASE = 1_000_000;

interface ReadUrl {
  readonly place: RedisPlace;
  readonly database: number;
  readonly isTls: boolean;
}

const EXPECTED =
  "expected redis://HOST:PORT, rediss://HOST:PORT (TLS) or unix:/PATH; /NUMBER behind the port names a database";

/**
 * Reads `redis://HOST[:PORT][/NUMBER]`, `rediss://…` for TLS, or `unix:/PATH` for a Unix socket.
 * @returns a string that says what is wrong
 */
export function readRedisUrl(text: string): ReadUrl | string {
  if (text.startsWith("unix:")) {
    const path = text.slice(text.startsWith("unix://") ? 7 : 5);
    return path.startsWith("/") ? { place: { kind: "socket", path }, database: 0, isTls: false } : EXPECTED;
  }
  const [, scheme = "", rest = "", number = "0"] =
    /^(rediss?):\/\/([^/?#]+)(?:\/(\d{1,6})?)?$/.exec(text) ?? [];
  if (rest.includes("@")) return "names no user and no password here: write `username` and `passwordFile`";
  const place = scheme === "" ? undefined : parseHostPort(rest);
  const database = Number(number);
  if (place === undefined || database > MOST_DATABASE) return EXPECTED;
  const { host, port } = place;
  return {
    place: { kind: "tcp", host, port: port === 0 ? REDIS_PORT : port },
    database,
    isTls: scheme === "rediss",
  };
}

export const redisSchema = z
  .strictObject({
    url: z
      .string()
      .superRefine((text, context) => {
        const read = readRedisUrl(text);
        if (typeof read === "string") context.addIssue({ code: "custom", message: read });
      })
      .exactOptional()
      .describe(
        "redis://HOST:PORT, rediss://HOST:PORT (TLS), or unix:/PATH of a socket; /NUMBER behind the port names a database. Either this or `sentinels`.",
      ),
    sentinels: z
      .array(
        z.string().refine((text) => parseHostPort(text) !== undefined, {
          error: "expected HOST or HOST:PORT, IPv6 in brackets",
        }),
      )
      .min(1)
      .max(16)
      .exactOptional()
      .describe("HOST or HOST:PORT of the Sentinels, which name the server. Default port: 26379."),
    master: textSchema
      .exactOptional()
      .describe("Name of the server at the Sentinels. Required with `sentinels`."),
    username: textSchema.exactOptional().describe("User of the server (ACL). Default: the user `default`."),
    passwordFile: pathSchema
      .exactOptional()
      .describe(
        "File with the password of the server, read at each connection. Default: no password is sent.",
      ),
    tls: z
      .strictObject({
        ca: pathSchema
          .exactOptional()
          .describe("Authorities of the server's certificate, PEM. Default: those of the system."),
        certificate: pathSchema
          .exactOptional()
          .describe("Certificate of this node and its chain, PEM. Default: none is shown."),
        key: pathSchema.exactOptional().describe("Private key of that certificate, PEM without a password."),
      })
      .exactOptional()
      .describe(
        "For `rediss:` and for `sentinels`, which are then asked over TLS too. Read at each connection.",
      ),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        error: 'a prefix has 1 to 64 letters, digits, ".", "_" or "-" and begins with a letter or digit',
      })
      .default("sigwall")
      .describe("First word of every key in Redis. Nodes of one prefix share."),
    requireSameRevision: z
      .boolean()
      .default(false)
      .describe("Whether a node whose policy lags behind the others is not ready."),
  })
  .describe(
    "Shares calls, orders and findings with other nodes through Redis. Needs `keyFile`, the same on each node.",
  );

/** The key `redis` after its schema has filled in the defaults. */
export type RedisEntry = z.output<typeof redisSchema>;

/** Reads the key. `file`: path of sigwall.yaml. Undefined without a place; {@link findRedisIssues} says so. */
export function readRedis(entry: RedisEntry | undefined, file: string): RedisConfig | undefined {
  if (entry === undefined) return undefined;
  const { url, sentinels, master, username, passwordFile, tls, prefix, requireSameRevision } = entry;
  const read = url === undefined ? undefined : readRedisUrl(url);
  if (typeof read === "string") return undefined;
  const place = read?.place ?? placeOf(sentinels, master);
  if (place === undefined) return undefined;
  const isTls = read?.isTls ?? tls !== undefined;
  const resolve = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolvePath(file, path);
  return {
    place,
    database: read?.database ?? 0,
    username,
    passwordFile: resolve(passwordFile),
    tls: isTls
      ? { ca: resolve(tls?.ca), certificate: resolve(tls?.certificate), key: resolve(tls?.key) }
      : undefined,
    prefix,
    requireSameRevision,
  };
}

function placeOf(
  sentinels: readonly string[] | undefined,
  master: string | undefined,
): RedisPlace | undefined {
  if (sentinels === undefined || master === undefined) return undefined;
  const places = sentinels
    .map((text) => parseHostPort(text))
    .filter((found) => found !== undefined)
    .map((found) => (found.port === 0 ? { ...found, port: SENTINEL_PORT } : found));
  return { kind: "sentinels", sentinels: places, master };
}

/** Finds keys that contradict each other, and what would be readable on the way. */
export function findRedisIssues(
  source: Source,
  entry: RedisEntry | undefined,
  keyFile: string | undefined,
): readonly ConfigIssue[] {
  if (entry === undefined) return [];
  const { url, sentinels, master, username, passwordFile, tls } = entry;
  const issues: ConfigIssue[] = [];
  const add = (path: readonly (string | number)[], message: string, severity?: "warning"): void =>
    void issues.push(source.issueAt(["redis", ...path], message, severity));
  if (keyFile === undefined)
    add([], "needs `keyFile`, the same on each node: what nodes tell each other is sealed with a key of it");
  if (url === undefined && sentinels === undefined) add([], "needs `url` or `sentinels`");
  if (url !== undefined && sentinels !== undefined) add(["sentinels"], "`url` already names the server");
  if (sentinels !== undefined && master === undefined)
    add(["sentinels"], "needs `master`, the name of the server at the Sentinels");
  if (sentinels === undefined && master !== undefined) add(["master"], "needs `sentinels`");
  if (username !== undefined && passwordFile === undefined) add(["username"], "needs `passwordFile`");
  if (tls !== undefined && (tls.certificate === undefined) !== (tls.key === undefined))
    add(["tls"], "needs `certificate` and `key` together");
  const read = url === undefined ? undefined : readRedisUrl(url);
  if (typeof read === "string") return issues;
  if (read !== undefined && tls !== undefined && !read.isTls)
    add(["tls"], `has no effect with \`${url ?? ""}\`: write rediss:// for TLS`);
  if (read?.place.kind === "tcp" && !read.isTls && !isLoopback(read.place.host))
    add(
      ["url"],
      "the way to this server is not encrypted: the password can be read there, and who can write there can hide what other nodes tell; write rediss://, or use a Unix socket",
      "warning",
    );
  if (sentinels !== undefined && tls === undefined && sentinels.some((text) => !isLoopbackText(text)))
    add(["sentinels"], "the way to these servers is not encrypted; give `tls`", "warning");
  return issues;
}

/** Warns where a Route that names another node would be a foreign one. */
export function findUnnamedNodes(
  source: Source,
  entry: RedisEntry | undefined,
  isNamedAlone: boolean,
): readonly ConfigIssue[] {
  if (entry === undefined || !isNamedAlone) return [];
  const message =
    "messages of a call that another node has begun name that node in Route: list the addresses of all nodes in `ownNames`, or let listeners `advertise` one name, or the address that moves";
  return [source.issueAt(["redis"], message, "warning")];
}

function isLoopbackText(text: string): boolean {
  const place = parseHostPort(text);
  return place !== undefined && isLoopback(place.host);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
