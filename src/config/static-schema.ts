import { z } from "zod";
import { parseEndpoint } from "./address.ts";
import type { Endpoint } from "./address.ts";
import { pathSchema } from "./schema-parts.ts";

/** A transport address on which messages are taken. */
export interface Listener extends Endpoint {
  /** Canonical text, `udp:127.0.0.1:5060` or `udp:[::1]:5060`: what `match.listener` names. */
  readonly id: string;
  readonly transport: "udp";
}

/** Reads `udp:127.0.0.1:5060`, IPv6 in brackets, port 0 for any free one; a string says what is wrong. */
export function parseListener(text: string): Listener | string {
  const colon = text.indexOf(":");
  const transport = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (transport === "tcp" || transport === "tls" || transport === "sctp") {
    return `"${text}": ${transport} is not carried yet; only udp is`;
  }
  const endpoint = transport === "udp" ? parseEndpoint(text.slice(colon + 1)) : undefined;
  if (endpoint === undefined)
    return `"${text}" is not a listener; expected udp:ADDRESS:PORT, IPv6 in brackets`;
  return { id: `udp:${bracket(endpoint.address)}:${endpoint.port}`, transport: "udp", ...endpoint };
}

function bracket(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

const listenerSchema = z.string().superRefine((text, context) => {
  const listener = parseListener(text);
  if (typeof listener === "string") context.addIssue({ code: "custom", message: listener });
});

/** The whole of `sigwall.yaml`: what a change of needs a restart. */
export const staticSchema = z.strictObject({
  engine: z
    .enum(["embedded", "drachtio", "m3ua"])
    .default("embedded")
    .describe("What carries the calls. Only `embedded` is built in yet."),
  listen: z
    .array(listenerSchema)
    .min(1)
    .describe("Where messages are taken: udp:ADDRESS:PORT, IPv6 in brackets."),
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
