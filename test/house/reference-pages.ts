import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { reasonCodes, reasons } from "../../src/domain/reason.ts";
import { ruleIds } from "../../src/domain/rule-id.ts";
import {
  countDecision,
  countProtocolError,
  countRefusal,
  createCounters,
} from "../../src/observe/counters.ts";
import { joinFigures, readFigures } from "../../src/observe/figures.ts";
import { noCalls, noFigures, noOrders } from "../../src/observe/cluster/cluster-figures.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { rules } from "../../src/screening/chain/rule-order.ts";
import { decisionOf } from "../observe/decision.ts";

/** The cells of every row of every table in a page. */
function tableRows(page: string): readonly (readonly string[])[] {
  return readFileSync(page, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("|") && !line.startsWith("|-"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

function quote(name: string): string {
  return `\`${name}\``;
}

void t.test("docs/reasons.md is the reason table", (t) => {
  const expected = reasonCodes.map((code) => {
    const row: { readonly status?: number; readonly cause?: number; readonly when: string } = reasons[code];
    const by = rules.filter((rule) => rule.reasons.includes(code)).map(({ id }) => quote(id));
    return [quote(code), String(row.status ?? "–"), String(row.cause ?? "–"), by.join(", ") || "–", row.when];
  });
  const [, ...rows] = tableRows("docs/reasons.md");
  t.same(rows, expected);
  t.end();
});

/** No capture shows them as long as `replay` does not follow calls to their end: it counts no channels and finds nothing. */
const withoutCase: ReadonlySet<string> = new Set(["channels-exceeded", "quarantined"]);

void t.test("every reason of every rule has a capture case", (t) => {
  const cases = readdirSync("pcaps/verify", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("case.yaml"))
    .map((path) => readFileSync(`pcaps/verify/${path}`, "utf8"))
    .join("\n");
  const shown = rules.flatMap((rule) => rule.reasons).filter((code) => !withoutCase.has(code));
  for (const code of shown) t.match(cases, new RegExp(`reason: ${code}\\b`), code);
  t.end();
});

void t.test("README.md names the rules that run, in their order", (t) => {
  const text = readFileSync("README.md", "utf8").replaceAll("\n", " ");
  const running = ruleIds.filter((id) => rules.some((rule) => rule.id === id));
  t.match(
    text,
    `Rules run in this order, and the order can't be configured: ${running.map(quote).join(", ")}.`,
  );
  t.end();
});

/** Every label that a metric of ours may have: names with few values, known before the first call. */
const boundedLabels = new Set([
  "listener",
  "trunk",
  "method",
  "verdict",
  "reason",
  "rule",
  "mode",
  "status",
  "table",
  "next_hop",
  "report",
  "server",
  "state",
  "cause",
  "kind",
  "result",
  "revision",
  "version",
  "node",
  "list",
  "lessee",
  "limit",
  "report",
  "detector",
  "le",
]);

async function renderEverything(): Promise<string> {
  const counters = createCounters();
  countDecision(counters, decisionOf({}));
  countProtocolError(counters, "lease", 483);
  countRefusal(counters, "lease", "MESSAGE", "method-not-allowed");
  const figures = readFigures({
    counters,
    reloads: { ok: 0, failed: 0, refused: 0 },
    reloadProblem: () => ({ result: "failed", at: 1, cause: "policy.yaml:1:1: broken" }) as const,
    sockets: "dgram",
    policy: () => ({
      revision: "0123456789ab",
      lists: [{ id: "own", numbers: 100 }],
    }),
    nextHops: () => [{ trunk: "lease", id: "sbc.example.com", state: "up", addresses: 2 }],
    names: () => [{ id: "sbc.example.com", isStale: false, found: 1, failed: 0 }],
    health: () => ({ stage: 0, isDraining: false, load: { busy: 0, late: 0 } }),
    links: () => [{ id: "127.0.0.1:9022", isUp: true }],
    calls: () => new Map([["lease", { setup: 1, answered: 1 }]]),
    build: { version: "0.2.0", node: "gw-a" },
    certificates: () => [{ listener: "tls:192.0.2.1:5061", seconds: 86_400 }],
    lines: () => [["lease", "active"]],
    areLinesKept: () => true,
    limits: () => [{ lessee: "bank", limit: "lessee bank per lessee 1d", ratio: 0.9 }],
    stateFolder: () => ({ isOk: true, written: 1, failed: 0 }),
    listsDiffering: () => 0,
    records: () => ({
      isOk: true,
      lost: 0,
      bytes: 0,
      evidence: { isOk: true, full: 0, beyond: 0, disk: 0, late: 0, peers: { kept: 0 } },
    }),
    detection: () => ({
      told: [{ detector: "spread", mode: "monitor", count: 0 }],
      inForce: [{ detector: "spread", count: 0 }],
      full: 0,
    }),
    quarantine: () => ({ held: [{ detector: "one-ring", count: 1 }], full: 0, isKept: true }),
    seals: () => ({ ok: 1, failed: 0 }),
    cluster: () => ({
      ...noFigures,
      calls: noCalls,
      orders: noOrders,
      peers: [
        { node: "gw-b", epoch: 1, isUp: true, revision: "0123456789ab", isReady: true, delay: 0, offset: 0 },
      ],
    }),
    tableFull: { callers: 0, recentCalls: 0, subjects: 0 },
    ruleFaults: Object.fromEntries(ruleIds.map((id) => [id, 0])),
  });
  return createMetrics().render(joinFigures(figures), { longestTurn: 0, logLost: 0 });
}

void t.test(
  "metrics: named as Prometheus asks, with bounded labels, and each in docs/operations.md",
  async (t) => {
    const lines = (await renderEverything()).split("\n");
    const types = new Map(
      lines
        .filter((line) => line.startsWith("# TYPE "))
        .map((line) => [line.split(" ")[2] ?? "", line.split(" ")[3] ?? ""]),
    );
    for (const [name, type] of types) {
      t.match(name, /^(?:sigwall|process|nodejs)_[a-z0-9]+(?:_[a-z0-9]+)*$/, name);
      t.equal(name.endsWith("_total"), type === "counter", `${name}: counters alone end in _total`);
    }
    for (const help of lines.filter((line) => line.startsWith("# HELP sigwall_")))
      t.match(help, /^# HELP \S+ \S.*\.$/);

    const labels = new Map<string, Set<string>>();
    for (const line of lines.filter((text) => text.startsWith("sigwall_"))) {
      const name = line.slice(0, line.search(/[{ ]/)).replace(/_(?:bucket|sum|count)$/, "");
      const names = [...line.matchAll(/[{,]([a-z_]+)="/g)].map((match) => match[1] ?? "");
      t.ok(
        names.every((label) => boundedLabels.has(label)),
        line,
      );
      labels.set(name, new Set([...(labels.get(name) ?? []), ...names.filter((label) => label !== "le")]));
    }
    const documented = tableRows("docs/operations.md").filter(
      ([name]) => name?.startsWith("`sigwall_") === true,
    );
    t.same(
      documented.map(([name, columns]) => `${name} ${columns}`).toSorted(),
      [...labels].map(([name, names]) => `${quote(name)} ${[...names].map(quote).join(", ")}`).toSorted(),
    );
    const ours = [...types.keys()].filter((name) => name.startsWith("sigwall_"));
    t.same(ours.toSorted(), [...labels.keys()].toSorted(), "every metric has a series from the start");
  },
);
