import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { createLogSink } from "../../src/app/admin/log-sink.ts";
import { createReports } from "../../src/app/log-reports.ts";
import type { Reports } from "../../src/app/log-reports.ts";
import type { ConfigIssue } from "../../src/config/yaml/issue.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createLog } from "../../src/observe/log.ts";
import { createLogWriter } from "../../src/observe/log-writer.ts";
import type { OverloadStage } from "../../src/judging/overload.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import type { ScreeningState } from "../../src/screening/state.ts";
import { decidedOf } from "../observe/decision.ts";

/** The messages that reach the log until it is closed. */
async function messages(
  refusalsPerSecond: number,
  report: (reports: Reports, state: ScreeningState, counters: Counters) => void,
  stage: () => OverloadStage = () => 0,
): Promise<readonly unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-reports-"));
  const fd = openSync(join(folder, "log"), "w");
  const writer = createLogWriter("info", undefined, (lossLine) => createLogSink(fd, lossLine));
  const log = createLog("info", Date.now, writer.write);
  const state = createScreeningState({ callers: 1, recentCalls: 1, subjects: 64 });
  const counters = createCounters();
  const reports = createReports({ log, refusalsPerSecond, state, counters, stage });
  report(reports, state, counters);
  reports.close();
  await new Promise<void>(writer.close);
  const lines = readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
  rmSync(folder, { recursive: true });
  return lines.map((line): unknown => JSON.parse(line));
}

void t.test(
  "reports: refusals up to the limit, the rest as one number; accepted calls not at all",
  async (t) => {
    const found = await messages(2, ({ happened }) => {
      happened(
        decidedOf(
          { verdict: { kind: "accept", reason: "listed" }, rule: "default" },
          { kind: "forwarded", hop: "udp:192.0.2.9:5060" },
        ),
      );
      for (let call = 0; call < 1236; call++) happened(decidedOf({}));
    });
    t.match(found, [
      { msg: "call refused", reason: "cli-not-listed" },
      { msg: "call refused" },
      { msg: "… 1,234 more refusals in the last second" },
    ]);
    t.equal(found.length, 3);
  },
);

void t.test(
  "reports: other requests that were refused, and calls and requests that were shed as one number each",
  async (t) => {
    const { decision, action } = decidedOf({});
    const found = await messages(50, ({ happened }) => {
      const request = { kind: "request", trunk: "lease", at: 0, reason: "cli-not-listed", action } as const;
      happened({ ...request, call: undefined, method: "MESSAGE", decision });
      happened({ ...request, call: { id: "gw-1-7", trunk: "lease" }, method: "INVITE", decision });
      // Refused before any rule was asked: nobody's number was read.
      happened({ ...request, call: undefined, method: "BYE", decision, refusedAs: "kind" });
      happened({
        kind: "shed",
        trunk: "lease",
        reason: "overload",
        status: 503,
        count: 187,
        from: 0,
        to: 1000,
      });
      const shed = { kind: "shed", of: "requests", trunk: "lease", from: 0, to: 1000 } as const;
      happened({ ...shed, reason: "dialog-unknown", status: 481, count: 7 });
    });
    t.match(found, [
      { msg: "… 187 more refusals in the last second" },
      { msg: "request refused", method: "MESSAGE", reason: "cli-not-listed", id: undefined },
      { msg: "request refused", method: "INVITE", id: "gw-1-7", called: /./ },
      { msg: "request refused", method: "BYE", caller: undefined, called: undefined },
      { msg: "… 7 more refused requests in the last second" },
    ]);
    t.equal(found.length, 5);
  },
);

void t.test("reports: a flood of other requests takes no line of a refused call", async (t) => {
  const { decision, action } = decidedOf({});
  const found = await messages(2, ({ happened }) => {
    const request = { kind: "request", trunk: "lease", at: 0, reason: "dialog-unknown", action } as const;
    for (let count = 0; count < 100; count++)
      happened({ ...request, call: undefined, method: "BYE", decision, refusedAs: "kind" });
    happened(decidedOf({}));
  });
  t.match(found, [
    { msg: "call refused" },
    { msg: "request refused" },
    { msg: "request refused" },
    { msg: "… 98 more refused requests in the last second" },
  ]);
  t.equal(found.length, 4);
});

void t.test("reports: a rule that failed is told with its stack, and once", async (t) => {
  const found = await messages(2, (reports, state) => {
    state.lastFault = { rule: "call-rate", error: new Error("unforeseen") };
    reports.fault(new Error("at the edge"));
  });
  t.match(found, [{ stack: /^Error: at the edge\n/ }, { stack: /^Error: unforeseen\n/ }]);
  t.equal(found.length, 2);
});

/** An issue about a number in a list. */
function issueAt(line: number): ConfigIssue {
  return {
    severity: "error",
    file: "lists/own.csv",
    line,
    column: 1,
    path: "number",
    message: 'not a number: "+861087654321x"',
  };
}

void t.test("reports: a reload tells its first issues, without numbers", async (t) => {
  const outcome = { result: "failed", revision: "9f2c", previous: "9f2c" } as const;
  const found = await messages(2, ({ reloaded }) => {
    reloaded({ ...outcome, issues: Array.from({ length: 1000 }, (_, index) => issueAt(index + 2)) }, [
      "SIGHUP",
      "SIGHUP",
    ]);
  });
  t.match(found[0], { level: "error", msg: /^reload failed/, revision: "9f2c", cause: ["SIGHUP"] });
  t.match(found[1], { msg: 'lists/own.csv:2:1 number: not a number: "+8610xxxxxxxxx"' });
  t.match(found.at(-1), { msg: "… 980 more issues; sigwall check shows them all" });
  t.equal(found.length, 22);
});

void t.test("reports: unknown sources are told in one line, the busiest first, five at most", async (t) => {
  const found = await messages(1, (_reports, _state, counters) => {
    for (let source = 1; source <= 7; source++) {
      for (let datagram = 0; datagram < source; datagram++) {
        counters.unknownSource++;
        counters.strangers.note(`192.0.2.${source}`);
      }
    }
  });
  const sources = ["192.0.2.7 ×7", "192.0.2.6 ×6", "192.0.2.5 ×5", "192.0.2.4 ×4", "192.0.2.3 ×3"];
  t.match(found, [{ level: "warn", datagrams: 28, sources }]);
});

void t.test("reports: a change of the overload stage is told", async (t) => {
  const found = await messages(
    1,
    () => undefined,
    () => 2,
  );
  t.match(found, [{ level: "warn", stage: 2, msg: /but emergency calls/ }]);
});
