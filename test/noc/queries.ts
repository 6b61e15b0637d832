import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

/** One expression that Prometheus evaluates for people, and where it stands. */
export interface Query {
  readonly where: string;
  /** Variables of Grafana replaced as when everything is shown. */
  readonly expr: string;
  /** Labels that the legend or the summary writes. */
  readonly labels: readonly string[];
}

const panelSchema = z.object({
  id: z.int(),
  title: z.string().min(1),
  description: z.string().default(""),
  type: z.string(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  datasource: z.object({ uid: z.string() }).optional(),
  targets: z
    .array(
      z.object({ expr: z.string(), legendFormat: z.string(), datasource: z.object({ uid: z.string() }) }),
    )
    .default([]),
});

const dashboardSchema = z.object({
  uid: z.string(),
  title: z.string(),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string() })) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(panelSchema),
});

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          record: z.string().optional(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(["critical", "warning"]) }).optional(),
          annotations: z.object({ summary: z.string(), runbook_url: z.string() }).optional(),
        }),
      ),
    }),
  ),
});

export const dashboard = dashboardSchema.parse(
  JSON.parse(readFileSync("docker/grafana/dashboards/sigwall.json", "utf8")),
);

function readRules(file: string): z.output<typeof rulesSchema>["groups"][number]["rules"] {
  return rulesSchema.parse(parse(readFileSync(file, "utf8"))).groups.flatMap(({ rules }) => rules);
}

export const alerts = readRules("docker/alerts.yml");
export const recordings = readRules("docker/recording.yml");

const comparison = / (==|!=|<=|>=|<|>) /g;

/** Has a comparison answer 0 or 1 for every series, so that a rule that does not fire still shows that it looks at something. */
function asTruth(expr: string): string {
  return expr.replaceAll(comparison, " $1 bool ");
}

function fillVariables(expr: string): string {
  return expr
    .replaceAll("$__rate_interval", "1m")
    .replaceAll("$__range", "1h")
    .replaceAll(/\$(?:instance|trunk)\b/g, ".*");
}

function namedLabels(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, label = ""]) => label);
}

/** Everything that the dashboard, the alarms and the recorded figures ask. */
export const queries: readonly Query[] = [
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr, legendFormat }) => ({
      where: `panel "${title}"`,
      expr: fillVariables(expr),
      labels: namedLabels(legendFormat, /\{\{([a-z_]+)\}\}/g),
    })),
  ),
  ...alerts.map(({ alert, expr, annotations }) => ({
    where: `alarm ${alert}`,
    expr: asTruth(expr),
    labels: namedLabels(annotations?.summary ?? "", /\$labels\.([a-z_]+)/g),
  })),
  ...recordings.flatMap(({ record, expr }) => [
    { where: `figure ${record}`, expr, labels: [] },
    { where: `recorded ${record}`, expr: record ?? "", labels: [] },
  ]),
];
