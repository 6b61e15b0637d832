import { performance } from "node:perf_hooks";
import { createListener, type Listener } from "../relay/listener.ts";
import { createSipProxy, type SipProxy } from "../relay/sip-proxy.ts";
import { createKeyedTags } from "../sip/tag.ts";
import type { Engine, EngineParts, ListenAddress } from "./engine.ts";
import { createQuestions } from "./name-lookup.ts";
import { createNames, type Names } from "./names.ts";
import { openDatagramPort, type DatagramPort } from "./udp.ts";

/** How often the proxy is told that time has passed. Milliseconds. */
const TICK = 100;

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

/** The default engine: the filter's own sockets, the SIP proxy between them. */
export function createEmbeddedEngine(parts: EngineParts): Engine {
  const ports: DatagramPort[] = [];
  const listeners: Listener[] = [];
  const questions = createQuestions(parts.nameServers);
  let proxy: SipProxy | undefined;
  let names: Names | undefined;
  let timer: NodeJS.Timeout | undefined;

  function passTime(): void {
    proxy?.tick(Date.now());
    names?.follow(parts.policy());
  }

  async function bind({ id, address, port }: ListenAddress, index: number): Promise<void> {
    const opened = await openDatagramPort(address, port, {
      datagram: (bytes, from, fromPort) => {
        const listener = listeners[index];
        if (listener !== undefined) proxy?.handle(Date.now(), listener, from, fromPort, bytes);
      },
      error: (error) => {
        parts.fault(error);
        const place = unreachablePlace(error);
        if (place !== undefined) proxy?.unreachable(Date.now(), "udp", place.address, place.port);
      },
    });
    ports[index] = opened;
    listeners[index] = createListener(id, index, "udp", address, opened.port);
  }

  async function stop(): Promise<void> {
    proxy = undefined;
    clearInterval(timer);
    names?.close();
    questions.cancel();
    await Promise.all(ports.splice(0).map((port) => port.close()));
  }

  return {
    name: "embedded",
    capabilities: { silence: true, exactBytes: true },
    async start() {
      try {
        for (const [index, listen] of parts.listen.entries()) await bind(listen, index);
      } catch (error) {
        await stop();
        throw error;
      }
      proxy = createSipProxy({
        policy: parts.policy,
        listeners,
        tags: createKeyedTags(parts.key),
        state: parts.state,
        counters: parts.counters,
        elapsed: () => performance.now(),
        ledgerSize: parts.policy().tables.ledger,
        failoverSize: parts.policy().tables.failovers,
        sink: {
          send: (listener, address, port, bytes, length) =>
            ports[listener.index]?.send(bytes, length, address, port) ?? true,
          decided: parts.decided,
          fault: parts.fault,
          ...(parts.nextHopChanged === undefined ? {} : { nextHop: parts.nextHopChanged }),
        },
      });
      names = createNames({
        questions,
        families: [...new Set(listeners.map(({ family }) => family))],
        resolved: (id, addresses) => proxy?.resolve(Date.now(), id, addresses),
        changed: (id, error) => parts.nameChanged?.(id, error),
      });
      passTime();
      timer = setInterval(passTime, TICK).unref();
      return listeners.map((listener) => `udp:${listener.sentBy}`);
    },
    nextHops: () => proxy?.nextHops() ?? [],
    names: () => names?.status() ?? [],
    isReady: () => proxy !== undefined,
    stop,
  };
}
