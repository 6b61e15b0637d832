import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import t from "tap";
import { parse } from "yaml";
import { createCounters } from "../../src/observe/counters.ts";
import { joinFigures, readFigures } from "../../src/observe/figures.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { alerts, dashboard, queries, recordings } from "./queries.ts";

const provisioned = readFileSync("docker/grafana/provisioning/datasources/prometheus.yaml", "utf8");

void t.test(
  "dashboard: every panel has a place of its own, a source that is there, and says what it shows",
  (t) => {
    const { panels } = dashboard;
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, "ids");
    t.match(provisioned, "uid: prometheus\n");
    const taken = new Map<string, string>();
    for (const { title, type, gridPos, targets, datasource } of panels) {
      t.ok(gridPos.x + gridPos.w <= 24, `${title}: inside the page`);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          const other = taken.get(`${x},${y}`);
          if (other !== undefined) t.fail(`${title} lies over ${other}`);
          taken.set(`${x},${y}`, title);
        }
      }
      if (type === "row") continue;
      t.ok(targets.length > 0, `${title}: asks something`);
      for (const source of [datasource, ...targets.map((target) => target.datasource)])
        t.equal(source?.uid, "prometheus", `${title}: its source`);
    }
    t.ok(panels.length > 30);
    t.end();
  },
);

void t.test("dashboard: shows what a NOC asks for", (t) => {
  const text = queries.map(({ where, expr }) => `${where}: ${expr}`).join("\n");
  for (const wanted of [
    /panel ".*": sum by \(verdict\) .*sigwall_attempts_total/,
    /panel ".*": sum by \(reason\) .*sigwall_attempts_total/,
    /panel ".*": sum by \(trunk\) .*sigwall_attempts_total/,
    /panel ".*": .*refusals:ratio/,
    /panel ".*": topk\(10, sum by \(trunk\)/,
    /panel ".*": histogram_quantile\(0.99, .*sigwall_decision_seconds_bucket/,
    /panel ".*": sigwall_next_hop_up/,
    /panel ".*": .*sigwall_config_reload_total/,
    /panel ".*": .*sigwall_unjudged_attempts_total/,
    /panel ".*": .*sigwall_overload_stage/,
    /panel ".*": .*sigwall_drachtio_up/,
    /panel ".*": sum by \(cause\) .*sigwall_tls_refusals_total/,
    /panel ".*": sigwall_certificate_expiry_seconds/,
    /panel ".*": sum by \(trunk, method, result\) .*sigwall_stray_requests_total/,
    /panel ".*": sigwall_next_hop_resting/,
    /panel ".*": .*sigwall_attempts_total\{.*rule="emergency",reason="call-rate-exceeded"\}/,
    /panel ".*": .*sigwall_log_lost_total/,
  ])
    t.match(text, wanted);
  t.end();
});

void t.test("dashboard: the alarms that a panel names are there", (t) => {
  const known = new Set(alerts.map(({ alert }) => alert));
  let named = 0;
  for (const { title, description } of dashboard.panels)
    for (const [alarm] of description.matchAll(/Sigwall[A-Z]\w+/g)) {
      t.ok(known.has(alarm), `${title}: ${alarm}`);
      named++;
    }
  t.ok(named > 3, "they were found");
  t.end();
});

void t.test("queries: name metrics that exist, or figures that are recorded", async (t) => {
  const sources = {
    counters: createCounters(),
    reloads: { ok: 0, failed: 0, refused: 0 },
    sockets: "dgram",
    policy: () => ({ revision: "", lists: [] }),
    tableFull: {},
    ruleFaults: {},
    nextHops: () => [],
    names: () => [],
  };
  const figures = joinFigures(readFigures(sources));
  const rendered = await createMetrics().render(figures, { longestTurn: 0, logLost: 0 });
  const recorded = recordings.map(({ record }) => record);
  let named = 0;
  for (const { where, expr } of queries) {
    for (const [name] of expr.matchAll(
      /\b(?:[a-z_]+:)?(?:sigwall|process|nodejs)_[a-z0-9_]+(?::[a-z0-9_]+)?/g,
    )) {
      const metric = name.replace(/_(?:bucket|sum|count)$/, "");
      t.ok(recorded.includes(name) || rendered.includes(`# TYPE ${metric} `), `${where}: ${name}`);
      named++;
    }
  }
  t.ok(named > 60, "they were found");
});

void t.test("alarms: each has a runbook that is written, a level, and a test of both outcomes", (t) => {
  const page = readFileSync("docs/operations.md", "utf8");
  const headings = [...page.matchAll(/^### (Sigwall\w+)$/gm)].map(([, name = ""]) => name);
  t.same(
    headings.toSorted(),
    alerts.map(({ alert = "" }) => alert).toSorted(),
    "a heading for each, and no other",
  );
  const tests = readFileSync("test/noc/alerts.yaml", "utf8");
  for (const { alert = "", annotations, labels } of alerts) {
    t.equal(annotations?.runbook_url, `file:///opt/sigwall/docs/operations.md#${alert.toLowerCase()}`);
    t.ok(labels, `${alert}: has a level`);
    t.match(
      tests,
      new RegExp(`alertname: ${alert}, eval_time: \\w+, exp_alerts: \\[\\]`),
      `${alert}: stays quiet`,
    );
    t.match(
      tests,
      new RegExp(`alertname: ${alert}\\n +eval_time: \\w+\\n +exp_alerts:\\n`),
      `${alert}: fires`,
    );
  }
  t.match(readFileSync("deploy/systemd/sigwall.service", "utf8"), "file:///opt/sigwall/docs/operations.md");
  t.end();
});

void t.test("alarms and figures: as promtool sees them", (t) => {
  for (const args of [
    ["check", "config", "docker/prometheus.yml"],
    ["check", "rules", "docker/alerts.yml", "docker/recording.yml"],
    ["test", "rules", "test/noc/alerts.yaml"],
  ]) {
    const { error, status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
    if (error === undefined) t.equal(status, 0, `promtool ${args.join(" ")}: ${stdout}${stderr}`);
    else t.pass("promtool", { skip: `not installed: promtool ${args.join(" ")} is left out` });
  }
  t.same(parse(readFileSync("docker/prometheus.yml", "utf8")).rule_files, ["recording.yml", "alerts.yml"]);
  t.end();
});
