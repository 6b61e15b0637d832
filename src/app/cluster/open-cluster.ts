// The share of this node in the cluster: what it tells the others of itself, and what follows from theirs.
import type { ExchangeListener } from "../../cluster/exchange.ts";
import type { Sharing } from "../../cluster/sharing.ts";
import type { RedisConfig } from "../../config/sigwall/redis-schema.ts";
import type { Policy } from "../../policy/policy.ts";
import { describePlace } from "./describe-place.ts";
import { type ExchangeParts, openExchange, type OpenExchange } from "./open-exchange.ts";

/** Longest time that a start waits for Redis to answer. Milliseconds. */
const MOST_CONNECTING = 1000;
/** Longest time that a start then waits to learn whether another process has the name of this node. Milliseconds. */
const MOST_GREETING = 4000;
/** Longest time that a start waits to hear what other nodes keep. Milliseconds. */
const MOST_ASKING = 2000;

/** The cluster, joined: nobody else has the name of this node, or Redis does not answer. */
export interface Cluster {
  /** Begins to share. At most once. */
  readonly share: (policy: Policy) => Sharing;
  /** Tells what waits, and leaves. */
  readonly close: () => Promise<void>;
}

/** Without a part of its own that takes them, what others tell is heard and left. */
const deaf: ExchangeListener = {
  batch: () => undefined,
  kept: () => undefined,
  peer: () => undefined,
};

/**
 * Joins the nodes of the prefix. A Redis that does not answer is no error: the node counts alone until it does.
 *
 * @returns in words, why the filter must not start: another process of this node is alive
 */
export async function joinCluster(parts: ExchangeParts): Promise<Cluster | string> {
  const { redis, node } = parts;
  const exchange = openExchange(parts);
  let hasTwin = await exchange.hasTwin(MOST_CONNECTING);
  if (hasTwin === undefined && exchange.figures().isUp) hasTwin = await exchange.hasTwin(MOST_GREETING);
  if (hasTwin === true) {
    await exchange.close();
    return `another process is node ${node} at ${describePlace(redis)} (prefix ${redis.prefix}): end it, or give this one another \`node\``;
  }
  await exchange.asked(exchange.figures().isUp ? MOST_ASKING : 0);
  return { share: (policy) => shareBy(exchange, redis, policy), close: () => exchange.close() };
}

function shareBy(exchange: OpenExchange, { requireSameRevision }: RedisConfig, first: Policy): Sharing {
  let policy = first;
  let isReady = false;
  const tell = (): void =>
    exchange.know({ revision: policy.revision, lists: fingerprintsOf(policy), isReady });
  exchange.listen(deaf);
  tell();
  return {
    happened: () => undefined,
    policyChanged(next) {
      policy = next;
      tell();
    },
    readiness(ready) {
      if (ready !== isReady) {
        isReady = ready;
        tell();
      }
      return ready && requireSameRevision && exchange.figures().lag !== undefined ? "lags" : ready;
    },
    figures: () => exchange.figures(),
  };
}

function fingerprintsOf({ lists }: Policy): Readonly<Record<string, string>> {
  return Object.fromEntries(lists.map(({ id, fingerprint }) => [id, fingerprint]));
}
