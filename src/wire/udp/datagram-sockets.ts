// Chooses how UDP is received and sent: batched system calls, or Node's own sockets.
import { createBatchedSockets } from "./batched-udp.ts";
import { loadKernelSockets } from "./kernel-sockets.ts";
import { openDatagramPort, type OpenDatagramPort } from "./udp.ts";

/** How UDP datagrams are received and sent. */
export interface DatagramSockets {
  /**
   * `batched`: recvmmsg and sendmmsg by FFI, many datagrams per call. `dgram`: Node's own sockets,
   * one by one, available everywhere.
   */
  readonly kind: "batched" | "dgram";
  /** Why the kind is not `batched` although it was wanted. Undefined otherwise. */
  readonly missing: string | undefined;
  readonly open: OpenDatagramPort;
}

/** Chooses batched sockets where they are available and wanted, else Node's own. */
export async function chooseDatagramSockets(wanted: "auto" | "batched" | "dgram"): Promise<DatagramSockets> {
  const loaded = wanted === "dgram" ? undefined : await loadKernelSockets();
  if (loaded === undefined || typeof loaded === "string")
    return { kind: "dgram", missing: loaded, open: openDatagramPort };
  return { kind: "batched", missing: undefined, open: createBatchedSockets(loaded) };
}
