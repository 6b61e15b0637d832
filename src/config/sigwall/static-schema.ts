// The schema of sigwall.yaml: every key, its default, and the text that editors show.
import { z } from "zod";
import type { JsonSchema } from "../yaml/schema-issues.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { SipTransport } from "../../domain/trunk.ts";
import { parseEndpoint } from "../../net/address.ts";
import type { Endpoint } from "../../net/address.ts";
import { parseHostPort, type HostPort } from "../../net/host.ts";
import { adminSchema } from "./admin-schema.ts";
import { evidenceSchema } from "./evidence-schema.ts";
import { m3uaSchema } from "./m3ua-schema.ts";
import { recordsSchema } from "./records-schema.ts";
import { redisSchema } from "./redis-schema.ts";
import { findNameClash, nodeNamePattern } from "./node-place.ts";
import { ownNamesSchema, pathSchema, portSchema, textSchema } from "../yaml/schema-parts.ts";

/** A transport address on which the filter takes messages. */
export interface ListenAddress extends Endpoint {
  /**
   * Canonical text, `udp:127.0.0.1:5060` or `tls:[::1]:5061`; `match.listener` of a trunk names it.
   */
  readonly id: string;
  readonly transport: SipTransport;
  /** What peers see in place of the address; port 0: the bound port. Undefined: the address itself. */
  readonly advertise?: HostPort;
}

/** A listener as written: its address, or a map with what it advertises. */
export type ListenEntry = string | { readonly on: string; readonly advertise?: string };

const transports: readonly SipTransport[] = ["udp", "tcp", "tls"];

/**
 * Reads a listener such as `udp:127.0.0.1:5060`; tcp and tls are written alike, IPv6 in brackets.
 * Port 0 takes any free port.
 * @returns a string that says what is wrong
 */
export function parseListener(text: string): ListenAddress | string {
  const colon = text.indexOf(":");
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme === "sctp") return `"${text}": sctp is not carried yet; expected udp, tcp or tls`;
  const transport = transports.find((name) => name === scheme);
  const endpoint = transport === undefined ? undefined : parseEndpoint(text.slice(colon + 1));
  if (transport === undefined || endpoint === undefined)
    return `"${text}" is not a listener; expected udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT, IPv6 in brackets`;
  return { id: `${transport}:${formatEndpoint(endpoint)}`, transport, ...endpoint };
}

const listenerSchema = z.string().superRefine((text, context) => {
  const listener = parseListener(text);
  if (typeof listener === "string") context.addIssue({ code: "custom", message: listener });
});

/**
 * Reads one entry of `listen`.
 * @returns a string that says what is wrong
 */
export function readListen(entry: ListenEntry): ListenAddress | string {
  if (typeof entry === "string") return parseListener(entry);
  const listener = parseListener(entry.on);
  if (typeof listener === "string" || entry.advertise === undefined) return listener;
  const advertise = parseHostPort(entry.advertise);
  return advertise === undefined ? ADVERTISE : { ...listener, advertise };
}

const ADVERTISE =
  "expected the host name or the address that peers see, with or without :PORT, IPv6 in brackets";

const advertiseSchema = z.string().refine((text) => isShowable(parseHostPort(text)), { error: ADVERTISE });

/** Tells whether peers can send to a host. */
function isShowable(place: HostPort | undefined): boolean {
  return place !== undefined && !isWildcard(place.host);
}

