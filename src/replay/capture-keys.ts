// The keys of calls in captures: short texts whose size no peer chooses.
import { hash } from "node:crypto";
import type { SignallingPath } from "../domain/attempt.ts";

/** A longer key is replaced by its hash. */
const MAX_KEY = 256;

function bounded(key: string): string {
  return key.length <= MAX_KEY ? key : hash("sha256", key, "hex");
}

/** The key of a dialog, and of an early one: Call-ID and the tag of the caller (RFC 3261 section 12). */
export function dialogKey(callId: string, callerTag: string): string {
  return bounded(`${callId}\n${callerTag}`);
}

/** The key of the transaction of an INVITE: its answers and its CANCEL have it too (RFC 3261 section 17.1.3). */
export function transactionKey(callId: string, callerTag: string, branch: string): string {
  return bounded(`${callId}\n${callerTag}\n${branch}`);
}

/** The key of a request that proxies hand on: the same on every hop. */
export function requestKey(callId: string, callerTag: string, cseq: number): string {
  return bounded(`${callId}\n${callerTag}\n${cseq} `);
}

/** The key of a circuit as the exchange of the caller names it: its own point code first. */
export function circuitKey(opc: number, dpc: number, cic: number): string {
  return `${opc} ${dpc} ${cic}`;
}

/** Between which two places a message was seen. */
export function pathKey(path: SignallingPath): string {
  return `${path.transport} ${path.sourceAddress} ${path.sourcePort} ${path.destinationAddress} ${path.destinationPort}`;
}
