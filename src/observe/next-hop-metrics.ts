// The metrics of next hops: their state, failovers, and look-ups of their names.
import type { Series } from "./series.ts";

const states = ["unknown", "up", "down"] as const;

/**
 * Everything about next hops: their state from the first scrape on, failovers, and the look-ups of those that are
 * names.
 */
export const nextHopSeries: readonly Series[] = [
  {
    kind: "gauge",
    name: "sigwall_next_hop_up",
    help: "1 for a next hop that has answered and is up; 0 while it is down, and until it is first heard of.",
    labels: ["trunk", "next_hop"],
    read({ nextHops }, report) {
      for (const { trunk, id, state } of nextHops) report({ trunk, next_hop: id }, state === "up" ? 1 : 0);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_next_hop_state",
    help: "1 for the state a next hop is in: unknown and up get calls, down only when no other is left.",
    labels: ["trunk", "next_hop", "state"],
    read({ nextHops }, report) {
      for (const { trunk, id, state } of nextHops)
        for (const each of states) report({ trunk, next_hop: id, state: each }, state === each ? 1 : 0);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_next_hop_resting",
    help: "1 for a next hop that gets no new calls while another is up, because its 503 had Retry-After.",
    labels: ["trunk", "next_hop"],
    read({ nextHops }, report) {
      for (const { trunk, id, isResting } of nextHops)
        report({ trunk, next_hop: id }, isResting === true ? 1 : 0);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_next_hop_addresses",
    help: "Addresses of a next hop; 0 for a name that DNS has not given any for.",
    labels: ["trunk", "next_hop"],
    read({ nextHops }, report) {
      for (const { trunk, id, addresses } of nextHops) report({ trunk, next_hop: id }, addresses);
    },
  },
  {
    kind: "counter",
    name: "sigwall_failovers_total",
    help: "Calls sent on to another next hop because theirs was down or answered 503.",
    labels: ["trunk", "cause"],
    read({ trunks }, report) {
      for (const [trunk, { failoversDown, failovers503 }] of trunks) {
        report({ trunk, cause: "down" }, failoversDown);
        report({ trunk, cause: "503" }, failovers503);
      }
    },
  },
  {
    kind: "counter",
    name: "sigwall_no_next_hop_up_total",
    help: "Calls sent to a next hop that is down because none was up.",
    labels: ["trunk"],
    read({ trunks }, report) {
      for (const [trunk, { noneUp }] of trunks) report({ trunk }, noneUp);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_name_stale",
    help: "1 while the addresses of a name are older than their TTL because DNS gives no answer.",
    labels: ["next_hop"],
    read({ names }, report) {
      for (const { id, isStale } of names) report({ next_hop: id }, isStale ? 1 : 0);
    },
  },
  {
    kind: "counter",
    name: "sigwall_name_lookups_total",
    help: "Look-ups of the names of next hops, ok and failed.",
    labels: ["next_hop", "result"],
    read({ names }, report) {
      for (const { id, found, failed } of names) {
        report({ next_hop: id, result: "ok" }, found);
        report({ next_hop: id, result: "failed" }, failed);
      }
    },
  },
];
