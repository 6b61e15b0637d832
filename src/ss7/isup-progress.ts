// What messages of ISUP behind an IAM tell of the call: alerting, and the cause of its release.
import type { Buffer } from "node:buffer";
import { IsupType, type IsupMessage } from "./isup.ts";

/** "Subscriber free" in the backward call indicators of an ACM (Q.763 section 3.5). */
const SUBSCRIBER_FREE = 1;
/** "Alerting" in the event information of a CPG (Q.763 section 3.21). */
const ALERTING = 1;

/** Tells whether the ACM or CPG in `bytes[start, end)` says that the called party is alerted. */
export function tellsAlerting(bytes: Buffer, start: number, end: number): boolean {
  const first = start + 1 < end ? bytes[start + 1]! : 0;
  if (bytes[start] === IsupType.acm) return ((first >>> 2) & 3) === SUBSCRIBER_FREE;
  return bytes[start] === IsupType.cpg && (first & 0x7f) === ALERTING;
}

/** The cause of a REL (Q.850 section 2.1): behind the octets of location and recommendation. Undefined: it has none. */
export function readReleaseCause({ bytes, variableStart, variableEnd }: IsupMessage): number | undefined {
  if (variableStart < 0) return undefined;
  const hasRecommendation = (bytes[variableStart]! & 0x80) === 0;
  const at = variableStart + (hasRecommendation ? 2 : 1);
  return at < variableEnd ? bytes[at]! & 0x7f : undefined;
}
