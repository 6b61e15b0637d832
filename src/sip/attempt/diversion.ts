// Reads the diverting parties of a SIP request.
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { DialPlan } from "../../domain/number.ts";
import { createAddressSpan, readAddress, readUri } from "../fields/name-addr.ts";
import { Header } from "../header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../message.ts";
import { namesTarget, type CallTarget } from "./called.ts";
import { isNameless, lastByIndex, readHistory, type HistoryEntry } from "./history-info.ts";
import { makeIdentity, MOST_IDENTITIES } from "./sip-identity.ts";

const span = createAddressSpan();

/** Stands in front of diverting parties that contradict each other: no licence to forward counts. */
const contradicted: AssertedIdentity = {
  source: "history-info",
  number: {
    kind: "unusable",
    why: "invalid",
    detail: "the last diverting party is told in two ways",
    raw: "",
  },
  presentation: "allowed",
};

/** Tells whether a field of the message may name a diverting party. */
export function isDiverted({ count }: SipMessage): boolean {
  return count[Header.diversion] !== 0 || count[Header.historyInfo] !== 0;
}

/**
 * Reads the diverting parties, the most recent first: Diversion as it stands (RFC 5806), then
 * History-Info from its end (RFC 7044).
 *
 * - A value that names `target` is no diverting party: the call was sent to the same party once more,
 *   for example after 503 or 408. Nobody gains by it: then the caller itself is judged.
 * - Every other number counts, whatever an entry of History-Info says of the cause and of its index,
 *   and also when it stands alone.
 * - Diversion, the order of History-Info and its indexes must name the same last diverting party.
 *   Otherwise a party without a number stands in front.
 *
 * @param target where the call goes; undefined: a parameter may lead it elsewhere
 */
export function readDiversion(
  message: SipMessage,
  plan: DialPlan,
  target: CallTarget | undefined,
): AssertedIdentity[] {
  const out: AssertedIdentity[] = [];
  const history: HistoryEntry[] = [];
  let left = readValues(message, plan, target, out);
  if (left >= 0) left = readHistory(message, plan, target, left, history);
  if (left < 0) noteFault(message, `more than ${MOST_IDENTITIES} diverting parties`);
  const isTwofold = contradicts(out[0], history);
  for (let i = history.length - 1; i >= 0; i--) out.push(history[i]!.party);
  if (isTwofold) out.unshift(contradicted);
  return out;
}

/**
 * Reads the values of Diversion.
 * @returns how many more diverting parties could be read, or -1 when there were too many
 */
function readValues(
  message: SipMessage,
  plan: DialPlan,
  target: CallTarget | undefined,
  out: AssertedIdentity[],
): number {
  let left = MOST_IDENTITIES;
  for (let i = message.first[Header.diversion]!; i >= 0; i = nextHeader(message, Header.diversion, i)) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      if (--left < 0) return -1;
      readAddress(value, at, span);
      const uri = readUri(value, span.uriStart, span.uriEnd);
      const fault = span.fault ?? uri.fault;
      if (fault !== undefined) noteFault(message, `diversion: ${fault}`);
      if (!namesTarget(uri, plan, target))
        out.push(makeIdentity(value, span, uri, "diversion", plan, "allowed"));
      at = span.end + 1;
    } while (at <= value.length && span.end < value.length);
  }
  return left;
}

/** Tells whether the last diverting party is one by Diversion, another by the order of the history, or by its indexes. */
function contradicts(diversion: AssertedIdentity | undefined, history: readonly HistoryEntry[]): boolean {
  const byPlace = history.findLast(({ party }) => !isNameless(party))?.party;
  if (byPlace === undefined) return false;
  if (diversion !== undefined && !isSame(diversion, byPlace)) return true;
  return lastByIndex(history).some((party) => !isSame(party, byPlace));
}

function isSame({ number: left }: AssertedIdentity, { number: right }: AssertedIdentity): boolean {
  if (left.kind === "unusable" || right.kind === "unusable") return left.raw === right.raw;
  return left.key === right.key;
}
