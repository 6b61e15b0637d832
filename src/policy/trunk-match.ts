// Finds the trunk of a source address, port, listener, TLS name and SS7 routing label.
import { LRUCache } from "lru-cache";
import { formatNetwork, parseAddress } from "../net/address.ts";
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
   * a routing label matches no entry that has one of these five.
   */
  readonly opc?: readonly number[] | undefined;
  readonly dpc?: readonly number[] | undefined;
  /** Circuits; any when undefined. A message that has no circuit matches whatever stands here. */
  readonly cic?: readonly CircuitRange[] | undefined;
  /** Network appearances; any when undefined. A message that has none matches no entry that has this. */
  readonly networkAppearance?: readonly number[] | undefined;
  /** Network indicators, 0 to 3; any when undefined. */
  readonly ni?: readonly number[] | undefined;
}

/** Circuit identification codes from `first` to `last`, both included. */
export interface CircuitRange {
  readonly first: number;
  readonly last: number;
}

/** What the routing label of an SS7 message says, and what stands around it. -1: the message does not have it. */
export interface RoutingLabel {
  /** Originating and destination point code (Q.704 section 2.2). */
  readonly opc: number;
  readonly dpc: number;
  /** Circuit identification code of ISUP, or call instance code of BICC. */
  readonly cic: number;
  /** Network indicator, 0 to 3 (Q.704 section 14.2.2). */
  readonly ni: number;
  /** Network appearance (RFC 4666 section 3.3.1). */
  readonly networkAppearance: number;
}

/** Stands for the names of a TLS peer before its handshake: it satisfies every `tlsName`. */
export const ANY_NAME: readonly string[] = [];

/**
 * Finds the target of a source. Work and memory are bounded whatever the sources are.
 *
 * @param listener canonical id of the listener that took the message
 * @param address source address, a literal without brackets
 * @param port source port
 * @param names names that the certificate of a TLS peer proves
 * @param label routing label of an SS7 message
 * @returns undefined when no entry matches
 */
export type Matcher<Target> = (
  listener: string,
  address: string,
  port: number,
  names?: readonly string[],
  label?: RoutingLabel,
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
 * TLS name, then one with ports, a listener, originating point codes, destination point codes,
 * circuits (fewer before more), network appearances, network indicators.
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
  return (listener, address, port, names, label) => {
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
      if (readsLabel(entry) && !isLabelled(label, entry)) continue;
      if (entry.tlsName === undefined || isNamed(names, entry.tlsName)) return entry.target;
    }
    return undefined;
  };
}

function isNamed(names: readonly string[] | undefined, name: string): boolean {
  return names === ANY_NAME || names?.includes(name) === true;
}

/** @returns true for an entry that only messages with a routing label match */
export function readsLabel<Target>({ opc, dpc, cic, ni, networkAppearance }: MatchEntry<Target>): boolean {
  return (opc ?? dpc ?? cic ?? ni ?? networkAppearance) !== undefined;
}

function isLabelled<Target>(label: RoutingLabel | undefined, entry: MatchEntry<Target>): boolean {
  if (label === undefined) return false;
  const { opc, dpc, cic, ni, networkAppearance } = entry;
  return (
    (opc?.includes(label.opc) ?? true) &&
    (dpc?.includes(label.dpc) ?? true) &&
    (cic === undefined || label.cic < 0 || isWithin(cic, label.cic)) &&
    (networkAppearance?.includes(label.networkAppearance) ?? true) &&
    (ni?.includes(label.ni) ?? true)
  );
}

function isWithin(ranges: readonly CircuitRange[], cic: number): boolean {
  for (const { first, last } of ranges) if (cic >= first && cic <= last) return true;
  return false;
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
      Number(b.dpc !== undefined) - Number(a.dpc !== undefined) ||
      countCircuits(a.cic) - countCircuits(b.cic) ||
      Number(b.networkAppearance !== undefined) - Number(a.networkAppearance !== undefined) ||
      Number(b.ni !== undefined) - Number(a.ni !== undefined),
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

/** More circuits than any entry names. */
const EVERY_CIRCUIT = 2 ** 40;

/** @returns how many circuits an entry names; more than any entry can name where it names none */
export function countCircuits(ranges: readonly CircuitRange[] | undefined): number {
  if (ranges === undefined) return EVERY_CIRCUIT;
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
