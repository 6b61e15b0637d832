// The body of the admin thread: serves the admin address, renders the metrics and writes the log.
import { peopleClock } from "./people-clock.ts";
import { performance } from "node:perf_hooks";
import type { MessagePort } from "node:worker_threads";
import type { Endpoint } from "../../net/address.ts";
import type { LineAnswer } from "../lines/line-request.ts";
import type { QuarantineAnswer, QuarantinePage, QuarantineRow } from "../quarantine/quarantine-request.ts";
import { createLogWriter } from "../../observe/log-writer.ts";
import { createMetrics } from "../../observe/metrics.ts";
import { LOOK_INTERVAL, type Readiness, type TurnWatch, watchTurns } from "../threads/call-thread-turns.ts";
import {
  type AdminAccess,
  type AdminThreadData,
  CLOSED,
  type FromAdmin,
  type ReloadAnswer,
  TAKEN,
  type ToAdmin,
} from "./admin-messages.ts";
import { createLogSink } from "./log-sink.ts";
import { type AdminServer, openAdminServer } from "./admin-server.ts";
import type { Reply } from "./reply.ts";
import { createFiguresGathering } from "./figures-gathering.ts";
import { createWaiting } from "./waiting-requests.ts";

const json = "application/json; charset=utf-8";

/** Serves until the call thread says `close`. */
export function serveAdmin(port: MessagePort, { log, turns, progress }: AdminThreadData): void {
  const send = (message: FromAdmin): void => port.postMessage(message, []);
  const fault = (error: unknown): void =>
    send({ kind: "fault", stack: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  const writer = createLogWriter(log.level, peopleClock(log.timeZone), (lossLine) =>
    createLogSink(log.fd, lossLine),
  );
  const metrics = createMetrics();
  const figures = createFiguresGathering((scrape) => send({ kind: "scrape", scrape }));
  const reloads = createWaiting<ReloadAnswer>();
  const lines = createWaiting<LineAnswer>();
  const orders = createWaiting<QuarantineAnswer>();
  const pages = createWaiting<QuarantinePage>();
  let server: AdminServer | undefined;
  let looking: NodeJS.Timeout | undefined;

  async function renderMetrics(watch: TurnWatch): Promise<Reply> {
    watch.look(performance.now());
    const gathered = watch.isStuck() ? "silent" : await figures.gather();
    if (gathered === "failed") return FAULT;
    const found = gathered === "silent" ? undefined : gathered;
    watch.look(performance.now());
    const watched = { longestTurn: watch.longest() / 1000, logLost: writer.lost() };
    const text = await metrics.render(found, watched);
    const note = found === undefined ? `# ${describeAge(watch)}: its figures are left out\n` : "";
    return { status: 200, body: note + text, type: metrics.contentType };
  }

  /** Scrapes that come while one is answered share its answer, so that a flood of them leaves time for other pages. */
  let rendering: Promise<Reply> | undefined;
  const scrape = (watch: TurnWatch): Promise<Reply> =>
    (rendering ??= renderMetrics(watch).finally(() => (rendering = undefined)));

  /** The call thread makes the list in parts, and carries calls in between. */
  async function listQuarantine(): Promise<Reply> {
    const rows: QuarantineRow[] = [];
    for (let next: number | undefined = 0; next !== undefined;) {
      const from: number = next;
      const page = await pages.ask((request) => send({ kind: "quarantineList", request, from }));
      if (page === undefined) return FAULT;
      rows.push(...page.rows);
      next = page.next;
    }
    return { status: 200, body: `${JSON.stringify({ rows })}\n`, type: json };
  }

  async function listen(endpoint: Endpoint, access: AdminAccess): Promise<void> {
    // The call thread has begun to count its turns.
    const watch = watchTurns(turns, performance.now());
    const whileTurning = (reply: () => Reply) => (): Reply => {
      watch.look(performance.now());
      return watch.isStuck() ? { status: 503, body: `${describeAge(watch)}\n` } : reply();
    };
    try {
      server = await openAdminServer({
        endpoint,
        access,
        metrics: () => scrape(watch),
        health: whileTurning(() => ({ status: 200, body: "alive\n" })),
        readiness: whileTurning(() => answerReadiness(watch.readiness())),
        reload: async (asked) =>
          answerReload(await reloads.ask((request) => send({ kind: "reload", request, asked }))),
        line: async (line) => answerLine(await lines.ask((request) => send({ kind: "line", request, line }))),
        quarantine: {
          order: async (order) =>
            answerQuarantine(await orders.ask((request) => send({ kind: "quarantine", request, order }))),
          list: listQuarantine,
        },
        socketRefused: (message) => send({ kind: "socketRefused", message }),
        fault,
      });
    } catch (error) {
      send(describeUnbound(error));
      return;
    }
    looking = setInterval(() => watch.look(performance.now()), LOOK_INTERVAL);
    send({ kind: "listening", endpoint: server.endpoint });
  }

  function unlisten(done: () => void): void {
    clearInterval(looking);
    if (server === undefined) done();
    else server.close(done);
    server = undefined;
  }

  port.on("message", (message: ToAdmin) => {
    switch (message.kind) {
      case "log":
        writer.lose(message.lost, "too many at a time");
        for (const entry of message.entries) writer.write(entry);
        Atomics.add(progress, TAKEN, message.entries.length);
        break;
      case "listen":
        void listen(message.endpoint, message.access);
        break;
      case "figures":
        figures.take(message.scrape, message.part, message.isLast);
        break;
      case "reloaded":
        reloads.take(message.request, message.answer);
        break;
      case "lineAnswered":
        lines.take(message.request, message.answer);
        break;
      case "quarantineAnswered":
        orders.take(message.request, message.answer);
        break;
      case "quarantineListed":
        pages.take(message.request, message.page);
        break;
      case "unlisten":
        unlisten(() => send({ kind: "unlistened" }));
        break;
      case "close":
        unlisten(() => undefined);
        writer.close(() => {
          Atomics.store(progress, CLOSED, 1);
          Atomics.notify(progress, CLOSED);
          send({ kind: "closed" });
        });
        break;
    }
  });
}

/** `the call thread has not turned for 2.4 s`. */
function describeAge(watch: TurnWatch): string {
  return `the call thread has not turned for ${(watch.age() / 1000).toFixed(1)} s`;
}

/** An error of the operating system loses its code on the way to another thread. */
function describeUnbound(error: unknown): FromAdmin {
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { kind: "unbound", message: error instanceof Error ? error.message : String(error), code };
}

function answerReadiness(readiness: Readiness): Reply {
  if (readiness === true) return { status: 200, body: "ready\n" };
  const why =
    readiness === "lags" ? ": the policy is not that of the other nodes; sigwall status names it" : "";
  return { status: 503, body: `not ready${why}\n` };
}

const reloadStatus = { ok: 200, failed: 422, refused: 409 } as const;

function answerReload(answer: ReloadAnswer | undefined): Reply {
  if (answer === undefined) return FAULT;
  return { status: reloadStatus[answer.result], body: `${JSON.stringify(answer)}\n`, type: json };
}

function answerLine(answer: LineAnswer | undefined): Reply {
  if (answer === undefined) return FAULT;
  return answer.result === "taken"
    ? { status: 200, body: `${JSON.stringify(answer.taken)}\n`, type: json }
    : { status: answer.status, body: `${JSON.stringify({ error: answer.message })}\n`, type: json };
}

function answerQuarantine(answer: QuarantineAnswer | undefined): Reply {
  if (answer === undefined) return FAULT;
  const { result, ...others } = answer;
  return result === "taken"
    ? { status: 200, body: `${JSON.stringify(others)}\n`, type: json }
    : { status: answer.status, body: `${JSON.stringify({ error: answer.message })}\n`, type: json };
}

const FAULT: Reply = { status: 500, body: "internal fault; see the log\n" };
