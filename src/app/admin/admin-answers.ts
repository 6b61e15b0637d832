// The call thread's answers to the admin thread: readiness, reloads and the figures of scrapes.
import type { Millis } from "../../domain/time.ts";
import type { Endpoint } from "../../net/address.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { FigureSources } from "../../observe/figures.ts";
import type { Log } from "../../observe/log.ts";
import type { Readiness, TurnCounter } from "../threads/call-thread-turns.ts";
import {
  type AdminAccess,
  type FromAdmin,
  PLAIN_ACCESS,
  type ReloadAnswer,
  type ReloadAsked,
  type ToAdmin,
} from "./admin-messages.ts";
import type { LineAnswer, LineRequest } from "../lines/line-request.ts";
import type {
  QuarantineAnswer,
  QuarantinePage,
  QuarantineRequest,
} from "../quarantine/quarantine-request.ts";
import { sliceFigures } from "./figures-slices.ts";
import { createRuntimeProbe } from "./runtime-figures.ts";

/** What the admin address shows and sets off. All of it runs in the call thread. */
export interface AdminParts {
  readonly endpoint: Endpoint;
  /** {@link PLAIN_ACCESS} when left out. */
  readonly access?: AdminAccess;
  readonly figures: FigureSources;
  /** True when a policy is loaded and the engine takes calls. */
  readonly isReady: () => Readiness;
  readonly reload: (asked: ReloadAsked) => Promise<ReloadAnswer>;
  /** Takes an order for a line. It is in force when this returns. Left out: there are no lines. */
  readonly line?: (request: LineRequest) => Promise<LineAnswer>;
  /** Takes orders for the quarantine, and lists it. Left out: there is none. */
  readonly quarantine?: {
    readonly order: (request: QuarantineRequest) => Promise<QuarantineAnswer>;
    readonly list: (from: number) => QuarantinePage;
  };
  readonly fault: (error: unknown) => void;
}

/** The admin address, bound. */
export interface Admin {
  /** `127.0.0.1:9464`, with the port that was bound. */
  readonly address: string;
  /** Tells the admin thread at once whether the engine is ready. Without this call it learns that within 100 ms. */
  readonly noteReadiness: () => void;
  readonly close: () => Promise<void>;
}

/** Time until a restarted thread tries again to bind an address that was refused. Milliseconds. */
const RETRY_AFTER: Millis = 1000;

/**
 * With more sockets than this, handles and resources of the event loop are not counted: that would take longer than 0.5
 * ms.
 */
const MOST_COUNTED_SOCKETS = 2048;

/** The call thread's side of the admin address. The call thread owns everything that the address shows. */
export interface AdminAnswers {
  /** The endpoint with the port that was bound. A restarted thread binds the same one. */
  readonly endpoint: () => Endpoint;
  readonly access: AdminAccess;
  readonly take: (message: FromAdmin) => void;
  /** Notes that the admin thread has ended by itself. */
  readonly ended: (error: unknown) => void;
  readonly fault: (error: unknown) => void;
}

/** What the admin address is opened with. */
export interface AdminOpening {
  /** Sends to the thread that runs now. @returns false when there is none */
  readonly send: (message: ToAdmin) => boolean;
  /** Counts the turns that the thread watches. It is stopped with the address. */
  readonly counter: TurnCounter;
  /** Takes what happens after the start. */
  readonly log: Log;
  /** Called once, when the address is bound for the first time. */
  readonly opened: (admin: Admin) => void;
  /** Called instead when the address can't be bound. */
  readonly refused: (error: unknown) => void;
}

/** Lets the admin thread open its address, and answers its messages to the call thread. */
export function answerAdminThread(
  parts: AdminParts,
  { send, counter, log, opened, refused }: AdminOpening,
): AdminAnswers {
  const { figures: sources, fault } = parts;
  const runtime = createRuntimeProbe();
  const isCrowded = (): boolean => sources.counters.streams.open > MOST_COUNTED_SOCKETS;
  const figures = sliceFigures(
    { ...sources, runtime: () => runtime.read(isCrowded()) },
    (scrape, part, isLast) => send({ kind: "figures", scrape, part, isLast }),
    fault,
  );
  const { access = PLAIN_ACCESS } = parts;
  let { endpoint } = parts;
  let isOpen = false;
  let retry: NodeJS.Timeout | undefined;
  /** How many threads have ended. An answer goes only to the thread that asked. */
  let endings = 0;
  let unlistened: (() => void) | undefined;

  function stop(): void {
    counter.stop();
    runtime.stop();
    figures.stop();
  }

  function listening(bound: Endpoint): void {
    endpoint = bound;
    if (isOpen) log.info("the admin address is open again", { admin: formatEndpoint(bound) });
    else opened({ address: formatEndpoint(bound), noteReadiness: counter.note, close });
    isOpen = true;
  }

  function unbound(error: unknown): void {
    if (isOpen) {
      log.error("the admin address can't be opened again; it is tried every second", { why: String(error) });
      retry = setTimeout(listen, RETRY_AFTER);
    } else {
      stop();
      refused(error);
    }
  }

  const listen = (): void => {
    if (unlistened === undefined) send({ kind: "listen", endpoint, access });
  };

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      unlistened = () => {
        stop();
        resolve();
      };
      if (!send({ kind: "unlisten" })) unlistened();
    });

  /** Sends what an order resolves with to the thread that asked; undefined where it failed, or nobody takes such orders. */
  function answerOrder<Outcome>(
    order: Promise<Outcome> | undefined,
    reply: (outcome: Outcome | undefined) => ToAdmin,
  ): void {
    const asked = endings;
    const answer = (outcome: Outcome | undefined): void => {
      if (asked === endings) send(reply(outcome));
    };
    if (order === undefined) {
      answer(undefined);
      return;
    }
    order.then(answer, (error: unknown) => {
      fault(error);
      answer(undefined);
    });
  }

  function listQuarantine(request: number, from: number): void {
    let page: QuarantinePage | undefined;
    try {
      page = parts.quarantine?.list(from);
    } catch (error) {
      fault(error);
    }
    send({ kind: "quarantineListed", request, page });
  }

  listen();
  return {
    endpoint: () => endpoint,
    access,
    fault,
    ended(error) {
      endings++;
      clearTimeout(retry);
      figures.stop();
      if (!isOpen) unbound(error);
      unlistened?.();
    },
    take(message) {
      if (message.kind === "listening") listening(message.endpoint);
      else if (message.kind === "unbound") unbound(unboundOf(message.message, message.code));
      else if (message.kind === "unlistened") unlistened?.();
      else if (message.kind === "scrape") figures.answer(message.scrape);
      else if (message.kind === "reload") {
        const { request } = message;
        answerOrder(parts.reload(message.asked), (answer) => ({ kind: "reloaded", request, answer }));
      } else if (message.kind === "line") {
        const { request } = message;
        answerOrder(parts.line?.(message.line), (answer) => ({ kind: "lineAnswered", request, answer }));
      } else if (message.kind === "quarantine") {
        const { request } = message;
        answerOrder(parts.quarantine?.order(message.order), (answer) => ({
          kind: "quarantineAnswered",
          request,
          answer,
        }));
      } else if (message.kind === "quarantineList") listQuarantine(message.request, message.from);
      else if (message.kind === "socketRefused")
        log.error("the admin socket can't be opened; orders need it", { why: message.message });
    },
  };
}

function unboundOf(message: string, code: string | undefined): Error {
  return code === undefined ? new Error(message) : Object.assign(new Error(message), { code });
}
