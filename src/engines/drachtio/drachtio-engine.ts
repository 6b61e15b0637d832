// The engine for drachtio servers: the servers carry the calls, the filter judges them.
import type { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import { capabilitiesOf } from "../../domain/capabilities.ts";
import type { Millis } from "../../domain/time.ts";
import type { SipTransport } from "../../domain/trunk.ts";
import { decisionCount } from "../../observe/counters.ts";
import { createDelegatedCalls } from "../../delegated/delegated-call.ts";
import { type Destination, noteAnswer, noteRefusal, noteTime } from "../../routing/hop-health.ts";
import { createListener, type Listener } from "../../routing/listener.ts";
import { createNextHops } from "../../routing/next-hops.ts";
import { createHeldRefusals } from "../../judging/held-refusals.ts";
import { createOverload, type Load } from "../../judging/overload.ts";
import { createReportedCalls, type ReportedCalls, type ReportKind } from "../../delegated/reported-calls.ts";
import { REPEATED_FOR } from "../../sip/timers.ts";
import { createKeyedTags } from "../../sip/tag.ts";
import { loadDrachtio, type ProxyResult, type SipRequest, type SipResponse } from "./drachtio-link.ts";
import type { ReportedEvent } from "./frames.ts";
import type { DrachtioServer } from "./place.ts";
import { createServerLink, LinkTime, type ServerLink } from "./server-link.ts";
import { createEngineCalls } from "../engine-calls.ts";
import { remaining, runRelease } from "../release-run.ts";
import type { Engine, EngineParts } from "../engine.ts";
import { type LoadProbe, startLoadProbe } from "../load-probe.ts";
import { engineNow, followWall } from "../../wire/kernel/clock.ts";
import { createQuestions } from "../../wire/dns/name-lookup.ts";
import { createNames, type Names } from "../../wire/dns/next-hop-names.ts";
import type { Answer, Order } from "../../delegated/orders.ts";

/** Options of the engine. */
export interface DrachtioOptions {
  readonly servers: readonly DrachtioServer[];
  /** True: the servers report every call (CDR), so that calls that they passed without asking are found. */
  readonly reports: boolean;
}

/** An answer, and the request of a server that it answers. */
interface GivenAnswer {
  readonly link: ServerLink;
  readonly response: SipResponse;
  readonly answer: Answer;
}

/** How often links, next hops and reports are checked. Milliseconds. */
const TICK = 100;

/** Addresses that servers may take SIP on beside those in `listen`. */
const MOST_LISTENERS = 64;

const DAY: Millis = 86_400_000;

/** Creates the engine for drachtio servers. The servers carry the calls; the filter decides what is done with each. */
export function createDrachtioEngine(parts: EngineParts, options: DrachtioOptions): Engine {
  const { counters } = parts;
  const tags = createKeyedTags(parts.key);
  const listeners: Listener[] = parts.listen.map(({ id, transport, address, port, advertise }, index) =>
    createListener(id, index, transport, address, port, advertise),
  );
  const hops = createNextHops(listeners, tags);
  const questions = createQuestions(parts.nameServers);
  const memory = createEngineCalls(parts);
  /** The reports of the server whose request is being judged. */
  let asked: ReportedCalls | undefined;
  const overload = createOverload();
  const held = createHeldRefusals(parts.evidence, giveAnswer);
  let heldCount = 0;
  const calls = createDelegatedCalls({
    policy: parts.policy,
    own: { listeners, names: parts.ownNames ?? [] },
    hops,
    state: parts.state,
    counters,
    capabilities: capabilitiesOf.drachtio,
    elapsed: () => performance.now(),
    happened: parts.happened,
    calls: memory,
    overload,
    isHeld: (decision) => held.isHeld(decision),
    judged: (request, passed, now) => asked?.judged(request, passed, now),
    fault: parts.fault,
  });
  const links: ServerLink[] = [];
  const reports: ReportedCalls[] = [];
  let probe: LoadProbe | undefined;
  let judgedBefore = 0;
  let names: Names | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** The listener that the server received the message on. A server may listen where `listen` names nothing. */
  function listenerOf({ receivedOn = "", protocol }: SipRequest): Listener {
    const transport: SipTransport = protocol === "udp" || protocol === "tls" ? protocol : "tcp";
    const colon = receivedOn.lastIndexOf(":");
    const address = receivedOn.slice(0, Math.max(colon, 0)).replace("[", "").replace("]", "");
    const port = Number(receivedOn.slice(colon + 1));
    for (const listener of listeners)
      if (listener.port === port && listener.address === address && listener.transport === transport)
        return listener;
    const id = `${transport}:${receivedOn}`;
    const listener = createListener(id, listeners.length, transport, address, Number.isNaN(port) ? 0 : port);
    if (listeners.length < MOST_LISTENERS) listeners.push(listener);
    return listener;
  }

  function takeRequest(
    clock: ServerClock,
    link: ServerLink,
    request: SipRequest,
    response: SipResponse,
    bytes: Buffer,
  ): void {
    const now = engineNow();
    const order = calls.take(now, {
      bytes,
      isLate: clock.waited(request.stackTime, now) > LinkTime.deadline,
      listener: listenerOf(request),
      address: request.source_address,
      port: request.source_port,
    });
    obey(now, link, request, response, order);
  }

  function obey(
    now: Millis,
    link: ServerLink,
    request: SipRequest,
    response: SipResponse,
    order: Order,
  ): void {
    if (order.kind === "answer") {
      const given: GivenAnswer = { link, response, answer: order };
      if (order.isHeld === true) held.hold(String(heldCount++), given, now);
      else giveAnswer(given);
      return;
    }
    const { hop } = order;
    link.proxy(
      request,
      order.targets,
      order.fields,
      parts.policy().nextHopHealth.timeout,
      (error, result) => {
        if (error !== null && error !== undefined) counters.unsendable++;
        if (result !== undefined) noteResult(hop, result);
      },
    );
  }

  /** Notes the state of a next hop by the result of a call. This engine sends no probes. */
  function noteResult(hop: Destination | undefined, { finalStatus, responses }: ProxyResult): void {
    if (hop === undefined) return;
    const now = engineNow();
    const health = parts.policy().nextHopHealth;
    const isSilent = !responses.some(({ address, port }) => address === hop.address && port === hop.port);
    const isMissed = finalStatus === 503 || (finalStatus === 408 && isSilent);
    const hasChanged = isMissed ? noteRefusal(hop, now, health) : noteAnswer(hop, now, health);
    if (hasChanged) reportHop(hop, isMissed ? `calls met ${finalStatus}` : "a call was answered");
  }

  function reportHop(hop: Destination, why: string): void {
    hops.changed();
    parts.nextHopChanged?.(hop.key, hop.state, why);
  }

  function measure(load: Load): void {
    const judged = decisionCount(counters);
    overload.measure(load, judged - judgedBefore, parts.policy().overload);
    judgedBefore = judged;
  }

  function passTime(): void {
    followWall(parts.state.wall);
    const now = engineNow();
    for (const link of links) link.tick(now);
    held.release(now);
    const policy = parts.policy();
    hops.adopt(policy, now);
    hops.sweep(now);
    const health = { ...policy.nextHopHealth, probes: false };
    for (const hop of hops.destinations()) if (noteTime(hop, now, health)) reportHop(hop, "tried again");
    for (const books of reports) books.sweep(now);
    calls.tick(now);
    names?.follow(policy);
  }

  function openServer(server: DrachtioServer, openLink: Parameters<typeof createServerLink>[2]): ServerLink {
    const clock = createClock();
    const books = createReportedCalls({
      counters,
      capacity: parts.policy().tables.calls,
      calls: memory,
      unjudged: (call) => parts.unjudged?.(call),
    });
    reports.push(books);
    const link = createServerLink(server, options.reports, openLink, {
      request(request, response, bytes) {
        asked = books;
        takeRequest(clock, link, request, response, bytes);
      },
      reported(event, source, message, detail) {
        const kind = kindOf(event, source, detail);
        if (kind !== undefined) books.reported(kind, message, engineNow());
      },
      fault: (error) => {
        counters.faults++;
        parts.fault(error);
      },
      changed: (isUp, why) => {
        clock.reset();
        if (!isUp) books.interrupted(engineNow());
        parts.linkChanged?.(link.id, isUp, why);
      },
    });
    return link;
  }

  return {
    name: "drachtio",
    capabilities: capabilitiesOf.drachtio,
    async start() {
      followWall(parts.state.wall);
      parts.remembers?.(memory);
      const openLink = await loadDrachtio();
      links.push(...options.servers.map((server) => openServer(server, openLink)));
      names = createNames({
        questions,
        families: [...new Set(listeners.map(({ family }) => family))],
        resolved: (id, addresses) => hops.resolve(id, addresses, engineNow()),
        changed: (id, error) => parts.nameChanged?.(id, error),
      });
      passTime();
      timer = setInterval(passTime, TICK);
      probe = startLoadProbe(measure);
      return links.map(({ id }) => `drachtio ${id}`);
    },
    isReady: () => !overload.isDraining && links.some(({ isUp }) => isUp),
    nextHops: () => hops.status(),
    names: () => names?.status() ?? [],
    links: () => links,
    calls: () => memory.standing(),
    health: () => overload,
    evidenceKept: () => held.release(engineNow()),
    heldAnswers: () => held.size(),
    unkept: () => held.overdue(),
    // The servers hold the calls in progress, and no call waits for the filter.
    // The servers carry the calls: the filter has no dialog to end.
    release: (trunks) => runRelease(remaining(memory, trunks)),
    drain: () => {
      overload.drain();
      return Promise.resolve();
    },
    renewTls: () => undefined,
    async stop() {
      await Promise.all(links.map((link) => link.close()));
      links.length = 0;
      reports.length = 0;
      clearInterval(timer);
      probe?.stop();
      names?.close();
      questions.cancel();
    },
  };
}

function giveAnswer({ link, response, answer: { status, fields } }: GivenAnswer): void {
  link.answer(engineNow(), response, status, fields);
}

/**
 * What a report says of a call; undefined: the other leg of the call says it. "network" is what the server received,
 * "application" what it sent. An INVITE and a BYE count as received, a final answer as sent to the caller: a next hop
 * that refuses is reported too ("stop", "network"), though another one may answer the call.
 */
function kindOf(event: ReportedEvent, source: string, detail: string): ReportKind | undefined {
  const isReceived = source === "network";
  if (event === "attempt") return isReceived ? "attempt" : undefined;
  if (detail === "normal-release") return isReceived ? "release" : undefined;
  // The CANCEL of a call that no next hop has yet. Its answer is not reported.
  if (detail === "call-canceled") return "final";
  // A 2xx other than 200 is reported as "stop".
  return isReceived ? undefined : "final";
}

/** How long messages of one server wait before they are judged. */
interface ServerClock {
  /** How much longer a message of `stackTime` ("HH:MM:SS.uuuuuu") has waited than the quickest one. Milliseconds. */
  waited(stackTime: string, now: Millis): Millis;
  reset(): void;
}

/**
 * Makes a clock for one server. Clocks of two machines differ, so only the difference to the quickest message has a
 * meaning.
 */
function createClock(): ServerClock {
  let least: Millis | undefined;
  return {
    waited(stackTime, now) {
      const [hours = NaN, minutes = NaN, seconds = NaN] = stackTime.split(":").map(Number);
      const sent = ((hours * 60 + minutes) * 60 + seconds) * 1000;
      if (Number.isNaN(sent)) return 0;
      const age = (((now - sent) % DAY) + DAY) % DAY;
      // No caller waits for longer than 64·T1. What seems older was stamped by a clock that was set, or around midnight.
      if (least === undefined || age < least || age - least > REPEATED_FOR) least = age;
      return age - least;
    },
    reset: () => {
      least = undefined;
    },
  };
}
