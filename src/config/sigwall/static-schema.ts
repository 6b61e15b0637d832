import { z } from "zod";
import type { JsonSchema } from "../yaml/schema-issues.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { SipTransport } from "../../domain/trunk.ts";
import { parseEndpoint } from "../../net/address.ts";
import type { Endpoint } from "../../net/address.ts";
import { m3uaSchema } from "./m3ua-schema.ts";
import { pathSchema, portSchema, textSchema } from "../yaml/schema-parts.ts";

/** A transport address on which messages are taken. */
export interface ListenAddress extends Endpoint {
  /** Canonical text, `udp:127.0.0.1:5060` or `tls:[::1]:5061`: what `match.listener` names. */
  readonly id: string;
  readonly transport: SipTransport;
}

const transports: readonly SipTransport[] = ["udp", "tcp", "tls"];

/** Reads `udp:127.0.0.1:5060`, likewise tcp and tls, IPv6 in brackets, port 0 for any free one; a string says what is wrong. */
export function parseListener(text: string): ListenAddress | string {
  const colon = text.indexOf(":");
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme === "sctp") return `"${text}": sctp is not carried yet; expected udp, tcp or tls`;
  const transport = transports.find((name) => name === scheme);
  const endpoint = transport === undefined ? undefined : parseEndpoint(text.slice(colon + 1));
  if (transport === undefined || endpoint === undefined)
    return `"${text}" is not a listener; expected udp:ADDRESS:PORT, tcp or tls likewise, IPv6 in brackets`;
  return { id: `${transport}:${formatEndpoint(endpoint)}`, transport, ...endpoint };
}

const listenerSchema = z.string().superRefine((text, context) => {
  const listener = parseListener(text);
  if (typeof listener === "string") context.addIssue({ code: "custom", message: listener });
});

const tlsSchema = z
  .strictObject({
    certificate: pathSchema.describe("Our certificate and those that vouch for it, PEM."),
    key: pathSchema.describe("Its private key, PEM without a password."),
    ca: pathSchema.describe("Certificates of the authorities that peers' certificates must come from, PEM."),
    minVersion: z.enum(["TLSv1.2", "TLSv1.3"]).default("TLSv1.2").describe("The least version of TLS."),
    clientCertificate: z
      .enum(["require", "request", "none"])
      .default("require")
      .describe("Whether a peer that connects must show a certificate, may, or isn't asked."),
  })
  .describe("For tls listeners and TLS next hops; the files are read again with every reload.");

const streamsSchema = z
  .strictObject({
    connections: z.int().min(1).max(100_000).default(1024).describe("Open at one time, on every listener."),
    perSource: z.int().min(1).max(100_000).default(64).describe("Of these, from one address."),
    idleSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .default(900)
      .describe("A connection on which nothing came for so long is closed."),
    messageSeconds: z
      .int()
      .min(1)
      .max(300)
      .default(10)
      .describe("The time that a peer has to send one whole message, and for a TLS handshake."),
    unreadMegabytes: z
      .int()
      .min(1)
      .max(4096)
      .default(64)
      .describe(
        "What all peers together may leave unread, of a listener; beyond it the worst of them is closed.",
      ),
  })
  .describe("Bounds of TCP and TLS connections.");

const hepSchema = z
  .strictObject({
    target: z
      .string()
      .refine((text) => parseEndpoint(text, 9060) !== undefined, {
        error: "expected ADDRESS or ADDRESS:PORT, IPv6 in brackets",
      })
      .describe("The collector, ADDRESS:PORT by UDP; port 9060 when left out."),
    captureId: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(1)
      .describe("Tells this filter from other capture agents of the collector."),
    password: textSchema.exactOptional().describe("Authentication key; sent in the clear, as HEP has it."),
  })
  .describe("Copies of judged messages, with their verdicts, for a HEPv3 collector such as Homer.");

/** The key `hep`, as the schema leaves it. */
export type HepEntry = z.output<typeof hepSchema>;

