// Finds the trunk of a source address, port, listener, TLS name and point codes.
import { LRUCache } from "lru-cache";
import { parseAddress, formatNetwork } from "../net/address.ts";
import type { Network } from "../net/address.ts";

/** One way to recognise a trunk: a source network, narrowed by the optional fields. */
export interface MatchEntry<Target> {
  readonly target: Target;
  readonly network: Network;
  /** Source ports; any port when undefined. */
  readonly ports: readonly number[] | undefined;
  /** Canonical id of the listener; any listener when undefined. */
  readonly listener: string | undefined;
  /** Name that the peer's certificate must prove, in lower case; any peer when undefined. */
  readonly tlsName?: string | undefined;
  /**
   * Originating and destination point codes of SS7 messages; any when undefined. A message without
   * a routing label matches no entry that has either.
   */
  readonly opc?: readonly number[] | undefined;
  readonly dpc?: readonly number[] | undefined;
}

/** Originating and destination point code of a routing label (Q.704 section 2.2). */
export interface PointCodes {
  readonly opc: number;
  readonly dpc: number;
}

/** Stands for the names of a TLS peer before its handshake: it satisfies every `tlsName`. */
export const ANY_NAME: readonly string[] = [];

/** Two entries of different trunks that claim the same messages. */
export interface MatchTie<Target> {
  readonly first: Target;
  readonly second: Target;
  /** What both entries claim, in words: network, port, TLS name, listener and point codes. */
  readonly claim: string;
}

/**
 * Finds the target of a source. Work and memory are bounded whatever the sources are.
 *
 * @param listener canonical id of the listener that took the message
 * @param address source address, a literal without brackets
 * @param port source port
 * @param names names that the certificate of a TLS peer proves
 * @param codes point codes in the routing label of an SS7 message
 * @returns undefined when no entry matches
 */
export type Matcher<Target> = (
  listener: string,
  address: string,
  port: number,
  names?: readonly string[],
  codes?: PointCodes,
) => Target | undefined;

/** So many entries or networks are one step. */
const STEP = 50;

/** Entries that match one address, by source port, the most specific entry first. */
interface Claims<Target> {
  readonly byPort: ReadonlyMap<number, readonly MatchEntry<Target>[]>;
  readonly anyPort: readonly MatchEntry<Target>[];
}

/**
 * Compiles entries into a matcher. The longest prefix wins; among equal prefixes an entry with a
 * TLS name, then one with ports, then one with a listener, then one with originating point codes,
 * then one with destination point codes.
 *
 * @param sources capacity of each of the two address caches, in addresses
 */
