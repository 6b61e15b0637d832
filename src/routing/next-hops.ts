// Where a call can go now: next hops of the policy, their addresses, and which are up.
import type { Mutable } from "../domain/mutable.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { Millis } from "../domain/time.ts";
import type { NextHop, Trunk } from "../domain/trunk.ts";
import type { Policy } from "../policy/policy.ts";
import type { KeyedTags } from "../sip/tag.ts";
import { createDestination, type Destination, type HopState } from "./hop-health.ts";
import { egressListener } from "./egress.ts";
import { hopIdOf, type Listener, type Target } from "./listener.ts";
import { pick, type Hop } from "./weighted-choice.ts";

/** One address of a next hop that is a host name, as DNS gave it. */
export interface ResolvedAddress {
  readonly address: string;
  readonly port: number;
  /** SRV priority and weight (RFC 2782); 0 and 1 where there is no SRV record. */
  readonly priority: number;
  readonly weight: number;
}

/** A next hop as the metrics show it. */
export interface NextHopStatus {
  readonly trunk: string;
  readonly id: string;
  /** `up` when one of its addresses is; `down` when all are, or when it has none. */
  readonly state: HopState;
  /** Number of addresses that calls may go to. A literal has one. */
  readonly addresses: number;
  /** Whether every address that is not down rests, because a 503 had Retry-After. */
  readonly isResting: boolean;
}

/**
 * Where calls can go now: the next hops of the policy in force, their addresses, and the state of
 * each.
 */
export interface NextHops {
  /** Whether some trunk has next hops and no single fixed destination. */
  readonly isPlural: boolean;
  /** Whether answers matter: {@link isPlural}, or some destination is not up. */
  readonly isWatching: boolean;
  destinations(): Iterable<Destination>;
  /**
   * Takes the policy in force; does nothing when it is the same as before. Destinations that stay
   * keep their state. Those that go stay known as sources for {@link RETIRED_TTL}.
   */
  adopt(policy: Policy, now: Millis): void;
  /**
   * Takes the addresses of the host name of next hop `id`. Former addresses stay known as sources
   * for {@link RETIRED_TTL}.
   */
  resolve(id: string, addresses: readonly ResolvedAddress[], now: Millis): void;
  /**
   * Chooses the destination of a call of `trunk`, by its Call-ID, among those that are up. When all
   * are down, the preferred one is tried anyway.
   * @returns undefined when the trunk has no reachable destination
   */
  choose(trunk: Trunk, callId: string): Destination | undefined;
  /**
   * Returns the destination as if all were up: the same on every node and after a restart (RFC 3261
   * section 16.11).
   */
  preferred(trunk: Trunk, callId: string): Destination | undefined;
  /**
   * Returns another destination that is up and not in `tried`, for failover. One that rests is tried only while none of
   * the trunk is up without a rest.
   */
  next(trunk: Trunk, callId: string, tried: readonly Destination[]): Destination | undefined;
  /**
   * Tells whether a destination rests and can be left in peace: every trunk that has a choice has another one that is
   * up. A trunk without a choice sends its calls there anyway, and OPTIONS would change nothing.
   */
  isSpared(destination: Destination): boolean;
  /** Tells whether a trunk has next hops and no single fixed destination. */
  hasChoice(trunk: Trunk): boolean;
  /** Finds the destination at exactly this transport, address and port. */
  at(transport: Target["transport"], address: string, port: number): Destination | undefined;
  /**
   * Finds the destination that a message comes from. On a stream the source port may be any, if
   * that address has one destination of the transport.
   */
  answeringFrom(transport: Target["transport"], address: string, port: number): Destination | undefined;
  /**
   * Tells whether an address belongs to a next hop, whose responses and in-dialog requests are
   * taken. `port` undefined: at any port.
   */
  has(address: string, port?: number): boolean;
  /** Lists the host names of next hops that resolve to this address and port. */
  hostsAt(address: string, port: number): readonly string[];
  /** Forgets addresses that were retired long enough ago. */
  sweep(now: Millis): void;
  /** Must be called after the state of a destination changed. */
  changed(): void;
  status(): readonly NextHopStatus[];
}

/**
 * How long an address that the policy or DNS no longer gives stays known as a source, for calls in
 * progress.
 */
export const RETIRED_TTL: Millis = 4 * 3_600_000;

/**
 * At most this many addresses of one host name are used, and this many retired entries are kept.
 * Each retired address is two entries: with and without its port.
 */
