/** Times answers to calls that are refused, at a steady rate from every trunk: see bench/README.md. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Buffer } from "node:buffer";
import { rejectedCalls, type Dataset } from "../dataset.ts";
import type { Layout } from "../dataset-files.ts";
import { inviteOf, requestOf } from "../messages.ts";
import type { Target } from "../targets.ts";

/** How long answers took, in milliseconds, in no order. */
export interface Delays {
  readonly target: Target;
  readonly millis: readonly number[];
  readonly unanswered: number;
}

export interface RefusalLoad {
  readonly perSecond: number;
  readonly seconds: number;
  /** Makes the Call-IDs of each round new. */
  readonly round: number;
}

/** Trunks that call in turn. */
const TRUNKS = 20;

/** Places calls that are refused, and times each from its INVITE to the 403. */
export async function timeRefusals(
  target: Target,
  dataset: Dataset,
  { trunkPort }: Layout,
  { perSecond, seconds, round }: RefusalLoad,
): Promise<Delays> {
  const calls = rejectedCalls(dataset).slice(0, TRUNKS);
  const sockets: Socket[] = [];
  const begun = new Map<string, bigint>();
  const millis: number[] = [];
  for (const { address } of calls) {
    const socket = createSocket("udp4");
    socket.bind(trunkPort, address);
    await once(socket, "listening");
    sockets.push(socket);
  }
  const filter = `${target.address}:${target.port}`;
  const prefix = `delay-${target.port}-${round}`;
  for (const [i, socket] of sockets.entries()) {
    socket.on("message", (bytes: Buffer) => {
      const now = process.hrtime.bigint();
      const text = bytes.toString("latin1");
      if (!text.startsWith("SIP/2.0 403 ")) return;
      const callId = valueOf(text, "Call-ID: ");
      const sent = begun.get(callId);
      if (sent === undefined || !begun.delete(callId)) return;
      millis.push(Number(now - sent) / 1e6);
      const tag = valueOf(text, "To: ").split(";tag=")[1] ?? "";
      const call = { ...calls[i]!, port: trunkPort, callId, filter };
      // RFC 3261 section 17.1.1.3: the ACK of a refusal carries the branch of its INVITE.
      const ack = requestOf(call, "ACK", 1, tag).replace("-ACK;rport", "-INVITE;rport");
      socket.send(Buffer.from(ack, "latin1"), target.port, target.address);
    });
  }
  const total = perSecond * seconds;
  const from = process.hrtime.bigint();
  for (let count = 0; count < total; count += 1) {
    const due = (count * 1000) / perSecond - Number(process.hrtime.bigint() - from) / 1e6;
    if (due > 0) await pause(due);
    const i = count % TRUNKS;
    const callId = `${prefix}-${count}`;
    const bytes = Buffer.from(inviteOf({ ...calls[i]!, port: trunkPort, callId, filter }), "latin1");
    begun.set(callId, process.hrtime.bigint());
    sockets[i]!.send(bytes, target.port, target.address);
  }
  await pause(500);
  for (const socket of sockets) socket.close();
  return { target, millis, unanswered: begun.size };
}

function valueOf(text: string, name: string): string {
  const from = text.indexOf(`\r\n${name}`) + 2 + name.length;
  return text.slice(from, text.indexOf("\r\n", from));
}