export function createMatcher<Target>(
  entries: readonly MatchEntry<Target>[],
  sources: number,
): Matcher<Target> {
  const steps = createMatcherInSteps(entries, sources);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Does the same as {@link createMatcher} in short steps, so that the call thread can carry calls in between. */
export function* createMatcherInSteps<Target>(
  entries: readonly MatchEntry<Target>[],
  sources: number,
): Generator<undefined, Matcher<Target>> {
  const tables = yield* networksOf(entries);
  const nothing: Claims<Target> = { byPort: new Map(), anyPort: [] };
  // An empty cache has its whole room from the start, which takes milliseconds.
  const remembered = new LRUCache<string, Claims<Target>>({ max: sources });
  yield;
  // Unknown addresses have their own cache: a flood from many addresses evicts no known one.
  const strangers = new LRUCache<string, true>({ max: sources });
  yield;
  const look = (address: string): Claims<Target> => {
    const parsed = parseAddress(address);
    if (parsed === undefined) return nothing;
    for (const { bits, prefixLength, claims } of tables) {
      if (bits !== parsed.bits) continue;
      const found = claims.get(parsed.value >> BigInt(bits - prefixLength));
      if (found !== undefined) return found;
    }
    return nothing;
  };
  // Messages of one peer follow one another, and those of a call alternate between two peers: most look-ups are one of
  // the last two again.
  let lastAddress: string | undefined;
  let lastClaims = nothing;
  let otherAddress: string | undefined;
  let otherClaims = nothing;
  const claimsOf = (address: string): Claims<Target> => {
    let claims = remembered.get(address);
    if (claims === undefined) {
      if (strangers.has(address)) return nothing;
      claims = look(address);
      if (claims === nothing) strangers.set(address, true);
      else remembered.set(address, claims);
    }
    return claims;
  };
  return (listener, address, port, names, codes) => {
    if (address !== lastAddress) {
      const claims = address === otherAddress ? otherClaims : claimsOf(address);
      otherAddress = lastAddress;
      otherClaims = lastClaims;
      lastAddress = address;
      lastClaims = claims;
    }
    const { byPort, anyPort } = lastClaims;
    for (const entry of (byPort.size === 0 ? undefined : byPort.get(port)) ?? anyPort) {
      if (entry.listener !== undefined && entry.listener !== listener) continue;
      if ((entry.opc !== undefined || entry.dpc !== undefined) && !isLabelled(codes, entry)) continue;
      if (entry.tlsName === undefined || isNamed(names, entry.tlsName)) return entry.target;
    }
    return undefined;
  };
}

function isNamed(names: readonly string[] | undefined, name: string): boolean {
  return names === ANY_NAME || names?.includes(name) === true;
}

function isLabelled<Target>(codes: PointCodes | undefined, { opc, dpc }: MatchEntry<Target>): boolean {
  if (codes === undefined) return false;
  return (opc?.includes(codes.opc) ?? true) && (dpc?.includes(codes.dpc) ?? true);
}

/**
 * Finds every pair of different targets that claim the same network, port, TLS name, listener and
 * point codes. At most one tie is reported for each pair.
 */
export function findTies<Target>(entries: readonly MatchEntry<Target>[]): readonly MatchTie<Target>[] {
  const owners = new Map<string, Target>();
  const ties = new Map<string, MatchTie<Target>>();
  const names = new Map<Target, number>();
  const nameOf = (target: Target): number => {
    const name = names.get(target) ?? names.size;
    names.set(target, name);
    return name;
  };
  for (const entry of entries) {
    for (const claim of describeClaims(entry)) {
      const owner = owners.get(claim);
      if (owner === undefined) {
        owners.set(claim, entry.target);
      } else if (owner !== entry.target) {
        // One report for a pair of trunks is enough, however many ports they share.
        const pair = `${nameOf(owner)} ${nameOf(entry.target)}`;
        if (!ties.has(pair)) ties.set(pair, { first: owner, second: entry.target, claim });
      }
    }
  }
  return [...ties.values()];
}

/** Lists every combination of port and point codes that an entry claims, in words. */
function describeClaims<Target>(entry: MatchEntry<Target>): readonly string[] {
  const codes = (entry.opc ?? [undefined]).flatMap((opc) =>
    (entry.dpc ?? [undefined]).map((dpc) => describeCodes(opc, dpc)),
  );
  return (entry.ports ?? [undefined]).flatMap((port) => {
    const claim = describeClaim(entry, port);
    return codes.map((label) => claim + label);
  });
}

function describeCodes(opc: number | undefined, dpc: number | undefined): string {
  return `${opc === undefined ? "" : ` from point code ${opc}`}${dpc === undefined ? "" : ` to point code ${dpc}`}`;
}

function describeClaim<Target>(entry: MatchEntry<Target>, port: number | undefined): string {
  const { network, listener, tlsName } = entry;
  const from = `${formatNetwork(network)}${port === undefined ? "" : ` port ${port}`}`;
  const named = tlsName === undefined ? from : `${from} as ${tlsName}`;
  return listener === undefined ? named : `${named} on ${listener}`;
}

interface PrefixTable<Target> {
  readonly bits: 32 | 128;
  readonly prefixLength: number;
  /** Claims by the leading `prefixLength` bits of the address. */
  readonly claims: ReadonlyMap<bigint, Claims<Target>>;
}

/** Builds one table for every prefix length in use, the longest first. */
function* networksOf<Target>(
  entries: readonly MatchEntry<Target>[],
): Generator<undefined, readonly PrefixTable<Target>[]> {
  let turns = 0;
  const networks = new Map<string, Network>();
  const written = new Map<string, MatchEntry<Target>[]>();
  for (const entry of entries) {
    const name = formatNetwork(entry.network);
    networks.set(name, entry.network);
    const same = written.get(name) ?? [];
    written.set(name, same);
    same.push(entry);
    if (++turns % STEP === 0) yield;
  }
  const lengths = new Set([...networks.values()].map(({ prefixLength }) => prefixLength));
  const tables = new Map<
    string,
    { bits: 32 | 128; prefixLength: number; claims: Map<bigint, Claims<Target>> }
  >();
  for (const network of networks.values()) {
    const { bits, prefixLength, value } = network;
    const key = `${bits}/${prefixLength}`;
    const table = tables.get(key) ?? { bits, prefixLength, claims: new Map<bigint, Claims<Target>>() };
    table.claims.set(value, gatherClaims(findAround(network, lengths, written)));
    tables.set(key, table);
    if (++turns % STEP === 0) yield;
  }
  return [...tables.values()].toSorted((a, b) => b.prefixLength - a.prefixLength);
}

/** Collects the entries of a network and of every network that contains it. */
function findAround<Target>(
  { bits, prefixLength, value }: Network,
  lengths: ReadonlySet<number>,
  written: ReadonlyMap<string, readonly MatchEntry<Target>[]>,
): readonly MatchEntry<Target>[] {
  return [...lengths].flatMap((length) => {
    if (length > prefixLength) return [];
    const outer: Network = { bits, prefixLength: length, value: value >> BigInt(prefixLength - length) };
    return written.get(formatNetwork(outer)) ?? [];
  });
}

function gatherClaims<Target>(entries: readonly MatchEntry<Target>[]): Claims<Target> {
  const ordered = entries.toSorted(
    (a, b) =>
      b.network.prefixLength - a.network.prefixLength ||
      Number(b.tlsName !== undefined) - Number(a.tlsName !== undefined) ||
      Number(b.ports !== undefined) - Number(a.ports !== undefined) ||
      Number(b.listener !== undefined) - Number(a.listener !== undefined) ||
      Number(b.opc !== undefined) - Number(a.opc !== undefined) ||
      Number(b.dpc !== undefined) - Number(a.dpc !== undefined),
  );
  const anyPort = ordered.filter((entry) => entry.ports === undefined);
  const byPort = new Map<number, readonly MatchEntry<Target>[]>();
  for (const port of new Set(ordered.flatMap((entry) => entry.ports ?? []))) {
    byPort.set(
      port,
      ordered.filter((entry) => entry.ports === undefined || entry.ports.includes(port)),
    );
  }
  return { byPort, anyPort };
}
