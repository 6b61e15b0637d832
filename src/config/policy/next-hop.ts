import { z } from "zod";
import type { NextHop, SipTransport } from "../../domain/trunk.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import { parseEndpoint } from "../../net/address.ts";

/** Where a next hop is, as its URI says. */
type HopPlace = Pick<NextHop, "id" | "transport" | "host" | "address" | "port">;

const EXPECTED = "expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME";

/**
 * Reads a next hop written as a SIP URI (RFC 3261 section 19.1): an address or a host name, `sips:` and `;transport=` for
 * TCP and TLS. A string says what is wrong.
 */
export function parseNextHop(uri: string): HopPlace | string {
  const colon = uri.indexOf(":");
  const scheme = uri.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme !== "sip" && scheme !== "sips") return `"${uri}" is not a next hop; ${EXPECTED}`;
  const [target = "", ...parameters] = uri.slice(colon + 1).split(";");
  if (target.includes("@")) return `"${uri}": a next hop has no user part; ${EXPECTED}`;
  const transport = readTransport(scheme, parameters);
  if (transport === undefined) {
    const choices = scheme === "sips" ? "tls or tcp (TLS over it)" : "udp, tcp or tls";
    return `"${uri}": the only parameter is transport, once: ${choices}`;
  }
  const place = readPlace(target, transport);
  return place ?? `"${uri}": ${EXPECTED}`;
}

/** RFC 3261 section 26.2.2: a sips URI is TLS whatever its transport parameter says, which can't be udp. */
function readTransport(scheme: "sip" | "sips", parameters: readonly string[]): SipTransport | undefined {
  const [parameter, ...others] = parameters;
  if (others.length > 0) return undefined;
  if (parameter === undefined) return scheme === "sips" ? "tls" : "udp";
  const choices = { "transport=udp": "udp", "transport=tcp": "tcp", "transport=tls": "tls" } as const;
  const written = parameter.toLowerCase();
  if (written !== "transport=udp" && written !== "transport=tcp" && written !== "transport=tls")
    return undefined;
  const transport = choices[written];
  if (scheme === "sip") return transport;
  return transport === "udp" ? undefined : "tls";
}

function readPlace(target: string, transport: SipTransport): HopPlace | undefined {
  const suffix = transport === "udp" ? "" : `;transport=${transport}`;
  const endpoint = parseEndpoint(target, transport === "tls" ? 5061 : 5060);
  if (endpoint !== undefined) {
    const { address, port } = endpoint;
    if (port === 0) return undefined;
    return { id: `${formatEndpoint(endpoint)}${suffix}`, transport, host: address, address, port };
  }
  const [name = "", digits, ...rest] = target.split(":");
  const host = (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
  const port = digits === undefined ? 0 : readPort(digits);
  if (!isHostName(host) || port === undefined || rest.length > 0) return undefined;
  const id = `${host}${port === 0 ? "" : `:${port}`}${suffix}`;
  return { id, transport, host, address: undefined, port };
}

function readPort(digits: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(digits) && Number(digits) <= 65_535 ? Number(digits) : undefined;
}

/** RFC 1123 section 2.1: labels of letters, digits and "-"; the last one is no number, or it would be a broken address. */
function isHostName(host: string): boolean {
  const labels = host.split(".");
  return (
    host.length <= 253 &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? "")
  );
}

const uriSchema = z
  .string()
  .superRefine((uri, context) => {
    const place = parseNextHop(uri);
    if (typeof place === "string") context.addIssue({ code: "custom", message: place });
  })
  .describe("sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME; sips: and ;transport=tcp|tls for streams.");

const rankSchema = z.int().min(1).max(65_535);

/** One entry of `nextHops`: a URI, or a URI with its place among the others. */
export const nextHopSchema = z.union([
  uriSchema,
  z.strictObject({
    uri: uriSchema,
    priority: rankSchema.default(1).describe("Lower ones are used first; higher ones when those are down."),
    weight: rankSchema.default(1).describe("Share of the calls among those of one priority."),
  }),
]);
export type NextHopEntry = z.output<typeof nextHopSchema>;

/** The next hop of an entry; nothing for one that can't be read, which the schema reports. */
export function buildNextHop(entry: NextHopEntry): readonly NextHop[] {
  const { uri, priority, weight } =
    typeof entry === "string" ? { uri: entry, priority: 1, weight: 1 } : entry;
  const place = parseNextHop(uri);
  return typeof place === "string" ? [] : [Object.freeze({ ...place, priority, weight })];
}

/** How the state of next hops is found; times in seconds. */
export const nextHopHealthSchema = z
  .strictObject({
    probe: z
      .enum(["options", "off"])
      .default("options")
      .describe("Ask every next hop by OPTIONS, or judge it by calls alone."),
    intervalSeconds: z.number().min(0.1).max(3600).default(10).describe("Between two OPTIONS to a next hop."),
    timeoutSeconds: z
      .number()
      .min(0.1)
      .max(30)
      .default(2)
      .describe("How long an OPTIONS, or the INVITEs of calls, may stay without any answer."),
    missesUntilDown: z.int().min(1).max(100).default(3).describe("Misses in a row after which it is down."),
    answersUntilUp: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe("Answers in a row after which one that was down is up."),
    longestIntervalSeconds: z
      .number()
      .min(0.1)
      .max(3600)
      .default(60)
      .describe("While it is down, the interval doubles up to this."),
    failoverOn503: z
      .boolean()
      .default(true)
      .describe("A call answered 503 goes to the next one; a trunk may say otherwise."),
    passThrough503: z
      .boolean()
      .default(true)
      .describe("A 503 that is left goes to the caller as it is; false: as 500. A trunk may say otherwise."),
  })
  .describe("Which next hops are up, and what becomes of calls to others.");
export type NextHopHealthEntry = z.output<typeof nextHopHealthSchema>;
