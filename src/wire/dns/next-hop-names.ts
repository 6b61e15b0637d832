// Keeps the addresses of next hops that are host names up to date.
import type { NextHop } from "../../domain/trunk.ts";
import type { Millis } from "../../domain/time.ts";
import type { Policy } from "../../policy/policy.ts";
import type { ResolvedAddress } from "../../routing/next-hops.ts";
import { engineNow } from "../kernel/clock.ts";
import { lookUp, type Found, type Questions } from "./name-lookup.ts";

/** A next hop that is a host name, as the metrics show it. */
export interface NameStatus {
  /** Id of the next hop. */
  readonly id: string;
  /**
   * Whether its addresses are older than their TTL because DNS gave no answer, or DNS has never
   * answered.
   */
  readonly isStale: boolean;
  readonly found: number;
  readonly failed: number;
}

/** What a table of names is made of. */
export interface NamesParts {
  readonly questions: Questions;
  /** Address families that have listeners. */
  readonly families: readonly (4 | 6)[];
  /** Called with addresses that differ from the former ones. */
  readonly resolved: (id: string, addresses: readonly ResolvedAddress[]) => void;
  /** Called when look-ups begin to fail, and with `error` undefined when they work again. */
  readonly changed: (id: string, error: string | undefined) => void;
}

/** Keeps the addresses of next hops that are host names up to date. */
export interface Names {
  /**
   * Takes the host names of a policy. Names that stay keep their addresses and their next look-up.
   */
  follow(policy: Policy): void;
  status(): readonly NameStatus[];
  close(): void;
}

/** Shortest and longest time after which records are asked for again, in seconds. */
export const LEAST_TTL = 5;
export const MOST_TTL = 3600;

/**
 * Delay after the first failure, doubled with every further one up to the longest, in milliseconds.
 */
const FIRST_RETRY: Millis = 1000;
const LAST_RETRY: Millis = 30_000;

interface Name {
  readonly hop: NextHop;
  addresses: readonly ResolvedAddress[];
  expires: Millis;
  failures: number;
  found: number;
  failed: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Returns the delay until the next look-up, before the records expire. It varies, so that names
 * asked for together drift apart.
 *
 * @param ttl seconds
 * @param random 0 to 1
 */
export function refreshDelay(ttl: number, random: number): Millis {
  return Math.min(Math.max(ttl, LEAST_TTL), MOST_TTL) * 1000 * (0.8 + 0.15 * random);
}

/**
 * Returns the delay until the next look-up after `failures` failures in a row. `random` is 0 to 1.
 */
export function retryDelay(failures: number, random: number): Millis {
  return Math.min(FIRST_RETRY * 2 ** Math.min(failures - 1, 30), LAST_RETRY) * (0.75 + 0.5 * random);
}

/** Makes an empty table. While DNS gives no answer, the last addresses stay in use. */
export function createNames(parts: NamesParts): Names {
  let current: Policy | undefined;
  const names = new Map<string, Name>();

  function take(name: Name, { addresses, ttl }: Found): void {
    const isNew = JSON.stringify(addresses) !== JSON.stringify(name.addresses);
    if (name.failures > 0) parts.changed(name.hop.id, undefined);
    name.found++;
    name.failures = 0;
    name.addresses = addresses;
    name.expires = engineNow() + Math.max(ttl, LEAST_TTL) * 1000;
    if (isNew) parts.resolved(name.hop.id, addresses);
    wait(name, refreshDelay(ttl, Math.random()));
  }

  function fail(name: Name, error: unknown): void {
    name.failed++;
    name.failures++;
    if (name.failures === 1)
      parts.changed(name.hop.id, error instanceof Error ? error.message : String(error));
    wait(name, retryDelay(name.failures, Math.random()));
  }

  function wait(name: Name, delay: Millis): void {
    name.timer = setTimeout(() => void ask(name), delay).unref();
  }

  async function ask(name: Name): Promise<void> {
    const result = await lookUp(parts.questions, name.hop, parts.families).catch((error: unknown) => ({
      error,
    }));
    // The policy may have changed meanwhile.
    if (names.get(name.hop.id) !== name) return;
    if ("error" in result) fail(name, result.error);
    else take(name, result);
  }

  function drop(name: Name): void {
    clearTimeout(name.timer);
    names.delete(name.hop.id);
  }

  return {
    follow(policy) {
      if (policy === current) return;
      current = policy;
      const hops = policy.trunks.flatMap(({ trunk }) => trunk.nextHops);
      const wanted = new Map(hops.filter((hop) => hop.address === undefined).map((hop) => [hop.id, hop]));
      for (const name of names.values()) if (!wanted.has(name.hop.id)) drop(name);
      for (const [id, hop] of wanted) {
        if (names.has(id)) continue;
        const name: Name = {
          hop,
          addresses: [],
          expires: 0,
          failures: 0,
          found: 0,
          failed: 0,
          timer: undefined,
        };
        names.set(id, name);
        void ask(name);
      }
    },
    status: () =>
      [...names.values()].map(({ hop: { id }, expires, found, failed }) => {
        return { id, isStale: engineNow() > expires, found, failed };
      }),
    close() {
      for (const name of names.values()) drop(name);
    },
  };
}
