// Turns what happens in the running filter into log lines, at most so many a second.
import { performance } from "node:perf_hooks";
import { formatIssue } from "../config/yaml/issue.ts";
import type { CallEvent } from "../domain/call.ts";
import type { Counters } from "../observe/counters.ts";
import {
  describeRefusal,
  isRefusal,
  judgementOf,
  type Judgement,
  printable,
} from "../observe/decision-log.ts";
import type { ReloadProblem } from "../observe/figures.ts";
import { createLimitedQueue } from "../observe/limited-queue.ts";
import type { Log } from "../observe/log.ts";
import { redactText } from "../observe/redact.ts";
import type { OverloadStage } from "../judging/overload.ts";
import type { UnjudgedCall } from "../delegated/reported-calls.ts";
import type { ScreeningState } from "../screening/state.ts";
import type { RefusedTls } from "../engines/engine.ts";
import { isFields, textsIn } from "../records/lines/line-fields.ts";
import type { ReloadOutcome } from "./reload.ts";

/** What the running filter tells its log. */
export interface Reports {
  /** Takes an event of a call. Runs on the path of calls. */
  readonly happened: (event: CallEvent) => void;
  /** Takes an error of the filter. Runs on the path of calls. */
  readonly fault: (error: unknown) => void;
  /** Takes the new state of a next hop ("udp:192.0.2.1:5060"). */
  readonly nextHopChanged: (key: string, state: string, why: string) => void;
  /** Takes the failure of the look-ups of a name; `error` undefined: they work again. */
  readonly nameChanged: (id: string, error: string | undefined) => void;
  /** Takes the state of the link to a server that carries the calls. */
  readonly linkChanged: (server: string, isUp: boolean, why: string) => void;
  /** Takes a call that was carried without a decision. */
  readonly unjudged: (call: UnjudgedCall) => void;
  /** Takes a TLS connection that came to nothing. Any peer may cause it. */
  readonly tlsRefused: (refusal: RefusedTls) => void;
  readonly reloaded: (outcome: ReloadOutcome, causes: readonly string[]) => void;
  /** The last reload, where it failed or was refused. */
  readonly reloadProblem: () => ReloadProblem | undefined;
  /** Writes the entries that wait. Nothing is written afterwards. */
  readonly close: () => void;
}

/** What the reports are made of. */
export interface ReportsParts {
  readonly log: Log;
  /** At most this many refused calls get a line in a second, and as many other requests. */
  readonly refusalsPerSecond: number;
  readonly state: ScreeningState;
  readonly counters: Counters;
  /** The stage of the overload now. */
  readonly stage: () => OverloadStage;
}

/** At most this many stacks of our own faults are written in a second. */
const faultsPerSecond = 5;

/** At most this many TLS connections that came to nothing get a line in a second. */
const tlsRefusalsPerSecond = 2;

/** At most this many issues of one reload are written. `check` shows them all. */
const mostIssues = 20;

/** Longest time that a refusal waits for its line. Milliseconds. */
const flushInterval = 100;

/** Time between two lines about sources that no trunk matches. Milliseconds. */
const strangersInterval = 10_000;
/** At most this many sources in one line. */
const mostStrangers = 5;

/**
 * Makes the reports. They write to the log off the path of calls, and a bounded number of lines a second. Failures of
 * rules come from `state`, which keeps only the newest one; the metrics count all.
 */
export function createReports({ log, refusalsPerSecond, state, counters, stage }: ReportsParts): Reports {
  let problem: ReloadProblem | undefined;
  const tellStrangers = createStrangerReport(log, counters);
  const tellStrays = createStrayReport(log, counters);
  const tellOverload = createOverloadReport(log, stage);
  let known = state.lastFault;
  const refusals = createLimitedQueue<Judgement>(refusalsPerSecond, {
    write: (judged) => log.refused(describeRefusal(judged)),
    omitted: (count) => log.omitted("refusals", count),
  });
  // A flood of other requests hides no refused call.
  const otherRefusals = createLimitedQueue<Judgement>(refusalsPerSecond, {
    write: (judged) => log.refused(describeRefusal(judged)),
    omitted: (count) => log.omitted("refused requests", count),
  });
  const faults = createLimitedQueue<unknown>(faultsPerSecond, {
    write: log.fault,
    omitted: (count) => log.omitted("faults", count),
  });
  const unjudged = createLimitedQueue<UnjudgedCall>(refusalsPerSecond, {
    write: ({ report, callId, sentBy }) =>
      log.error("a call was carried that nobody judged", { report, callId: redactText(callId), sentBy }),
    omitted: (count) => log.omitted("unjudged calls", count),
  });
  const tlsRefusals = createLimitedQueue<RefusedTls>(tlsRefusalsPerSecond, {
    write: ({ listener, peer, cause, why }) =>
      log.warn("TLS connection refused", { listener, peer, cause, why: redactText(printable(why)) }),
    omitted: (count) => log.omitted("TLS refusals", count),
  });
  const flush = (): void => {
    const now = performance.now();
    if (state.lastFault !== known) {
      known = state.lastFault;
      faults.push(known?.error);
    }
    refusals.flush(now);
    otherRefusals.flush(now);
    faults.flush(now);
    tellStrangers(now);
    tellStrays(now);
    tellOverload();
    unjudged.flush(now);
    tlsRefusals.flush(now);
  };
  const timer = setInterval(flush, flushInterval);
  return {
    happened(event) {
      if (event.kind === "shed") (event.of === "requests" ? otherRefusals : refusals).omit(event.count);
      const judged = judgementOf(event);
      if (judged !== undefined && isRefusal(judged))
        (judged.method === undefined ? refusals : otherRefusals).push(judged);
    },
    fault: faults.push,
    nextHopChanged: (key, turned, why) =>
      (turned === "down" ? log.warn : log.info)(`next hop is ${turned}`, { nextHop: key, why }),
    nameChanged: (id, error) => {
      if (error === undefined) log.info("DNS answers again", { nextHop: id });
      else log.warn("DNS gives no answer; the last addresses stay in use", { nextHop: id, error });
    },
    linkChanged: (server, isUp, why) => {
      if (isUp) log.info("drachtio server is connected", { server, sip: why });
      else log.warn("drachtio server is not connected: it answers new calls 503", { server, why });
    },
    unjudged: unjudged.push,
    tlsRefused: tlsRefusals.push,
    reloaded(outcome, causes) {
      problem = problemOf(outcome);
      reportReload(log, outcome, causes);
    },
    reloadProblem: () => problem,
    close() {
      clearInterval(timer);
      flush();
    },
  };
}

