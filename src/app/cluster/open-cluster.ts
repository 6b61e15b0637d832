// The share of this node in the cluster: what it tells the others of itself, and what follows from theirs.
import type { ExchangeListener } from "../../cluster/exchange.ts";
import type { SharedKinds } from "../../cluster/shared-entries.ts";
import type { Sharing } from "../../cluster/sharing.ts";
import type { Policy } from "../../policy/policy.ts";
import { wallNow } from "../../wire/kernel/clock.ts";
import { describePlace } from "./describe-place.ts";
import { type ExchangeParts, openExchange, type OpenExchange } from "./open-exchange.ts";
import { createSharedOrders, type SharedOrders } from "./shared-orders.ts";

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

/** How often entries are looked at that have ended. Milliseconds. */
const LOOK_INTERVAL = 1000;

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
  let looking: NodeJS.Timeout | undefined;
  return {
    share(policy) {
      const sharing = shareBy(exchange, parts, policy);
      looking = setInterval(sharing.tick, LOOK_INTERVAL);
      return sharing;
    },
    close() {
      clearInterval(looking);
      return exchange.close();
    },
  };
}

type KeptArguments = Parameters<ExchangeListener["kept"]>;

function shareBy(
  exchange: OpenExchange,
  { node, redis: { requireSameRevision }, log }: ExchangeParts,
  first: Policy,
): Sharing & { readonly tick: () => void } {
  let policy = first;
  let orders: SharedOrders | undefined;
  /** What was heard before there was anything to put it in force. */
  let early: KeptArguments[] = [];
  let isReady = false;
  const tell = (): void =>
    exchange.know({ revision: policy.revision, lists: fingerprintsOf(policy), isReady });
  exchange.listen({
    batch: () => undefined,
    kept(...entry) {
      if (orders === undefined) early.push(entry);
      else orders.kept(...entry);
    },
    peer: () => undefined,
  });
  tell();
  return {
    happened: () => undefined,
    orders(kinds: SharedKinds) {
      orders = createSharedOrders({ node, exchange, kinds, log, now: wallNow });
      for (const entry of early) orders.kept(...entry);
      early = [];
      orders.begin();
    },
    tick: () => orders?.tick(),
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
    figures() {
      const figures = exchange.figures();
      const { unread = 0, untold = 0 } = orders?.figures() ?? {};
      return {
        ...figures,
        refused: { ...figures.refused, form: figures.refused.form + unread },
        lost: { ...figures.lost, backlog: figures.lost.backlog + untold },
      };
    },
  };
}

function fingerprintsOf({ lists }: Policy): Readonly<Record<string, string>> {
  return Object.fromEntries(lists.map(({ id, fingerprint }) => [id, fingerprint]));
}
