// The key `admin` of sigwall.yaml: an address, or addresses, TLS and host names.
import { join } from "node:path";
import { z } from "zod";
import { type Endpoint, parseAddress, parseEndpoint } from "../../net/address.ts";
import { type ReadFile, resolvePath } from "../yaml/config-files.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { pathSchema } from "../yaml/schema-parts.ts";
import type { Source } from "../yaml/yaml-source.ts";
import { loadPair } from "./tls-files.ts";

const DEFAULT_LISTEN = "127.0.0.1:9464";

const endpointSchema = z
  .string()
  .refine((text) => parseEndpoint(text) !== undefined, { error: "expected ADDRESS:PORT, IPv6 in brackets" });

/** Labels of a host name: letters, digits, "_" and "-", with dots between them. */
const hostPattern = /^[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,10}$/;

const hostSchema = z.string().refine((text) => hostPattern.test(text) || parseAddress(text) !== undefined, {
  error: "expected a host name or an address, without port",
});

const mapSchema = z.strictObject({
  listen: z
    .union([endpointSchema, z.array(endpointSchema).min(1).max(8)])
    .default(DEFAULT_LISTEN)
    .describe("ADDRESS:PORT, or a list of them."),
  tls: z
    .strictObject({
      certificate: pathSchema.describe("Certificate of the admin address and its chain, PEM."),
      key: pathSchema.describe("Private key of that certificate, PEM without a password."),
    })
    .exactOptional()
    .describe("Serves HTTPS at every address. Read at the start only."),
  hosts: z
    .array(hostSchema)
    .max(32)
    .default([])
    .describe(
      "Names under which others than this machine ask, as the header Host has them. Addresses of `listen` need no entry.",
    ),
  socket: pathSchema
    .exactOptional()
    .describe(
      "Path of the Unix socket that `sigwall line` speaks to. Default: `admin.sock` in the state folder.",
    ),
  tokens: pathSchema.exactOptional().describe("File of tokens. Accepted, not enforced yet."),
});

export const adminSchema = z
  .union([endpointSchema, mapSchema])
  .default(DEFAULT_LISTEN)
  .describe(
    "ADDRESS:PORT of /metrics, /healthz, /readyz and /reload, or a map with `listen`, `tls` and `hosts`.",
  );

/** How the admin address is served beside its first endpoint. */
export interface AdminConfig {
  /** Endpoints after the first one. */
  readonly more: readonly Endpoint[];
  /** In lower case. */
  readonly hosts: readonly string[];
  readonly tls: AdminTls | undefined;
  /** Path of the Unix socket, relative to the working directory. Undefined: `admin.sock` in the state folder. */
  readonly socket: string | undefined;
}

/** Paths, relative to the working directory. */
export interface AdminTls {
  readonly certificate: string;
  readonly key: string;
}

/** PEM for the admin address. */
export interface AdminPair {
  readonly certificate: string;
  readonly key: string;
}

/** Reads the key. @returns the first endpoint, and the rest */
export function readAdmin(
  written: z.output<typeof adminSchema>,
  sigwallPath: string,
): readonly [first: Endpoint | undefined, rest: AdminConfig] {
  if (typeof written === "string") return [parseEndpoint(written), NO_MORE];
  const { listen, hosts, tls, socket } = written;
  const [first, ...more] = (typeof listen === "string" ? [listen] : listen)
    .map((text) => parseEndpoint(text))
    .filter((endpoint) => endpoint !== undefined);
  const resolved =
    tls === undefined
      ? undefined
      : { certificate: resolvePath(sigwallPath, tls.certificate), key: resolvePath(sigwallPath, tls.key) };
  return [
    first,
    {
      more,
      hosts: hosts.map((host) => host.toLowerCase()),
      tls: resolved,
      socket: socket === undefined ? undefined : resolvePath(sigwallPath, socket),
    },
  ];
}

const NO_MORE: AdminConfig = { more: [], hosts: [], tls: undefined, socket: undefined };

/** The name of the Unix socket in the state folder. */
const SOCKET_FILE = "admin.sock";

/** The path of the Unix socket of a filter whose state folder is `stateFolder`. */
export function socketPath({ socket }: AdminConfig, stateFolder: string): string {
  return socket ?? join(stateFolder, SOCKET_FILE);
}

/** Warns of what is accepted and has no effect yet. */
export function findAdminIssues(
  source: Source,
  written: z.output<typeof adminSchema>,
): readonly ConfigIssue[] {
  if (typeof written === "string") return [];
  return (["tokens"] as const)
    .filter((key) => written[key] !== undefined)
    .map((key) => source.issueAt(["admin", key], "accepted, not enforced yet", "warning"));
}

/** Reads the certificate of the admin address. */
export function loadAdminTls(
  readFile: ReadFile,
  { tls }: AdminConfig,
  now: number,
): { readonly pair: AdminPair | undefined; readonly issues: readonly ConfigIssue[] } {
  if (tls === undefined) return { pair: undefined, issues: [] };
  const { certificate, key, issues } = loadPair(readFile, tls, now);
  if (certificate === undefined || key === undefined) return { pair: undefined, issues };
  return { pair: { certificate: certificate.toString("latin1"), key: key.toString("latin1") }, issues };
}