const MOST_ADDRESSES = 32;
const MOST_RETIRED = 2048;

const NONE_TRIED: readonly Destination[] = [];
const NO_HOPS: readonly Hop[] = [];

interface TrunkHops {
  readonly hops: readonly Hop[];
  /** The only destination of the trunk. Undefined: there is a choice, or nothing reachable. */
  readonly only: Destination | undefined;
}

/**
 * Makes an empty table. `tags` keys the hashes, so that peers can't steer calls and all nodes with
 * one key agree.
 */
export function createNextHops(listeners: readonly Listener[], tags: KeyedTags): NextHops {
  let policy: Policy | undefined;
  let destinations = new Map<string, Destination>();
  let sources = new Map<string, Destination[]>();
  let routes: readonly TrunkHops[] = [];
  const names = new Map<string, readonly ResolvedAddress[]>();
  const retired = new Map<string, Millis>();
  let hashed: string | undefined;
  let hash = 0;

  /**
   * The hash is keyed: no peer picks its destination by picking a Call-ID, and all nodes that share
   * the key agree.
   */
  function hashOf(callId: string): number {
    if (callId !== hashed) {
      hashed = callId;
      hash = parseInt(tags.mac("hop", callId).slice(0, 8), 16);
    }
    return hash;
  }

  function seedOf(name: string): number {
    return parseInt(tags.mac("hop", `seed\n${name}`).slice(0, 8), 16);
  }

  /**
   * Retires a destination. Calls may still be there: messages to and from it still pass,
   * retransmissions of INVITEs go elsewhere.
   */
  function retire(gone: Destination, now: Millis): void {
    gone.state = "down";
    if (retired.size >= MOST_RETIRED) return;
    retired.set(formatEndpoint(gone), now + RETIRED_TTL);
    // On a stream its messages come from any port.
    retired.set(gone.address, now + RETIRED_TTL);
  }

  function rebuild(current: Policy, now: Millis): void {
    const before = destinations;
    destinations = new Map();
    const obtain = (target: Target, owner: Trunk): Destination => {
      const key = hopIdOf(target);
      const known = destinations.get(key) ?? before.get(key);
      const listener = listenerFor(listeners, current, target, owner);
      if (known !== undefined) known.listener = listener;
      const destination = known ?? createDestination(target, key, seedOf(key), listener, now);
      destinations.set(key, destination);
      return destination;
    };
    routes = current.trunks.map(({ trunk }) => {
      const hops = trunk.nextHops.map((hop) => {
        const addresses = addressesOf(hop, names).map(({ address, port, priority, weight }) => {
          return {
            destination: obtain({ transport: hop.transport, address, port }, trunk),
            priority,
            weight,
          };
        });
        return { id: hop.id, seed: seedOf(hop.id), priority: hop.priority, weight: hop.weight, addresses };
      });
      const all = hops.flatMap(({ addresses }) => addresses);
      const [first] = all;
      const isOnly = all.length === 1 && first?.destination.listener !== undefined;
      return { hops, only: isOnly ? first?.destination : undefined };
    });
    for (const [key, gone] of before) if (!destinations.has(key)) retire(gone, now);
    sources = new Map();
    for (const destination of destinations.values()) {
      const { address } = destination;
      sources.set(address, [...(sources.get(address) ?? []), destination]);
    }
    table.isPlural = routes.some(({ hops, only }) => only === undefined && hops.length > 0);
    refresh();
  }

  function refresh(): void {
    table.isWatching = table.isPlural;
    for (const { state } of destinations.values()) table.isWatching ||= state !== "up";
  }

  function at(transport: Target["transport"], address: string, port: number): Destination | undefined {
    const found = sources.get(address);
    if (found === undefined) return undefined;
    for (const destination of found)
      if (destination.port === port && destination.transport === transport) return destination;
    return undefined;
  }

  function hopsOf(trunk: Trunk): readonly Hop[] {
    return routes[trunk.index]?.hops ?? NO_HOPS;
  }

  const table: Mutable<NextHops> = {
    isPlural: false,
    isWatching: false,
    destinations: () => destinations.values(),
    adopt(next, now) {
      if (next === policy) return;
      policy = next;
      const ids = new Set(next.trunks.flatMap(({ trunk }) => trunk.nextHops.map(({ id }) => id)));
      for (const id of names.keys()) if (!ids.has(id)) names.delete(id);
      rebuild(next, now);
    },
    resolve(id, addresses, now) {
      names.set(id, addresses.slice(0, MOST_ADDRESSES));
      if (policy !== undefined) rebuild(policy, now);
    },
    choose(trunk, callId) {
      const { hops, only } = routes[trunk.index] ?? { hops: NO_HOPS, only: undefined };
      if (only !== undefined) return only;
      if (hops.length === 0) return undefined;
      const callHash = hashOf(callId);
      return (
        pick(hops, callHash, "rested", NONE_TRIED) ??
        pick(hops, callHash, "up", NONE_TRIED) ??
        pick(hops, callHash, "any", NONE_TRIED)
      );
    },
    preferred(trunk, callId) {
      const only = routes[trunk.index]?.only;
      return only ?? pick(hopsOf(trunk), hashOf(callId), "any", NONE_TRIED);
    },
    next(trunk, callId, tried) {
      const hops = hopsOf(trunk);
      const callHash = hashOf(callId);
      const rested = pick(hops, callHash, "rested", tried);
      if (rested !== undefined || pick(hops, callHash, "rested", NONE_TRIED) !== undefined) return rested;
      return pick(hops, callHash, "up", tried);
    },
    isSpared(destination) {
      if (destination.restsUntil === 0) return false;
      const itself = [destination];
      const choices = routes.filter(
        ({ hops, only }) =>
          only === undefined &&
          hops.some(({ addresses }) => addresses.some((each) => each.destination === destination)),
      );
      return choices.length > 0 && choices.every(({ hops }) => pick(hops, 0, "rested", itself) !== undefined);
    },
    hasChoice: (trunk) => {
      const route = routes[trunk.index];
      return route !== undefined && route.only === undefined && route.hops.length > 0;
    },
    at,
    answeringFrom(transport, address, port) {
      const exact = at(transport, address, port);
      if (exact !== undefined || transport === "udp") return exact;
      const there = sources.get(address)?.filter((destination) => destination.transport === transport);
      return there?.length === 1 ? there[0] : undefined;
    },
    has(address, port) {
      if (policy?.isNextHop(address, port) === true) return true;
      if (names.size === 0 && retired.size === 0) return false;
      if (port === undefined) return sources.has(address) || retired.has(address);
      for (const destination of sources.get(address) ?? []) if (destination.port === port) return true;
      return retired.size > 0 && retired.has(formatEndpoint({ address, port }));
    },
    hostsAt: (address, port) =>
      (policy?.trunks ?? [])
        .flatMap(({ trunk }) => trunk.nextHops)
        .filter(({ id }) => names.get(id)?.some((place) => place.address === address && place.port === port))
        .map(({ host }) => host),
    sweep(now) {
      for (const [place, until] of retired) if (now >= until) retired.delete(place);
    },
    changed: refresh,
    status: () =>
      (policy?.trunks ?? []).flatMap(({ trunk }) =>
        hopsOf(trunk).map(({ id, addresses }) => {
          return {
            trunk: trunk.id,
            id,
            state: stateOf(addresses),
            addresses: addresses.length,
            isResting: rests(addresses),
          };
        }),
      ),
  };
  return table;
}

