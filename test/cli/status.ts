// `sigwall status`: what is running now, out of the figures of the filter.
import t from "tap";
import { readSamples } from "../../src/cli/asking/metrics-text.ts";
import { readStatus } from "../../src/cli/status.ts";
import { openStage } from "./call-stage.ts";
import { runCommand, startFilter } from "./filter-process.ts";

void t.test("a filter with calls, without any, and none", async (t) => {
  const stage = await openStage(t);
  const { place, placeCall, caller, request } = stage;
  const none = await runCommand(["status", "--config", place.config]);
  t.equal(none.code, 3);
  t.match(none.stderr, /^no filter runs: nobody serves .*admin\.sock\n$/);

  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  await placeCall("a", true);
  await placeCall("b", false);
  caller.send(
    request("INVITE", "c", ["To: <sip:02787654321@127.0.0.1>", "CSeq: 1 INVITE"]).replaceAll(
      "sip:01087654321",
      "sip:95588",
    ),
  );
  await caller.heard("c", "SIP/2.0 403");
  const shown = await runCommand(["status", "--config", place.config]);
  t.equal(shown.code, 0);
  t.match(shown.stdout, /^sigwall \S+, node \S+, up 00:00:\d\d, policy [0-9a-f]{12}\n/);
  t.match(shown.stdout, /^overload {3}no call is shed$/m);
  t.match(shown.stdout, /^lease +active +1 +1 +3 +1 \(33\.3 %\)$/m);
  const json: unknown = JSON.parse((await runCommand(["status", "--json", "--config", place.config])).stdout);
  t.match(json, {
    overload: 0,
    isDraining: false,
    limits: [],
    trunks: [
      { trunk: "core" },
      { trunk: "lease", line: "active", setup: 1, answered: 1, attempts: 3, refused: 1 },
    ],
  });
  t.equal(await filter.stop(), 0);
});

void t.test("figures that need a look are said in words", (t) => {
  const text = `# HELP sigwall_records_ok x
sigwall_records_ok 0
sigwall_table_full_total{table="calls"} 2
sigwall_table_full_total{table="callers"} 1
sigwall_next_hop_state{trunk="lease",next_hop="a \\"b\\" \\\\",state="down"} 1
sigwall_next_hop_state{trunk="lease",next_hop="c",state="up"} 1
sigwall_limit_used_ratio{lessee="bank",limit="lessee bank per lessee 1d"} 0.93
sigwall_findings_total{detector="call-bombing",mode="monitor"} 2
sigwall_findings_total{detector="spread",mode="monitor"} 0
process_start_time_seconds 1000
no sample at all
sigwall_overload_stage NaN
`;
  t.match(readStatus(readSamples(text), 91_500_000), {
    upSeconds: 90_500,
    limits: [{ limit: "lessee bank per lessee 1d", ratio: 0.93 }],
    findings: [{ detector: "call-bombing", mode: "monitor", count: 2 }],
    attention: [
      "record lines can't be written",
      "3 calls that met a full table since the start",
      'next hop a "b" \\ of lease is down',
    ],
  });
  const problem =
    'sigwall_reload_problem_timestamp_seconds{result="failed",cause="policy.yaml:3:1: \\"x\\" is no key"} 1796083200';
  t.match(readStatus(readSamples(problem), 0).reload, {
    result: "failed",
    at: "2026-12-01T00:00:00.000Z",
    cause: 'policy.yaml:3:1: "x" is no key',
  });
  t.equal(readStatus([], 0).reload, undefined);
  t.end();
});
