// Next hops of policy.yaml: reads their URIs, and holds their schema and that of their health.
import { z } from "zod";
import type { NextHop, SipTransport } from "../../domain/trunk.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import { parseEndpoint } from "../../net/address.ts";
import { isAddress, parseHostPort } from "../../net/host.ts";

/** Transport and place of a next hop, as its URI gives them. */
type HopPlace = Pick<NextHop, "id" | "transport" | "host" | "address" | "port">;

const EXPECTED = "expected sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME";

/**
 * Reads a next hop written as a SIP URI (RFC 3261 section 19.1): an address or a host name, `sips:`
 * and `;transport=` for TCP and TLS.
 * @returns a string that says what is wrong
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

/**
 * Reads the transport. A sips URI means TLS whatever its transport parameter says; udp is not
 * allowed there (RFC 3261 section 26.2.2).
 */
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
  const named = parseHostPort(target);
  if (named === undefined || isAddress(named.host)) return undefined;
  const { host, port } = named;
  const id = `${host}${port === 0 ? "" : `:${port}`}${suffix}`;
  return { id, transport, host, address: undefined, port };
}

const uriSchema = z
  .string()
  .superRefine((uri, context) => {
    const place = parseNextHop(uri);
    if (typeof place === "string") context.addIssue({ code: "custom", message: place });
  })
  .describe("sip:ADDRESS:PORT, IPv6 in brackets, or sip:NAME; sips: or ;transport=tcp|tls for TCP and TLS.");

const rankSchema = z.int().min(1).max(65_535);

/** Schema of one entry of `nextHops`: a URI, or a URI with priority and weight. */
export const nextHopSchema = z.union([
  uriSchema,
  z.strictObject({
    uri: uriSchema,
    priority: rankSchema
      .default(1)
      .describe("Next hops with the lowest priority are used first; the others when those are down."),
    weight: rankSchema.default(1).describe("Share of the calls among next hops of one priority."),
  }),
]);
/** One entry of `nextHops` as written, with its defaults. */
export type NextHopEntry = z.output<typeof nextHopSchema>;

/**
 * Builds the next hop of an entry.
 * @returns an empty list for an entry that can't be read; the schema reports it
 */
export function buildNextHop(entry: NextHopEntry): readonly NextHop[] {
  const { uri, priority, weight } =
    typeof entry === "string" ? { uri: entry, priority: 1, weight: 1 } : entry;
  const place = parseNextHop(uri);
  return typeof place === "string" ? [] : [Object.freeze({ ...place, priority, weight })];
}

/** Schema of `nextHopHealth`. Times are in seconds. */
export const nextHopHealthSchema = z
  .strictObject({
    probe: z
      .enum(["options", "off"])
      .default("options")
      .describe("options: probe every next hop with OPTIONS; off: judge it by its calls alone."),
    intervalSeconds: z
      .number()
      .min(0.1)
      .max(3600)
      .default(10)
      .describe("Time between two OPTIONS to a next hop."),
    timeoutSeconds: z
      .number()
      .min(0.1)
      .max(30)
      .default(2)
      .describe("How long an OPTIONS, or the INVITEs of calls, may stay unanswered."),
    missesUntilDown: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe("Misses in a row after which a next hop is down."),
    answersUntilUp: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe("Answers in a row after which a next hop that was down is up."),
    longestIntervalSeconds: z
      .number()
      .min(0.1)
      .max(3600)
      .default(60)
      .describe("While a next hop is down, the interval doubles up to this."),
    longestRetryAfterSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(3600)
      .describe(
        "Longest time for which a next hop gets no new calls and no OPTIONS after its 503 with Retry-After, while another is up; 0: never.",
      ),
    failoverOn503: z
      .boolean()
      .default(true)
      .describe("Sends a call that a next hop answered 503 to another one; a trunk may override it."),
    passThrough503: z
      .boolean()
      .default(true)
      .describe("true: the last 503 goes to the caller unchanged; false: as 500. A trunk may override it."),
  })
  .describe(
    "How the filter finds out which next hops are up, and what it does with calls to those that are down.",
  );
/** The key `nextHopHealth` as written, with its defaults. */
export type NextHopHealthEntry = z.output<typeof nextHopHealthSchema>;
