// The embedded engine: the filter's own UDP, TCP and TLS ports with the SIP proxy between them.
import { performance } from "node:perf_hooks";
import { nothingReleased } from "../calls/release.ts";
import { capabilitiesOf } from "../domain/capabilities.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { createListener, type Listener } from "../routing/listener.ts";
import { createSipProxy, TICK, type SipProxy } from "../proxy/sip-proxy.ts";
import { createKeyedTags } from "../sip/tag.ts";
import type { ListenAddress } from "../config/sigwall/static-schema.ts";
import type { Engine, EngineParts } from "./engine.ts";
import { engineNow, followWall } from "../wire/kernel/clock.ts";
import { createQuestions } from "../wire/dns/name-lookup.ts";
import { createNames, type Names } from "../wire/dns/next-hop-names.ts";
import { openStreamPort, type StreamPort } from "../wire/streams/stream-port.ts";
import { startLoadProbe, type LoadProbe } from "./load-probe.ts";
import { runRelease } from "./release-run.ts";
import { createTrafficWatch } from "./traffic-watch.ts";
import {
  openDatagramPort,
  RECEIVE_BUFFER,
  type DatagramHandlers,
  type DatagramPort,
} from "../wire/udp/udp.ts";

/** Errors of sending that say something about the target, not about the message. */
const UNREACHABLE: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
]);

function unreachablePlace(error: Error): { readonly address: string; readonly port: number } | undefined {
  if (!("code" in error && "address" in error && "port" in error) || !UNREACHABLE.has(error.code))
    return undefined;
  const { address, port } = error;
  return typeof address === "string" && typeof port === "number" ? { address, port } : undefined;
}

/** The bound address of a listener, and what it shows where that differs. */
function describeListener({ transport, address, port, sentBy }: Listener): string {
  const bound = formatEndpoint({ address, port });
  return sentBy === bound ? `${transport}:${bound}` : `${transport}:${bound} as ${sentBy}`;
}