function addressesOf(
  hop: NextHop,
  names: ReadonlyMap<string, readonly ResolvedAddress[]>,
): readonly ResolvedAddress[] {
  const { address, port } = hop;
  return address === undefined ? (names.get(hop.id) ?? []) : [{ address, port, priority: 0, weight: 1 }];
}

function stateOf(addresses: Hop["addresses"]): HopState {
  const states = addresses.map(({ destination }) => destination.state);
  if (states.includes("up")) return "up";
  return states.includes("unknown") ? "unknown" : "down";
}

function rests(addresses: Hop["addresses"]): boolean {
  const usable = addresses.filter(({ destination }) => destination.state !== "down");
  const counted = usable.length > 0 ? usable : addresses;
  return counted.length > 0 && counted.every(({ destination }) => destination.restsUntil > 0);
}

/**
 * Chooses the listener that reaches a destination.
 * @returns undefined when none fits, and for an address of our own that DNS may give: calls would
 * come back to us
 */
function listenerFor(
  listeners: readonly Listener[],
  policy: Policy,
  target: Target,
  owner: Trunk,
): Listener | undefined {
  for (const each of listeners) {
    const { shown } = each;
    const isThere =
      (each.address === target.address && each.port === target.port) ||
      (shown.host === target.address && shown.port === target.port);
    if (isThere && each.transport === target.transport) return undefined;
  }
  return egressListener(listeners, policy, target, owner);
}
