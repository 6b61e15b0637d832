// Keeps the link to one drachtio server up: connects, pings, and connects again.
import { formatEndpoint } from "../../net/endpoint.ts";
import type { Millis } from "../../domain/time.ts";
import type { DrachtioLink, DrachtioLinkHandlers, OpenDrachtioLink, SipResponse } from "./drachtio-link.ts";
import type { DrachtioServer } from "./place.ts";

/** Times of a link. Milliseconds. */
export const LinkTime = {
  /** Between two pings. */
  ping: 2000,
  /** How long the server may take to obey an order or to answer a ping; after that the link is given up. */
  deadline: 2000,
  /** How long an attempt to connect may take. */
  connect: 5000,
  firstDelay: 250,
  longestDelay: 5000,
} as const;

export interface ServerHandlers extends Pick<DrachtioLinkHandlers, "request" | "reported" | "fault"> {
  /** The link came up, or went down, or a first attempt to make it failed; `why` in words. */
  readonly changed: (isUp: boolean, why: string) => void;
}

/** Keeps the link to one server up. Time comes by `tick`. */
export interface ServerLink {
  readonly id: string;
  readonly isUp: boolean;
  tick(now: Millis): void;
  answer(now: Millis, response: SipResponse, status: number, fields: Readonly<Record<string, string>>): void;
  proxy(...order: Parameters<DrachtioLink["proxy"]>): void;
  /** Takes no more requests, and closes when none will come. Resolves then, or after {@link LinkTime.deadline}. */
  close(): Promise<void>;
}

/** The delay before attempt number `failures` + 1: it doubles, up to {@link LinkTime.longestDelay}. */
function delayAfter(failures: number): Millis {
  return Math.min(LinkTime.firstDelay * 2 ** Math.min(failures, 16), LinkTime.longestDelay);
}

export function createServerLink(
  server: DrachtioServer,
  withReports: boolean,
  openLink: OpenDrachtioLink,
  handlers: ServerHandlers,
): ServerLink {
  const id = formatEndpoint({ address: server.host, port: server.port });
  let link: DrachtioLink | undefined;
  let isUp = false;
  let isClosed = false;
  let wasToldDown = false;
  let failures = 0;
  let nextAttempt = 0;
  let attemptedAt = 0;
  let nextPing = 0;
  /** When the oldest order that the server hasn't confirmed was given; undefined: none is open. */
  let waitingSince: Millis | undefined;
  let waiting = 0;

  function open(now: Millis): void {
    attemptedAt = now;
    waiting = 0;
    waitingSince = undefined;
    const opened: DrachtioLink = openLink(server, withReports, {
      connected: (hostports) => {
        if (link !== opened) return;
        isUp = true;
        wasToldDown = false;
        failures = 0;
        nextPing = 0;
        handlers.changed(true, hostports);
      },
      lost: (why) => {
        if (link === opened) goDown(why);
      },
      request: (request, response, message) => {
        if (link === opened) handlers.request(request, response, message);
      },
      reported: handlers.reported,
      fault: handlers.fault,
    });
    link = opened;
  }

  function goDown(why: string): void {
    link = undefined;
    const wasUp = isUp;
    isUp = false;
    nextAttempt = attemptedAt + delayAfter(failures++);
    if (isClosed || (!wasUp && wasToldDown)) return;
    wasToldDown = true;
    handlers.changed(false, why);
  }

  function give(now: Millis): void {
    waitingSince ??= now;
    waiting++;
  }

  /** Orders are confirmed in the order in which they were given, so every confirmation proves the link. */
  function confirm(from: DrachtioLink): void {
    if (link !== from) return;
    waiting = Math.max(waiting - 1, 0);
    waitingSince = waiting === 0 ? undefined : lastTick;
  }
  let lastTick: Millis = 0;

  return {
    id,
    get isUp() {
      return isUp;
    },
    tick(now) {
      lastTick = now;
      if (isClosed) return;
      if (link === undefined) {
        if (now >= nextAttempt) open(now);
        return;
      }
      const current = link;
      if (server.tls !== undefined) current.nudge();
      if (!isUp) {
        if (now - attemptedAt >= LinkTime.connect) current.close("no connection in time");
        return;
      }
      if (waitingSince !== undefined && now - waitingSince >= LinkTime.deadline) {
        attemptedAt = now;
        current.close("the server obeys no more");
        return;
      }
      if (now < nextPing) return;
      nextPing = now + LinkTime.ping;
      give(now);
      current.ping(() => confirm(current));
    },
    answer(now, response, status, fields) {
      const current = link;
      if (current === undefined) return;
      give(now);
      current.answer(response, status, fields, () => confirm(current));
    },
    proxy(...order) {
      link?.proxy(...order);
    },
    close: () =>
      new Promise((closed) => {
        isClosed = true;
        const current = link;
        const end = (): void => {
          clearTimeout(timer);
          current?.close("closed");
          closed();
        };
        const timer = setTimeout(end, isUp ? LinkTime.deadline : 0);
        if (isUp) current?.retire(end);
      }),
  };
}
