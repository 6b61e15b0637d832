import { Resolver } from "node:dns/promises";
import type { NextHop } from "../../domain/trunk.ts";
import type { ResolvedAddress } from "../../routing/next-hops.ts";

/** What a look-up found. */
export interface Found {
  readonly addresses: readonly ResolvedAddress[];
  /** Seconds for which the records may be used, as the server says. */
  readonly ttl: number;
}

/** The questions a look-up asks; rejects with an `Error` whose `code` is that of node:dns. */
export interface Questions {
  srv(name: string): Promise<readonly Srv[]>;
  addresses(
    name: string,
    family: 4 | 6,
  ): Promise<readonly { readonly address: string; readonly ttl: number }[]>;
}

/** A SRV record (RFC 2782). */
interface Srv {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** node:dns does not tell the TTL of SRV records; they are asked for again after this. Seconds. */
const SRV_TTL = 60;

/** SRV targets of one name that are looked up. */
const MOST_TARGETS = 8;

const QUERY_TIMEOUT = 2000;
const QUERY_TRIES = 2;

/** Asks name servers ("192.0.2.53", "[2001:db8::53]:5353"); those of the system when none are named. */
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
 * Finds the addresses of a name as RFC 3263 section 4.2 says: with a port, its A and AAAA records; without, the SRV records of its
 * transport first, and the transport's own port where there are none. NAPTR is not asked: the policy names the transport.
 * Rejects when the name has no address or the servers give no answer that counts.
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
      // The weight is that of the target, however many addresses it has.
      const weight = target.weight / Math.max(1, found.length);
      const { port: its, priority } = target;
      return gather(found, (address) => ({ address, port: its, priority, weight }), SRV_TTL, target.name);
    }),
  );
  const sound = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.find((result) => result.status === "rejected");
  if (sound.length === 0) throw failed?.reason ?? new Error(`${host}: the service is not offered (SRV ".")`);
  return {
    addresses: sound.flatMap(({ addresses }) => addresses),
    // With a target missing, soon again.
    ttl: failed === undefined ? Math.min(...sound.map(({ ttl }) => ttl)) : 0,
  };
}

const service = { udp: "_sip._udp", tcp: "_sip._tcp", tls: "_sips._tcp" } as const;
const defaultPort = { udp: 5060, tcp: 5060, tls: 5061 } as const;

interface HostAddress {
  readonly address: string;
  readonly ttl: number;
}

/** The addresses of both families; an answer that never came is a failure even where the other family has some. */
async function hostAddresses(
  questions: Questions,
  host: string,
  families: readonly (4 | 6)[],
): Promise<readonly HostAddress[]> {
  const found = await Promise.all(families.map((family) => unlessMissing(questions.addresses(host, family))));
  // Servers rotate their answers, which is no news.
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

/** "No such name" and "no such record" are answers; anything else is none. */
async function unlessMissing<Item>(answer: Promise<readonly Item[]>): Promise<readonly Item[]> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENODATA" || error.code === "ENOTFOUND"))
      return [];
    throw error;
  }
}
