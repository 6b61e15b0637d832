// The Record-Route values of an answer beyond ours, on either side, as the Route of a request of our own.
import { createAddressSpan, readAddress } from "../sip/fields/name-addr.ts";
import { Header } from "../sip/header.ts";
import { headerValue, nextHeader, type SipMessage } from "../sip/message.ts";

/** At most this many values are read; no real path has more. */
const MAX_VALUES = 32;

/** Route values towards either side, nearest first, separated by commas; "" where there is none. */
export interface RoutesBeyond {
  readonly caller: string;
  readonly called: string;
}

/** No proxy on either side wants to see the requests of the dialog. */
export const noRoutesBeyond: RoutesBeyond = { caller: "", called: "" };

const span = createAddressSpan();

/**
 * Reads the Record-Route values of a 2xx. The topmost one is nearest to the called party (RFC 3261 sections 12.1.1 and
 * 12.1.2): values above ours lead to the called side in reverse order, values below ours to the caller in their order.
 *
 * @param mark text that our values of this call hold, and no others, in lower case
 * @returns undefined when the values can't be read
 */
export function routesBeyond(message: SipMessage, mark: string): RoutesBeyond | undefined {
  let called = "";
  let caller = "";
  let own = 0;
  let count = 0;
  for (let i = message.first[Header.recordRoute]!; i >= 0; i = nextHeader(message, Header.recordRoute, i)) {
    const value = headerValue(message, i);
    if (isOwnAlone(value, mark)) {
      own++;
      caller = "";
      continue;
    }
    for (let at = 0; at < value.length; at = span.end + 1) {
      readAddress(value, at, span);
      if (span.fault !== undefined || ++count > MAX_VALUES) return undefined;
      const text = value.slice(at, span.end).trim();
      if (text.includes(mark) || text.toLowerCase().includes(mark)) {
        own++;
        caller = "";
      } else if (own === 0) called = called === "" ? text : `${text},${called}`;
      else caller = caller === "" ? text : `${caller},${text}`;
    }
  }
  // Where our value has got lost, nobody can tell which values lie on which side.
  return own === 0 ? noRoutesBeyond : { caller, called };
}

/** True when each Record-Route field holds one value, which begins as ours do: no proxy stands beyond us. */
export function hasOnlyOurs(message: SipMessage, own: string, other: string): boolean {
  const { text, valueStart, valueEnd, first } = message;
  for (let i = first[Header.recordRoute]!; i >= 0; i = nextHeader(message, Header.recordRoute, i)) {
    const start = valueStart[i]!;
    const ours = text.startsWith(own, start) ? own : other;
    if (!text.startsWith(ours, start)) return false;
    for (let at = start + ours.length; at < valueEnd[i]!; at++)
      if (text.charCodeAt(at) === COMMA) return false;
  }
  return true;
}

const COMMA = 0x2c;

/** True for a field that holds one value of ours as we wrote it. */
function isOwnAlone(value: string, mark: string): boolean {
  return !value.includes(",") && value.includes(mark);
}