/** Creates the default engine: the filter's own sockets with the SIP proxy between them. */
export function createEmbeddedEngine(parts: EngineParts): Engine {
  const ports: (DatagramPort | StreamPort)[] = [];
  /** The stream ports among them, by the index of their listener. */
  const streams = new Map<number, StreamPort>();
  const listeners: Listener[] = [];
  const questions = createQuestions(parts.nameServers);
  const traffic = createTrafficWatch(parts.counters, performance.now());
  let proxy: SipProxy | undefined;
  let probe: LoadProbe | undefined;
  let names: Names | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** Runs a step of a timer and reports its error. An error that no code catches would end the process. */
  function guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      parts.counters.faults++;
      parts.fault(error);
    }
  }

  function passTime(): void {
    followWall(parts.state.wall);
    const now = engineNow();
    proxy?.tick(now);
    for (const port of streams.values()) guard(() => port.tick(now));
    guard(() => names?.follow(parts.policy()));
  }

  async function openDatagrams({ id, address, port }: ListenAddress, index: number): Promise<DatagramPort> {
    const handlers: DatagramHandlers = {
      datagram: (bytes, from, fromPort) => {
        const listener = listeners[index];
        if (listener !== undefined) proxy?.handle(engineNow(), listener, from, fromPort, bytes);
      },
      dropped: (direction) => {
        if (direction === "received") parts.counters.notSip++;
        else parts.counters.unsendable++;
      },
      error: (error) => {
        parts.fault(error);
        const place = unreachablePlace(error);
        if (place !== undefined) proxy?.unreachable(engineNow(), "udp", place.address, place.port);
      },
    };
    const inherited = parts.inherited?.find((socket) => socket.id === id);
    const opened = await (parts.openPort ?? openDatagramPort)(address, port, handlers, inherited?.fd);
    if (opened.receiveBuffer < RECEIVE_BUFFER)
      parts.warn?.(
        `${id}: the kernel gives ${opened.receiveBuffer} bytes of receive buffer instead of ${RECEIVE_BUFFER}; raise net.core.rmem_max`,
      );
    return opened;
  }

  async function openStreams(listen: ListenAddress, index: number): Promise<StreamPort> {
    const { id, transport, address, port } = listen;
    const { streams: limits, counters } = parts;
    const tls = transport === "tls" ? parts.tls : undefined;
    if (limits === undefined || (transport === "tls" && tls === undefined))
      throw new Error(`${id} has no certificate or no bounds`);
    // A message that comes before the port is known has no listener.
    const here = (): Listener | undefined => (proxy === undefined ? undefined : listeners[index]);
    const opened = await openStreamPort(
      { address, port, tls, limits, counters: counters.streams },
      {
        message(bytes, peer) {
          const listener = here();
          if (listener !== undefined)
            proxy?.handle(engineNow(), listener, peer.address, peer.port, bytes, peer.names);
        },
        unframed(bytes, why, peer) {
          const listener = here();
          if (listener !== undefined) proxy?.unframed(engineNow(), listener, peer, bytes, why);
        },
        undelivered(bytes, to, toPort, why) {
          const listener = here();
          if (listener !== undefined) proxy?.undelivered(engineNow(), listener, to, toPort, bytes, why);
        },
        ownerOf(peer) {
          const listener = here();
          return listener === undefined ? undefined : proxy?.ownerOf(engineNow(), listener, peer);
        },
        isHop(to, toPort) {
          const listener = here();
          return listener !== undefined && proxy?.isHop(listener, to, toPort) === true;
        },
        isMeant(peer, addresses) {
          const listener = here();
          return listener !== undefined && proxy?.isMeant(listener, peer, addresses) === true;
        },
        error: parts.fault,
        tlsRefused: (peer, cause, why) => parts.tlsRefused?.({ listener: id, peer, cause, why }),
      },
    );
    streams.set(index, opened);
    return opened;
  }

  async function bind(listen: ListenAddress, index: number): Promise<void> {
    const { id, transport, address, advertise } = listen;
    const opened = await (transport === "udp" ? openDatagrams : openStreams)(listen, index);
    ports[index] = opened;
    listeners[index] = createListener(id, index, transport, address, opened.port, advertise);
  }

  async function stop(): Promise<void> {
    proxy = undefined;
    clearInterval(timer);
    probe?.stop();
    names?.close();
    questions.cancel();
    streams.clear();
    await Promise.all(ports.splice(0).map((port) => port.close()));
  }

  return {
    name: "embedded",
    capabilities: capabilitiesOf.embedded,
    async start() {
      try {
        for (const [index, listen] of parts.listen.entries()) await bind(listen, index);
      } catch (error) {
        await stop();
        throw error;
      }
      followWall(parts.state.wall);
      const { tables } = parts.policy();
      proxy = createSipProxy({
        policy: parts.policy,
        listeners,
        ownNames: parts.ownNames ?? [],
        tags: createKeyedTags(parts.key),
        state: parts.state,
        counters: parts.counters,
        elapsed: () => performance.now(),
        naming: parts.naming,
        evidence: parts.evidence,
        sharing: parts.sharing,
        ledgerSize: tables.calls,
        callBytes: tables.callBytes,
        failoverSize: tables.calls,
        transactionsSize: tables.transactions,
        sink: {
          send: (listener, address, port, bytes, length) =>
            ports[listener.index]?.send(bytes, length, address, port) ?? true,
          namesOf: (listener, address, port) => streams.get(listener.index)?.namesOf(address, port),
          happened: parts.happened,
          fault: parts.fault,
          ...(parts.nextHopChanged === undefined ? {} : { nextHop: parts.nextHopChanged }),
        },
      });
      parts.remembers?.(proxy.calls);
      names = createNames({
        questions,
        families: [...new Set(listeners.map(({ family }) => family))],
        resolved: (id, addresses) => proxy?.resolve(engineNow(), id, addresses),
        changed: (id, error) => parts.nameChanged?.(id, error),
      });
      passTime();
      timer = setInterval(passTime, TICK).unref();
      probe = startLoadProbe((load) => {
        guard(() => proxy?.measure(load));
        traffic.look(performance.now());
      });
      return listeners.map(describeListener);
    },
    nextHops: () => proxy?.nextHops() ?? [],
    calls: () => proxy?.calls.standing(),
    names: () => names?.status() ?? [],
    isReady: () => proxy?.overload.isDraining === false,
    health: () => proxy?.overload,
    drain(most) {
      proxy?.drain();
      return traffic.quiet(performance.now(), most);
    },
    evidenceKept: () => proxy?.evidenceKept(engineNow()),
    heldAnswers: () => proxy?.heldAnswers() ?? 0,
    unkept: () => proxy?.unkept() ?? 0,
    release: async (trunks) => (proxy === undefined ? nothingReleased : runRelease(proxy.release(trunks))),
    renewTls(material) {
      for (const port of streams.values()) port.renew(material);
    },
    stop,
  };
}
