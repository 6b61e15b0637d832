import { formatEndpoint } from "../net/endpoint.ts";
import type { Millis } from "../domain/time.ts";
import type { NextHop, Trunk } from "../domain/trunk.ts";
import type { Policy } from "../policy/policy.ts";
import type { KeyedTags } from "../sip/tag.ts";
import { createDestination, type Destination, type HopState } from "./hop-health.ts";
import { hopIdOf, type Listener, type Target } from "./listener.ts";
import { pick, type Hop } from "./weighted-choice.ts";

/** One address of a next hop that is a name, as DNS gave it. */
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
  /** `up` when one of its addresses is; `down` when all are, and when it has none. */
  readonly state: HopState;
  /** Addresses that calls may go to; a literal has one. */
  readonly addresses: number;
}

/** Where calls can go now: the next hops of the policy in force, their addresses and what is known of these. */
export interface NextHops {
  /** True: some call has more than one place to go to. */
  readonly isPlural: boolean;
  /** True: answers tell something, since a destination is not known to be up, or there is another one to go to. */
  readonly isWatching: boolean;
  readonly destinations: Iterable<Destination>;
  /** Takes the policy in force, which mostly is the one before; destinations that stay keep their state, and those that go stay known as sources for {@link RETIRED_TTL}. */
  adopt(policy: Policy, now: Millis): void;
  /** Takes the addresses of the name of next hop `id`; those before are kept likewise. */
  resolve(id: string, addresses: readonly ResolvedAddress[], now: Millis): void;
  /** Where a call of `trunk` goes: a function of its Call-ID over what is up. When all is down, the best is tried anyway. */
  choose(trunk: Trunk, callId: string): Destination | undefined;
  /** Where it would go if everything were up: the same on every node and after a restart (RFC 3261 section 16.11). */
  preferred(trunk: Trunk, callId: string): Destination | undefined;
  /** Another one that is up. */
  next(trunk: Trunk, callId: string, tried: readonly Destination[]): Destination | undefined;
  /** True when a call of `trunk` has more than one place to go to. */
  hasChoice(trunk: Trunk): boolean;
  /** The destination at exactly this place. */
  at(transport: Target["transport"], address: string, port: number): Destination | undefined;
  /** The destination that a message from this place comes from: over a stream from any port, where it is the only one at that address. */
  answeringFrom(transport: Target["transport"], address: string, port: number): Destination | undefined;
  /** True for the address of a next hop, at any port when none is given: its answers and in-dialog requests are taken. */
  has(address: string, port?: number): boolean;
  /** Host names of next hops that this is an address of. */
  hostsAt(address: string, port: number): readonly string[];
  /** Forgets what has been retired for long enough. */
  sweep(now: Millis): void;
  /** Call after the state of a destination changed. */
  changed(): void;
  status(): readonly NextHopStatus[];
}

/** How long an address that the policy or DNS no longer gives stays known as a source: calls in progress go on there. */
export const RETIRED_TTL: Millis = 4 * 3_600_000;

/** Addresses of one name that are used, and retired addresses that are kept, each with and without its port. */
const MOST_ADDRESSES = 32;
const MOST_RETIRED = 2048;

const NONE_TRIED: readonly Destination[] = [];
const NO_HOPS: readonly Hop[] = [];

interface TrunkHops {
  readonly hops: readonly Hop[];
  /** Set where there is nothing to choose. */
  readonly only: Destination | undefined;
}

export function createNextHops(listeners: readonly Listener[], tags: KeyedTags): NextHops {
  let policy: Policy | undefined;
  let isPlural = false;
  let isWatching = false;
  let destinations = new Map<string, Destination>();
  let sources = new Map<string, Destination[]>();
  let routes: readonly TrunkHops[] = [];
  const names = new Map<string, readonly ResolvedAddress[]>();
  const retired = new Map<string, Millis>();
  let hashed: string | undefined;
  let hash = 0;

  /** Keyed, so that no peer picks its target by picking a Call-ID; and the same on all nodes that share the key. */
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

  /** Calls may still be there: what they say to it and hear of it passes, their repeats go elsewhere. */
  function retire(gone: Destination, now: Millis): void {
    gone.state = "down";
    if (retired.size >= MOST_RETIRED) return;
    retired.set(formatEndpoint(gone), now + RETIRED_TTL);
    // Over a stream it comes from any port.
    retired.set(gone.address, now + RETIRED_TTL);
  }

  function rebuild(current: Policy, now: Millis): void {
    const before = destinations;
    destinations = new Map();
    const obtain = (target: Target): Destination => {
      const key = hopIdOf(target);
      const known = destinations.get(key) ?? before.get(key);
      const destination =
        known ?? createDestination(target, key, seedOf(key), listenerFor(listeners, target), now);
      destinations.set(key, destination);
      return destination;
    };
    routes = current.trunks.map(({ trunk }) => {
      const hops = trunk.nextHops.map((hop) => {
        const addresses = addressesOf(hop, names).map(({ address, port, priority, weight }) => {
          return { destination: obtain({ transport: hop.transport, address, port }), priority, weight };
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
    isPlural = routes.some(({ hops, only }) => only === undefined && hops.length > 0);
    refresh();
  }

  function refresh(): void {
    isWatching = isPlural;
    for (const { state } of destinations.values()) isWatching ||= state !== "up";
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

  return {
    get isPlural() {
      return isPlural;
    },
    get isWatching() {
      return isWatching;
    },
    get destinations() {
      return destinations.values();
    },
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
      return pick(hops, callHash, true, NONE_TRIED) ?? pick(hops, callHash, false, NONE_TRIED);
    },
    preferred(trunk, callId) {
      const only = routes[trunk.index]?.only;
      return only ?? pick(hopsOf(trunk), hashOf(callId), false, NONE_TRIED);
    },
    next: (trunk, callId, tried) => pick(hopsOf(trunk), hashOf(callId), true, tried),
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
          return { trunk: trunk.id, id, state: stateOf(addresses), addresses: addresses.length };
        }),
      ),
  };
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

/** Undefined too for an address of our own, which DNS may say: calls would come back to us. */
function listenerFor(listeners: readonly Listener[], target: Target): Listener | undefined {
  const { transport, address, port } = target;
  const family = address.includes(":") ? 6 : 4;
  const fitting = listeners.filter((each) => each.transport === transport && each.family === family);
  return fitting.some((each) => each.address === address && each.port === port) ? undefined : fitting[0];
}