const listenSchema = z
  .array(listenerSchema)
  .min(1)
  .max(36)
  .describe(
    "Where SIP is taken: udp:ADDRESS:PORT, tcp or tls likewise, IPv6 in brackets. With `engine: drachtio`, where the servers take SIP. Required by every engine but `m3ua`.",
  );

const serverSchema = z.strictObject({
  host: textSchema.default("127.0.0.1").describe("Address or name of the server's admin port."),
  port: portSchema.default(9022).describe("Its admin port."),
  secret: textSchema.describe("The secret in the server's `admin` tag."),
  tls: z
    .strictObject({
      ca: pathSchema
        .exactOptional()
        .describe("Authorities of the server's certificate, PEM; the system's when left out."),
      name: textSchema.exactOptional().describe("Name in that certificate; `host` when left out."),
    })
    .exactOptional()
    .describe("The admin port is a TLS one."),
});

const drachtioSchema = z
  .strictObject({
    servers: z
      .array(serverSchema)
      .min(1)
      .max(16)
      .describe("The drachtio servers; calls of every one are judged."),
    reports: z
      .boolean()
      .default(true)
      .describe("Have calls reported (CDR), to count those that a server passed without asking."),
  })
  .describe("For `engine: drachtio`.");

/** The key `drachtio`, as the schema leaves it. */
export type DrachtioEntry = z.output<typeof drachtioSchema>;

/** The whole of `sigwall.yaml`: what a change of needs a restart. */
export const staticSchema = z.strictObject({
  engine: z
    .enum(["embedded", "drachtio", "m3ua"])
    .default("embedded")
    .describe("What carries the calls: SIP by `embedded` or by `drachtio` servers, SS7 by `m3ua`."),
  listen: listenSchema.exactOptional(),
  drachtio: drachtioSchema.exactOptional(),
  m3ua: m3uaSchema.exactOptional(),
  tls: tlsSchema.exactOptional(),
  streams: streamsSchema.prefault({}),
  sockets: z
    .enum(["auto", "dgram", "batched"])
    .default("auto")
    .describe(
      "How UDP is taken and sent: `batched` system calls on Linux with koffi installed, Node's own `dgram` elsewhere.",
    ),
  admin: z
    .string()
    .refine((text) => parseEndpoint(text) !== undefined, { error: "expected ADDRESS:PORT, IPv6 in brackets" })
    .default("127.0.0.1:9464")
    .describe("ADDRESS:PORT of /metrics, /healthz, /readyz and /reload."),
  nameServers: z
    .array(
      z.string().refine((text) => parseEndpoint(text, 53) !== undefined, {
        error: "expected ADDRESS or ADDRESS:PORT, IPv6 in brackets",
      }),
    )
    .min(1)
    .exactOptional()
    .describe("DNS servers that next hops with names are looked up at; those of the system when left out."),
  policy: pathSchema.describe("The policy file; a relative path starts at this file."),
  keyFile: pathSchema
    .exactOptional()
    .describe(
      "Secret key of the tokens in our Record-Route; made when missing. Without it a restart forgets the calls in progress.",
    ),
  drainSeconds: z
    .number()
    .min(0)
    .max(3600)
    .exactOptional()
    .describe(
      "Longest time after SIGTERM in which what is in progress still passes. Default: 32 (64·T1 of RFC 3261); 0 with sockets of systemd.",
    ),
  hep: hepSchema.exactOptional(),
  log: z
    .strictObject({
      level: z
        .enum(["trace", "debug", "info", "warn", "error", "silent"])
        .default("info")
        .describe("The least severe level that is written."),
      refusalsPerSecond: z
        .int()
        .min(0)
        .max(100_000)
        .default(10)
        .describe("Refusals written to the log in a second; the rest is counted only."),
    })
    .prefault({})
    .describe("What is written to standard error."),
});

/** The same for engines that carry SIP: they listen. */
export const sipStaticSchema = staticSchema.extend({ listen: listenSchema });

/** The shape of `sigwall.yaml` as JSON Schema, as editors want it: draft 7 is what they all understand. */
export const staticJsonSchema: JsonSchema = {
  title: "sigwall.yaml",
  ...z.toJSONSchema(staticSchema, { io: "input", target: "draft-7" }),
};
