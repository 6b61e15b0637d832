import { performance } from "node:perf_hooks";
import { createListener, type Listener } from "../relay/listener.ts";
import { createSipProxy, type SipProxy } from "../relay/sip-proxy.ts";
import { createKeyedTags } from "../sip/tag.ts";
import type { Engine, EngineParts, ListenAddress } from "./engine.ts";
import { openDatagramPort, type DatagramPort } from "./udp.ts";

/** The default engine: the filter's own sockets, the SIP proxy between them. */
export function createEmbeddedEngine(parts: EngineParts): Engine {
  const ports: DatagramPort[] = [];
  const listeners: Listener[] = [];
  let proxy: SipProxy | undefined;

  async function bind({ id, address, port }: ListenAddress, index: number): Promise<void> {
    const opened = await openDatagramPort(address, port, {
      datagram: (bytes, from, fromPort) => {
        const listener = listeners[index];
        if (listener !== undefined) proxy?.handle(Date.now(), listener, from, fromPort, bytes);
      },
      error: parts.fault,
    });
    ports[index] = opened;
    listeners[index] = createListener(id, index, "udp", address, opened.port);
  }

  async function stop(): Promise<void> {
    proxy = undefined;
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
        sink: {
          send: (listener, address, port, bytes, length) =>
            ports[listener.index]?.send(bytes, length, address, port) ?? true,
          decided: parts.decided,
          fault: parts.fault,
        },
      });
      return listeners.map((listener) => `udp:${listener.sentBy}`);
    },
    isReady: () => proxy !== undefined,
    stop,
  };
}
