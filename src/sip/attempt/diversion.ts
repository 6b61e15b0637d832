// Reads the diverting parties of a SIP request.
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { DialPlan } from "../../domain/number.ts";
import { holdsName } from "../../numbering/sip-user.ts";
import { createAddressSpan, readAddress, readParam, readUri } from "../fields/name-addr.ts";
import { Header } from "../header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../message.ts";
import { MOST_IDENTITIES, readIdentities } from "./sip-identity.ts";
import { readUriNumber } from "./uri-number.ts";

const span = createAddressSpan();

/**
 * Reads the diverting parties, the most recent first: Diversion as it stands (RFC 5806), then the
 * retargeted entries of History-Info (RFC 7044). An entry was retargeted when the next one has a
 * `cause`, or when it has an escaped Reason itself. A single entry counts as no diversion.
 */
export function readDiversion(message: SipMessage, plan: DialPlan): AssertedIdentity[] {
  const out: AssertedIdentity[] = [];
  let left = MOST_IDENTITIES;
  if (message.count[Header.diversion] !== 0)
    left = readIdentities(message, Header.diversion, "diversion", plan, "allowed", undefined, left, out);
  if (message.count[Header.historyInfo] !== 0) left = readHistory(message, plan, left, out);
  if (left < 0) noteFault(message, `more than ${MOST_IDENTITIES} diverting parties`);
  return out;
}

const reasonName: ReadonlySet<string> = new Set(["reason"]);
const causeName: ReadonlySet<string> = new Set(["cause"]);

/** Reads at most `left` entries of History-Info, as {@link readIdentities} does. */
function readHistory(message: SipMessage, plan: DialPlan, left: number, out: AssertedIdentity[]): number {
  const entries: AssertedIdentity[] = [];
  const diverted: boolean[] = [];
  for (let i = message.first[Header.historyInfo]!; i >= 0; i = nextHeader(message, Header.historyInfo, i)) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      if (--left < 0) return -1;
      readAddress(value, at, span);
      if (span.fault !== undefined) noteFault(message, `history-info: ${span.fault}`);
      const uri = readUri(value, span.uriStart, span.uriEnd);
      const question = uri.params.indexOf("?");
      const hasReason = question >= 0 && holdsName(uri.params.slice(question + 1), "&", reasonName);
      const hasCause =
        holdsName(uri.params, ";", causeName) ||
        readParam(value, span.paramsStart, span.end, "cause") !== undefined;
      if (hasCause && diverted.length > 0) diverted[diverted.length - 1] = true;
      entries.push({ source: "history-info", number: readUriNumber(uri, plan), presentation: "allowed" });
      diverted.push(hasReason);
      at = span.end + 1;
    } while (at <= value.length && span.end < value.length);
  }
  if (entries.length < 2) return left;
  for (let i = entries.length - 1; i >= 0; i--) if (diverted[i]) out.push(entries[i]!);
  return left;
}
