import t from "tap";
import {
  countDecision,
  countProtocolError,
  createCounters,
  observeDecision,
  trunkCounters,
} from "../../src/observe/counters.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { type Figures, joinFigures, type NextHopFigure, readFigures } from "../../src/observe/figures.ts";
import { decisionOf } from "./decision.ts";

void t.test("metrics: a scrape shows what was counted, and the policy of that moment", async (t) => {
  const counters = createCounters();
  const reloads = { ok: 0, failed: 0, refused: 0 };
  let nextHops: NextHopFigure[] = [
    { trunk: "lease", id: "192.0.2.1:5060", state: "up", addresses: 1 },
    { trunk: "lease", id: "192.0.2.2:5060", state: "unknown", addresses: 1 },
    { trunk: "lease", id: "sbc.example.com", state: "down", addresses: 0 },
  ];
  let policy = {
    revision: "one",
    lists: [{ id: "own", numbers: 100 }],
  };
  const metrics = createMetrics();
  const sources = {
    counters,
    reloads,
    sockets: "dgram",
    policy: () => policy,
    nextHops: () => nextHops,
    names: () => [{ id: "sbc.example.com", isStale: true, found: 0, failed: 7 }],
    calls: () =>
      new Map([
        ["lease", { setup: 2, answered: 5 }],
        ["core", { setup: 0, answered: 0 }],
      ]),
    build: { version: "0.2.0", node: "gw-a" },
    stateFolder: () => ({ isOk: false, written: 4, failed: 1 }),
    records: () => ({
      isOk: false,
      lost: 7,
      bytes: 4096,
      evidence: { isOk: true, full: 1, beyond: 2, disk: 3, late: 4, peers: { kept: 5 } },
    }),
    tableFull: { callers: 2 },
    ruleFaults: {},
  };
  // As they come out of another thread.
  const taken = (): Figures | undefined =>
    joinFigures([...readFigures(sources)].map((part) => structuredClone(part)));
  const watched = { longestTurn: 0.25, logLost: 12 };

  countDecision(counters, decisionOf({}));
  countDecision(counters, decisionOf({}));
  const verdict = { kind: "reject", reason: "diversion-unlicensed" } as const;
  countDecision(
    counters,
    decisionOf({
      verdict: { kind: "accept", reason: "listed" },
      rule: "default",
      shadow: [{ rule: "diversion-licence", verdict }],
    }),
  );
  countProtocolError(counters, "lease", 483);
  trunkCounters(counters, "lease").retransmissions = 5;
  trunkCounters(counters, "lease").failoversDown = 8;
  trunkCounters(counters, "lease").failovers503 = 9;
  trunkCounters(counters, "lease").noneUp = 10;
  counters.failoversFull = 11;
  counters.ledgerFull = 3;
  counters.callBytesFull = 4;
  for (const seconds of [5e-7, 1e-6, 1.1e-6, 2]) observeDecision(counters, seconds);

  const first = await metrics.render(taken(), watched);
  const lines = [
    'sigwall_attempts_total{trunk="lease",verdict="reject",reason="cli-not-listed",rule="caller-authentication",mode="enforce"} 2',
    'sigwall_attempts_total{trunk="lease",verdict="accept",reason="listed",rule="default",mode="enforce"} 1',
    'sigwall_attempts_total{trunk="lease",verdict="reject",reason="diversion-unlicensed",rule="diversion-licence",mode="monitor"} 1',
    'sigwall_protocol_errors_total{trunk="lease",status="483"} 1',
    'sigwall_retransmissions_total{trunk="lease"} 5',
    'sigwall_table_full_total{table="calls"} 3',
    'sigwall_table_full_total{table="callBytes"} 4',
    'sigwall_table_full_total{table="callers"} 2',
    'sigwall_decision_seconds_bucket{le="0.000001"} 2',
    'sigwall_decision_seconds_bucket{le="0.000002"} 3',
    'sigwall_decision_seconds_bucket{le="0.01"} 3',
    'sigwall_decision_seconds_bucket{le="+Inf"} 4',
    "sigwall_decision_seconds_count 4",
    'sigwall_next_hop_up{trunk="lease",next_hop="192.0.2.1:5060"} 1',
    'sigwall_next_hop_up{trunk="lease",next_hop="192.0.2.2:5060"} 0',
    'sigwall_next_hop_state{trunk="lease",next_hop="192.0.2.2:5060",state="unknown"} 1',
    'sigwall_next_hop_state{trunk="lease",next_hop="192.0.2.2:5060",state="down"} 0',
    'sigwall_next_hop_up{trunk="lease",next_hop="sbc.example.com"} 0',
    'sigwall_next_hop_state{trunk="lease",next_hop="sbc.example.com",state="down"} 1',
    'sigwall_next_hop_addresses{trunk="lease",next_hop="sbc.example.com"} 0',
    'sigwall_name_stale{next_hop="sbc.example.com"} 1',
    'sigwall_name_lookups_total{next_hop="sbc.example.com",result="failed"} 7',
    'sigwall_failovers_total{trunk="lease",cause="down"} 8',
    'sigwall_failovers_total{trunk="lease",cause="503"} 9',
    'sigwall_no_next_hop_up_total{trunk="lease"} 10',
    'sigwall_table_full_total{table="failovers"} 11',
    'sigwall_policy_info{revision="one"} 1',
    'sigwall_list_numbers{list="own"} 100',
    'sigwall_evidence_lost_total{cause="memory"} 1',
    'sigwall_evidence_lost_total{cause="budget"} 2',
    'sigwall_evidence_lost_total{cause="disk"} 3',
    'sigwall_evidence_lost_total{cause="late"} 4',
    'sigwall_peer_checkpoints_total{result="kept"} 5',
    "sigwall_call_thread_turn_seconds 0.25",
    "sigwall_log_lost_total 12",
    'sigwall_calls{trunk="lease",state="setup"} 2',
    'sigwall_calls{trunk="lease",state="answered"} 5',
    'sigwall_calls{trunk="core",state="setup"} 0',
    'sigwall_channels{trunk="lease"} 5',
    'sigwall_build_info{version="0.2.0",node="gw-a"} 1',
    "sigwall_state_folder_ok 0",
    "sigwall_records_ok 0",
    "sigwall_records_lost_total 7",
    "sigwall_records_bytes 4096",
    'sigwall_call_snapshots_total{result="written"} 4',
    'sigwall_call_snapshots_total{result="failed"} 1',
    "sigwall_unknown_source_messages_total 0",
  ];
  for (const line of lines) t.ok(first.includes(`\n${line}\n`), line);

  policy = { revision: "two", lists: [{ id: "own", numbers: 7 }] };
  nextHops = [];
  reloads.ok++;
  const second = await metrics.render(taken(), watched);
  t.ok(second.includes('\nsigwall_policy_info{revision="two"} 1\n'));
  t.notOk(second.includes('revision="one"'), "the policy before is gone");
  t.notOk(second.includes("sigwall_next_hop_up{"), "so is its next hop");
  t.ok(second.includes('\nsigwall_config_reload_total{result="ok"} 1\n'));
  t.ok(second.includes(`\n${lines[0]}\n`), "a second scrape counts nothing twice");

  const silent = await metrics.render(undefined, watched);
  t.same(
    silent.split("\n").filter((line) => /^(?:sigwall|nodejs_(?!version))/.test(line)),
    ["sigwall_call_thread_turn_seconds 0.25", "sigwall_log_lost_total 12"],
    "a call thread that does not answer: nothing stale, nothing of another thread",
  );
  t.match(silent, /\nprocess_cpu_seconds_total \d/, "the process is measured all the same");
});