/** Tells whether an address stands for every address of the machine. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

const tlsSchema = z
  .strictObject({
    certificate: pathSchema.describe("Certificate of the filter and its chain, PEM."),
    key: pathSchema.describe("Private key of that certificate, PEM without a password."),
    ca: pathSchema.describe(
      "Certificates of the authorities that must have issued the certificates of peers, PEM.",
    ),
    minVersion: z
      .enum(["TLSv1.2", "TLSv1.3"])
      .default("TLSv1.2")
      .describe("Lowest TLS version that is accepted."),
    clientCertificate: z
      .enum(["require", "request", "none"])
      .default("require")
      .describe(
        "Whether a connecting peer must show a certificate (require), may show one (request), or is not asked (none).",
      ),
  })
  .describe("For tls listeners and TLS next hops. Every reload reads the files again.");

const streamsSchema = z
  .strictObject({
    connections: z
      .int()
      .min(1)
      .max(100_000)
      .default(1024)
      .describe("Open connections at one time, for each listener."),
    perSource: z
      .int()
      .min(1)
      .max(100_000)
      .default(64)
      .describe("Open connections from one address, for each listener."),
    idleSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .default(900)
      .describe("Closes a connection on which nothing arrived for so long."),
    messageSeconds: z
      .int()
      .min(1)
      .max(300)
      .default(10)
      .describe("Longest time for one whole message from a peer, and for a TLS handshake."),
    unreadMegabytes: z
      .int()
      .min(1)
      .max(4096)
      .default(64)
      .describe(
        "Megabytes that all peers of a listener together may leave unread; beyond, the connection with most unread is closed.",
      ),
  })
  .describe("Limits of TCP and TLS connections.");

const hepSchema = z
  .strictObject({
    target: z
      .string()
      .refine((text) => parseEndpoint(text, 9060) !== undefined, {
        error: "expected ADDRESS or ADDRESS:PORT, IPv6 in brackets",
      })
      .describe("ADDRESS:PORT of the collector, over UDP. Default port: 9060."),
    captureId: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(1)
      .describe("Id of this filter among the capture agents of the collector."),
    password: textSchema.exactOptional().describe("Authentication key; HEP sends it in the clear."),
  })
  .describe("Sends copies of judged messages, with their verdicts, to a HEPv3 collector such as Homer.");

/** The key `hep` after its schema has filled in the defaults. */
export type HepEntry = z.output<typeof hepSchema>;

const listenEntrySchema = z.union([
  listenerSchema,
  z.strictObject({
    on: listenerSchema.describe("The listener: udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT."),
    advertise: advertiseSchema
      .exactOptional()
      .describe(
        "HOST or HOST:PORT that peers see: it stands in Via, Record-Route and Contact in place of the address. Default: the address.",
      ),
  }),
]);

const listenSchema = z
  .array(listenEntrySchema)
  .min(1)
  .max(36)
  .describe(
    "Where the filter takes SIP: udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT, IPv6 in brackets, or { on, advertise }. With `engine: drachtio`, where the servers take SIP. Required by every engine but `m3ua`.",
  );

const serverSchema = z.strictObject({
  host: textSchema.default("127.0.0.1").describe("Address or host name of the drachtio server."),
  port: portSchema.default(9022).describe("Admin port of the server."),
  secret: textSchema.describe("Secret in the `admin` tag of the server's configuration."),
  tls: z
    .strictObject({
      ca: pathSchema
        .exactOptional()
        .describe("Authorities of the server's certificate, PEM. Default: those of the system."),
      name: textSchema.exactOptional().describe("Name in that certificate. Default: `host`."),
    })
    .exactOptional()
    .describe("Connects to the admin port over TLS."),
});

const drachtioSchema = z
  .strictObject({
    servers: z
      .array(serverSchema)
      .min(1)
      .max(16)
      .describe("The drachtio servers; the calls of all of them are judged."),
    reports: z
      .boolean()
      .default(true)
      .describe("Asks for call reports (CDR), to count calls that a server passed without asking."),
  })
  .describe("For `engine: drachtio`.");

/** The key `drachtio` after its schema has filled in the defaults. */
export type DrachtioEntry = z.output<typeof drachtioSchema>;

