// The share of this node in the cluster: what it tells the others of itself, and what follows from theirs.
import { type CallSharing, createCallSharing } from "../../cluster/call-sharing.ts";
import type { Sharing } from "../../cluster/sharing.ts";
import type { Policy } from "../../policy/policy.ts";
import { noCalls, noOrders } from "../../observe/cluster/cluster-figures.ts";
import { engineNow, wallNow } from "../../wire/kernel/clock.ts";
import type { Records } from "../../records/lines/recording.ts";
import { withCheckpoints } from "./with-checkpoints.ts";
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

/** How often what has happened is told. Milliseconds. */
const FLUSH_INTERVAL = 100;
/** How often entries are looked at that have ended. Milliseconds. */
const LOOK_INTERVAL = 1000;

/**
 * Joins the nodes of the prefix. A Redis that does not answer is no error: the node counts alone until it does.
 *
 * @returns in words, why the filter must not start: another process of this node is alive
 */
export async function joinCluster(
  parts: ExchangeParts & { readonly records?: Records | undefined },
): Promise<Cluster | string> {
  const { redis, node } = parts;
  const exchange = withCheckpoints(openExchange(parts), node, parts.records);
  let hasTwin = await exchange.hasTwin(MOST_CONNECTING);
  if (hasTwin === undefined && exchange.figures().isUp) hasTwin = await exchange.hasTwin(MOST_GREETING);
  if (hasTwin === true) {
    await exchange.close();
    return `another process is node ${node} at ${describePlace(redis)} (prefix ${redis.prefix}): end it, or give this one another \`node\``;
  }
  await exchange.asked(exchange.figures().isUp ? MOST_ASKING : 0);
  let timers: readonly NodeJS.Timeout[] = [];
  let shared: { readonly flush: () => void } | undefined;
  return {
    share(policy) {
      const sharing = shareBy(exchange, parts, policy);
      shared = sharing;
      timers = [setInterval(sharing.flush, FLUSH_INTERVAL), setInterval(sharing.tick, LOOK_INTERVAL)];
      return sharing;
    },
    close() {
      timers.forEach(clearInterval);
      shared?.flush();
      return exchange.close();
    },
  };
}

function shareBy(
  exchange: OpenExchange,
  { node, redis: { requireSameRevision }, log }: ExchangeParts,
  first: Policy,
): Sharing & { readonly flush: () => void; readonly tick: () => void } {
  let policy = first;
  let hears = hearsOf(first);
  let calls: CallSharing | undefined;
  let orders: SharedOrders | undefined;
  let isReady = false;
  const tell = (): void =>
    exchange.know({ revision: policy.revision, lists: fingerprintsOf(policy), isReady });
  tell();
  return {
    calls(parts) {
      calls = createCallSharing({
        ...parts,
        policy: () => policy,
        send: (batch) => exchange.send(batch),
        hears: () => hears,
        now: engineNow,
      });
      return calls.memory;
    },
    orders(kinds) {
      const shared = createSharedOrders({ node, exchange, kinds, log, now: wallNow });
      orders = shared;
      // What came before waits until now.
      exchange.listen({
        batch: (from, bytes, age) => calls?.batch(from, bytes, age),
        kept: shared.kept,
        peer: (from, what) => calls?.peer(from, what),
      });
      shared.begin();
    },
    flush: () => calls?.flush(),
    tick: () => orders?.tick(),
    happened: (event) => calls?.happened(event),
    policyChanged(next) {
      policy = next;
      hears = hearsOf(next);
      tell();
    },
    readiness(ready) {
      if (ready !== isReady) {
        isReady = ready;
        tell();
      }
      return ready && requireSameRevision && exchange.figures().lag !== undefined ? "lags" : ready;
    },
    figures: () => ({
      ...exchange.figures(),
      calls: calls?.figures() ?? noCalls,
      orders: orders?.figures() ?? noOrders,
    }),
  };
}

function fingerprintsOf({ lists }: Policy): Readonly<Record<string, string>> {
  return Object.fromEntries(lists.map(({ id, fingerprint }) => [id, fingerprint]));
}

/** True where detectors, call backs or limits of unanswered calls look at what becomes of calls. */
function hearsOf({ detectors, marketing, trunks }: Policy): boolean {
  return (
    marketing !== undefined ||
    [...detectors.values()].some(({ mode }) => mode !== "off") ||
    trunks.some(({ trunk }) => trunk.limits.frequency?.some(({ onlyUnanswered }) => onlyUnanswered) === true)
  );
}