const stageWords = [
  "overload is over: every new call is judged",
  "overload: new calls of trunks above their fair share are shed in part",
  "overload: all new calls but emergency calls are shed",
  "overload: emergency calls are shed too",
] as const;

/** Logs every change of the overload stage. */
function createOverloadReport(log: Log, stage: () => OverloadStage): () => void {
  let known: OverloadStage = 0;
  return () => {
    const current = stage();
    if (current === known) return;
    known = current;
    log.warn(stageWords[current], { stage: current });
  };
}

/**
 * Logs the first source that no trunk matches at once. Later ones share a line every {@link strangersInterval}, with
 * the busiest sources only.
 */
function createStrangerReport(log: Log, counters: Counters): (now: number) => void {
  let told = counters.unknownSource;
  let next = 0;
  return (now) => {
    const dropped = counters.unknownSource - told;
    if (dropped === 0 || now < next) return;
    told = counters.unknownSource;
    next = now + strangersInterval;
    const sources = counters.strangers.take(mostStrangers);
    log.warn("dropped unread: no trunk matches the source", { datagrams: dropped, sources });
  };
}

/** Logs responses that nobody asked for, as {@link createStrangerReport} logs sources. */
function createStrayReport(log: Log, counters: Counters): (now: number) => void {
  let told = counters.strayResponses;
  let next = 0;
  return (now) => {
    const dropped = counters.strayResponses - told;
    if (dropped === 0 || (now < next && now >= next - strangersInterval)) return;
    told = counters.strayResponses;
    next = now + strangersInterval;
    const from = counters.strays.take(mostStrangers);
    log.warn("dropped responses that answer no request of ours to that peer", { responses: dropped, from });
  };
}

/** Longest cause that is kept. Characters. */
const MOST_CAUSE = 300;

function problemOf({ result, issues }: ReloadOutcome): ReloadProblem | undefined {
  if (result === "ok") return undefined;
  const issue = issues.find(({ severity }) => severity === "error") ?? issues[0];
  const cause = issue === undefined ? "see the log" : redactText(formatIssue(issue)).slice(0, MOST_CAUSE);
  return { result, at: Date.now(), cause };
}

/** The way in which most verdicts would change: whom it concerns, and a call to look at. */
function largestOf(changes: readonly unknown[]): Readonly<Record<string, unknown>> {
  const [change] = changes;
  if (!isFields(change)) return {};
  const { trunk, lessee, before, after, rule, count, ids } = change;
  return { largest: { trunk, lessee, before, after, rule, count, id: textsIn(ids)[0] } };
}

function reportReload(log: Log, outcome: ReloadOutcome, causes: readonly string[]): void {
  const { result, revision, previous, issues, rehearsal } = outcome;
  const found =
    rehearsal === undefined
      ? {}
      : { rehearsed: rehearsal.attempts, changed: rehearsal.changed, maxChanges: rehearsal.maxChanges };
  const fields = { revision, previous, cause: [...new Set(causes)], ...found };
  const write = result === "ok" ? log.warn : log.error;
  if (result === "refused")
    log.error("reload refused by its bound, the policy before it stays in force", {
      ...fields,
      ...largestOf(rehearsal?.changes ?? []),
    });
  else if (result === "failed") log.error("reload failed, the policy before it stays in force", fields);
  else log.info(revision === previous ? "policy reloaded, nothing changed" : "policy reloaded", fields);
  // Messages about lists quote numbers, so digits are masked. File and line are enough to find them.
  for (const issue of issues.slice(0, mostIssues)) write(redactText(formatIssue(issue)));
  if (issues.length > mostIssues)
    write(`… ${issues.length - mostIssues} more issues; sigwall check shows them all`);
}