/** Schema of the whole of `sigwall.yaml`. Every change of this file needs a restart. */
export const staticSchema = z.strictObject({
  engine: z
    .enum(["embedded", "drachtio", "m3ua"])
    .default("embedded")
    .describe("What carries the calls: `embedded` or `drachtio` servers for SIP, `m3ua` for SS7."),
  listen: listenSchema.exactOptional(),
  ownNames: ownNamesSchema
    .exactOptional()
    .describe(
      "Names of the filter, HOST or HOST:PORT, beside its listeners: a Route that names one is ours and is taken off.",
    ),
  drachtio: drachtioSchema.exactOptional(),
  m3ua: m3uaSchema.exactOptional(),
  tls: tlsSchema.exactOptional(),
  streams: streamsSchema.prefault({}),
  sockets: z
    .enum(["auto", "dgram", "batched"])
    .default("auto")
    .describe(
      "How UDP is received and sent. auto: `batched` system calls on Linux with koffi installed, else Node's own `dgram`.",
    ),
  admin: adminSchema,
  nameServers: z
    .array(
      z.string().refine((text) => parseEndpoint(text, 53) !== undefined, {
        error: "expected ADDRESS or ADDRESS:PORT, IPv6 in brackets",
      }),
    )
    .min(1)
    .exactOptional()
    .describe("DNS servers for next hops that are host names. Default: those of the system."),
  policy: pathSchema.describe("The policy file; a relative path starts at the folder of this file."),
  keyFile: pathSchema
    .exactOptional()
    .describe(
      "File with the secret key of the tokens in Record-Route; created when missing. Without it a restart forgets the calls in progress.",
    ),
  node: z
    .string()
    .regex(nodeNamePattern, {
      error:
        'a node name has 1 to 64 letters, digits, ".", "_" or "-" and begins with a letter or digit: it stands in call ids (NODE-EPOCH-COUNT) and file names',
    })
    .refine((name) => findNameClash(name) === undefined, {
      error: ({ input }) => `${findNameClash(String(input))}: give the node another name`,
    })
    .exactOptional()
    .describe(
      "Name of this filter among the nodes, in call ids (NODE-EPOCH-COUNT), file names and metrics. Default: the host name.",
    ),
  stateFolder: pathSchema
    .exactOptional()
    .describe(
      "Folder for what survives a restart, of this filter alone; created when missing. Default: $STATE_DIRECTORY where systemd sets it, else `state` beside this file.",
    ),
  drainSeconds: z
    .number()
    .min(0)
    .max(3600)
    .exactOptional()
    .describe(
      "Longest time after SIGTERM in which messages of calls in progress still pass. Default: 32 (64·T1 of RFC 3261); 0 with sockets of systemd.",
    ),
  watchdogSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(10)
    .refine((seconds) => seconds === 0 || seconds >= 1, { error: "expected 0 (off), or 1 and more" })
    .describe(
      "Ends the process with exit code 70 when the thread of the calls has not turned for so many seconds, so that the service manager starts it again. 0: never.",
    ),
  reload: z
    .strictObject({
      watch: z
        .boolean()
        .default(true)
        .describe("Whether a changed file reloads the policy. false: only SIGHUP and POST /reload do."),
      maxChanges: z
        .int()
        .min(0)
        .max(1_000_000_000)
        .exactOptional()
        .describe(
          "Rehearses every reload with the recorded calls of the last hour, and refuses one that would change more verdicts. Default: nothing is rehearsed.",
        ),
    })
    .prefault({})
    .describe("What reloads the policy, and how much a reload may change."),
  evidence: evidenceSchema.exactOptional(),
  records: recordsSchema.exactOptional(),
  redis: redisSchema.exactOptional(),
  hep: hepSchema.exactOptional(),
  log: z
    .strictObject({
      level: z
        .enum(["trace", "debug", "info", "warn", "error", "silent"])
        .default("info")
        .describe("Lowest severity that is written."),
      refusalsPerSecond: z
        .int()
        .min(0)
        .max(100_000)
        .default(10)
        .describe("Refusals written to the log per second; the rest is only counted."),
    })
    .prefault({})
    .describe("The log on standard error."),
});

/** The schema for engines that carry SIP: `listen` is required. */
export const sipStaticSchema = staticSchema.extend({ listen: listenSchema });

/** JSON Schema of `sigwall.yaml` for editors. Draft 7, because all of them understand it. */
export const staticJsonSchema: JsonSchema = {
  title: "sigwall.yaml",
  ...z.toJSONSchema(staticSchema, { io: "input", target: "draft-7" }),
};
