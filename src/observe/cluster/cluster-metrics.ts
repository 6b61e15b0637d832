// The metrics of Redis and of the other nodes; without a key `redis` they are left out.
import type { ClusterFigures, PeerFigure } from "./cluster-figures.ts";

/** Takes one series of a metric. */
type Report = (labels: Readonly<Record<string, string>>, value: number) => void;

/** A metric that is read from the figures of the exchange. */
export interface ClusterSeries {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (figures: ClusterFigures, report: Report) => void;
}

export const clusterSeries: readonly ClusterSeries[] = [
  plain("gauge", "sigwall_redis_up", "1 while Redis answers; 0: this node counts alone.", ({ isUp }) =>
    isUp ? 1 : 0,
  ),
  plain("counter", "sigwall_redis_commands_total", "Commands sent to Redis.", ({ commands }) => commands),
  plain(
    "gauge",
    "sigwall_redis_backlog_bytes",
    "Octets that wait for Redis, or for Redis to get again.",
    ({ backlog }) => backlog,
  ),
  plain(
    "gauge",
    "sigwall_cluster_nodes",
    "Nodes that are up, this one included.",
    ({ peers }) => 1 + peers.filter(({ isUp }) => isUp).length,
  ),
  ofPeers(
    "sigwall_cluster_node_up",
    "1 while a node is heard; 0 after 5 s of silence. One that ended in order is left out.",
    ({ isUp }) => (isUp ? 1 : 0),
  ),
  ofPeers("sigwall_cluster_node_ready", "1 while a node says that it takes new calls.", ({ isUp, isReady }) =>
    isUp && isReady ? 1 : 0,
  ),
  ofPeers(
    "sigwall_cluster_delay_seconds",
    "Time from the sending of a node to our receipt, by the clock of Redis.",
    ({ delay }) => delay,
  ),
  ofPeers(
    "sigwall_cluster_clock_offset_seconds",
    "Wall clock of a node less ours, to some milliseconds.",
    ({ offset }) => offset,
  ),
  {
    kind: "gauge",
    name: "sigwall_cluster_node_info",
    help: "1, with the revision of the policy that a node runs.",
    labels: ["node", "revision"],
    read({ peers }, report) {
      for (const { node, revision } of peers) report({ node, revision }, 1);
    },
  },
  plain(
    "gauge",
    "sigwall_cluster_revisions",
    "Distinct policies, lists included, of the nodes that are up.",
    ({ revisions }) => revisions,
  ),
  plain(
    "gauge",
    "sigwall_cluster_differing_seconds",
    "How long the nodes that are up have not run the same policy; 0: they do.",
    ({ differing }) => differing,
  ),
  plain(
    "gauge",
    "sigwall_cluster_lagging",
    "1 while the policy of this node is not that of the others.",
    ({ lag }) => (lag === undefined ? 0 : 1),
  ),
  plain(
    "gauge",
    "sigwall_cluster_calls",
    "Calls that other nodes carry and that hold a channel or a repeat here.",
    ({ calls }) => calls.elsewhere,
  ),
  plain(
    "counter",
    "sigwall_cluster_counted_total",
    "Calls of other nodes that the limits of this one have counted.",
    ({ calls }) => calls.counted,
  ),
  plain(
    "counter",
    "sigwall_cluster_taken_over_total",
    "Calls that this node has taken over: a message of theirs passed here.",
    ({ calls }) => calls.taken,
  ),
  ofCauses(
    "sigwall_cluster_lost_total",
    "What nodes did not hear. backlog, thread, batch: of this node; gap: of other nodes; room: heard, and not kept.",
    ({ lost: { backlog, thread, gap }, calls, orders }) => ({
      backlog: backlog + orders.untold,
      thread,
      batch: calls.untold,
      gap,
      room: calls.noRoom,
    }),
  ),
  ofCauses(
    "sigwall_cluster_refused_total",
    "Entries in Redis that were not taken from, by cause: nobody with our key has sealed them so.",
    ({ refused, calls, orders }) => ({ ...refused, form: refused.form + calls.unread + orders.unread }),
  ),
  plain(
    "counter",
    "sigwall_cluster_resent_total",
    "Entries that were written again, because Redis had lost them.",
    ({ resent }) => resent,
  ),
];

function plain(
  kind: ClusterSeries["kind"],
  name: string,
  help: string,
  read: (figures: ClusterFigures) => number,
): ClusterSeries {
  return { kind, name, help, labels: [], read: (figures, report) => report({}, read(figures)) };
}

function ofPeers(name: string, help: string, read: (peer: PeerFigure) => number): ClusterSeries {
  return {
    kind: "gauge",
    name,
    help,
    labels: ["node"],
    read({ peers }, report) {
      for (const peer of peers) report({ node: peer.node }, read(peer));
    },
  };
}

function ofCauses(
  name: string,
  help: string,
  read: (figures: ClusterFigures) => Readonly<Record<string, number>>,
): ClusterSeries {
  return {
    kind: "counter",
    name,
    help,
    labels: ["cause"],
    read(figures, report) {
      for (const [cause, count] of Object.entries(read(figures))) report({ cause }, count);
    },
  };
}
