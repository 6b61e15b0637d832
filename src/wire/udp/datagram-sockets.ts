import { createBatchedSockets } from "./batched-udp.ts";
import { loadKernelSockets } from "./kernel-sockets.ts";
import { openDatagramPort, type OpenDatagramPort } from "./udp.ts";

/** How UDP datagrams are taken and sent. */
export interface DatagramSockets {
  /** `batched`: recvmmsg and sendmmsg by FFI, many datagrams a call; `dgram`: Node's own sockets, one by one, everywhere. */
  readonly kind: "batched" | "dgram";
  /** Why it is not `batched`, when that was wanted. */
  readonly missing: string | undefined;
  readonly open: OpenDatagramPort;
}

/** Batched sockets where they can be had, else Node's own. */
export async function chooseDatagramSockets(wanted: "auto" | "batched" | "dgram"): Promise<DatagramSockets> {
  const loaded = wanted === "dgram" ? undefined : await loadKernelSockets();
  if (loaded === undefined || typeof loaded === "string")
    return { kind: "dgram", missing: loaded, open: openDatagramPort };
  return { kind: "batched", missing: undefined, open: createBatchedSockets(loaded) };
}
