// Looks up the addresses of a next hop that is a host name: SRV, A and AAAA records.
import { Resolver } from "node:dns/promises";
import type { NextHop } from "../../domain/trunk.ts";
import type { ResolvedAddress } from "../../routing/next-hops.ts";

/** Result of a look-up. */
export interface Found {
  readonly addresses: readonly ResolvedAddress[];
  /** Seconds for which the records may be used, as the server says. */
  readonly ttl: number;
}

/** The DNS queries of a look-up. They reject with an `Error` whose `code` is that of node:dns. */
export interface Questions {
  srv(name: string): Promise<readonly Srv[]>;
  addresses(
    name: string,
    family: 4 | 6,
  ): Promise<readonly { readonly address: string; readonly ttl: number }[]>;
}

/** An SRV record (RFC 2782). */
interface Srv {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Seconds after which SRV records are asked for again; node:dns does not tell their TTL. */
const SRV_TTL = 60;

/** At most this many SRV targets of one name are looked up. */
const MOST_TARGETS = 8;

const QUERY_TIMEOUT = 2000;
const QUERY_TRIES = 2;

/**
 * Makes queries to name servers ("192.0.2.53", "[2001:db8::53]:5353"). Undefined or empty: those of
 * the system.
 */
export function createQuestions(servers: readonly string[] | undefined): Questions & { cancel(): void } {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT, tries: QUERY_TRIES });
  if (servers !== undefined && servers.length > 0) resolver.setServers(servers);
  return {
    srv: (name) => resolver.resolveSrv(name),
    addresses: (name, family) =>
      family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true }),
    cancel: () => resolver.cancel(),
  };
}

/**
 * Finds the addresses of a next hop's host name (RFC 3263 section 4.2). With a port: its A and AAAA
 * records. Without: the SRV records of its transport, else A and AAAA with the default port of the
 * transport. NAPTR is not asked, because the policy names the transport. Rejects when the name has
 * no address or the servers give no usable answer.
 *
 * @param families address families to look up
 */
export async function lookUp(
  questions: Questions,
  hop: Pick<NextHop, "host" | "port" | "transport">,
  families: readonly (4 | 6)[],
): Promise<Found> {
  const { host, port, transport } = hop;
  const records = port === 0 ? await unlessMissing(questions.srv(`${service[transport]}.${host}`)) : [];
  if (records.length === 0) {
    const found = await hostAddresses(questions, host, families);
    const own = port === 0 ? defaultPort[transport] : port;
    return gather(found, (address) => ({ address, port: own, priority: 0, weight: 1 }), Infinity, host);
  }
  const targets = records
    .filter(({ name }) => name !== "" && name !== ".")
    .toSorted((a, b) => a.priority - b.priority || b.weight - a.weight)
    .slice(0, MOST_TARGETS);
  const results = await Promise.allSettled(
    targets.map(async (target) => {
      const found = await hostAddresses(questions, target.name, families);
      // The weight belongs to the target, so its addresses share it.
      const weight = target.weight / Math.max(1, found.length);
      const { port: its, priority } = target;
      return gather(found, (address) => ({ address, port: its, priority, weight }), SRV_TTL, target.name);
    }),
  );
  const sound = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.find((result) => result.status === "rejected");
  if (sound.length === 0) throw failed?.reason ?? new Error(`${host} does not offer the service (SRV ".")`);
  return {
    addresses: sound.flatMap(({ addresses }) => addresses),
    // A target is missing, so the name is looked up again soon.
    ttl: failed === undefined ? Math.min(...sound.map(({ ttl }) => ttl)) : 0,
  };
}

const service = { udp: "_sip._udp", tcp: "_sip._tcp", tls: "_sips._tcp" } as const;
const defaultPort = { udp: 5060, tcp: 5060, tls: 5061 } as const;

interface HostAddress {
  readonly address: string;
  readonly ttl: number;
}

/**
 * Looks up the addresses of all families. A missing answer is a failure even when another family
 * has addresses.
 */
async function hostAddresses(
  questions: Questions,
  host: string,
  families: readonly (4 | 6)[],
): Promise<readonly HostAddress[]> {
  const found = await Promise.all(families.map((family) => unlessMissing(questions.addresses(host, family))));
  // Servers rotate their answers; sorting hides that.
  return found.flat().toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

function gather(
  found: readonly HostAddress[],
  place: (address: string) => ResolvedAddress,
  mostTtl: number,
  host: string,
): Found {
  if (found.length === 0) throw new Error(`${host} has no address`);
  const ttl = Math.min(mostTtl, ...found.map((record) => record.ttl));
  return { addresses: found.map(({ address }) => place(address)), ttl };
}

/**
 * Returns an empty list for "no such name" and "no such record", which are answers. Every other
 * error is none and is thrown.
 */
async function unlessMissing<Item>(answer: Promise<readonly Item[]>): Promise<readonly Item[]> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENODATA" || error.code === "ENOTFOUND"))
      return [];
    throw error;
  }
}
