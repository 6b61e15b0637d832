import type { DialPlan, PartyNumber } from "../domain/number.ts";
import { readCalledNumber } from "../numbering/e164.ts";
import { createAddressSpan, readAddress, readUri } from "./address.ts";
import { Header } from "./header.ts";
import { headerValue, type SipMessage } from "./message.ts";

const span = createAddressSpan();

/** The number in To: what the called side of a dialog calls itself from then on, whatever the Request-URI became on the way. */
export function readToNumber(message: SipMessage, plan: DialPlan): PartyNumber {
  const value = headerValue(message, message.first[Header.to]!);
  readAddress(value, 0, span);
  return readCalledNumber(readUri(value, span.uriStart, span.uriEnd).user ?? "", plan);
}
