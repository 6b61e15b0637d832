// Writes the responses that the filter itself gives to a request.
import { Header, type HeaderId } from "./header.ts";
import { headerValue, nextHeader, type SipMessage } from "./message.ts";
import { CR, DEL, LF, SP, TAB } from "./octet.ts";

const phrases: Readonly<Record<number, string>> = {
  200: "OK",
  302: "Moved Temporarily",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  416: "Unsupported URI Scheme",
  420: "Bad Extension",
  433: "Anonymity Disallowed",
  480: "Temporarily Unavailable",
  481: "Call/Transaction Does Not Exist",
  482: "Loop Detected",
  483: "Too Many Hops",
  489: "Bad Event",
  500: "Server Internal Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "Version Not Supported",
  513: "Message Too Large",
  603: "Decline",
  607: "Unwanted",
  608: "Rejected",
};

/** What a class of statuses is called, by the first digit (RFC 3261 section 21). */
const classPhrases: readonly string[] = [
  "",
  "Provisional",
  "Successful",
  "Redirection",
  "Request Failure",
  "Server Failure",
  "Global Failure",
];

/**
 * Returns the reason phrase of a status (RFC 3261 section 21 and the IANA registry), or the name of
 * its class. A number below 100 or above 699 is no status and gets "".
 */
export function reasonPhrase(status: number): string {
  return phrases[status] ?? classPhrases[Math.floor(status / 100)] ?? "";
}

/**
 * Copies the first field `id` under its long name. A request with two of them is refused, and the
 * refusal has one (RFC 3261 section 8.2.6.2).
 */
function copy(message: SipMessage, id: HeaderId, name: string): string {
  const index = message.first[id]!;
  return index < 0 ? "" : `${name}: ${headerValue(message, index)}\r\n`;
}

/**
 * Writes a response to the request in `message`, as a stateless UAS does (RFC 3261 sections 8.2.6
 * and 8.2.7). The same request always gives the same bytes.
 * @param message the request
 * @param status the status of the response
 * @param topVia the first Via value with received and rport filled in
 * @param toTag the tag that To gets; "" when the request's To has one
 * @param extra whole header lines, each with its CRLF
 */
export function formatResponse(
  message: SipMessage,
  status: number,
  topVia: string,
  toTag: string,
  extra: string,
): string {
  let vias = `Via: ${topVia}\r\n`;
  const first = message.first[Header.via]!;
  for (let i = nextHeader(message, Header.via, first); i >= 0; i = nextHeader(message, Header.via, i))
    vias += `Via: ${headerValue(message, i)}\r\n`;
  const to = message.first[Header.to]!;
  const toLine = to < 0 ? "" : `To: ${headerValue(message, to)}${toTag === "" ? "" : `;tag=${toTag}`}\r\n`;
  const text =
    `SIP/2.0 ${status} ${reasonPhrase(status)}${status === 400 ? syntaxProblem(message) : ""}\r\n` +
    vias +
    copy(message, Header.from, "From") +
    toLine +
    copy(message, Header.callId, "Call-ID") +
    copy(message, Header.cseq, "CSeq") +
    extra +
    "Content-Length: 0\r\n\r\n";
  return message.fault === undefined ? text : withoutControls(text);
}

/** Characters of a fault that a reason phrase repeats. */
const LONGEST_FAULT = 100;

/** What a reason phrase may hold beside letters, digits and spaces (RFC 3261 section 25.1, Reason-Phrase). */
const PHRASE_MARKS = ";/?:@&=+$,-_.!~*'()";

/**
 * What is wrong with a malformed request, for the reason phrase of its 400 (RFC 3261 section 21.4.1). The words are our
 * own: field names, and nothing that the peer wrote. Brackets and quotes are escaped.
 */
function syntaxProblem({ fault }: SipMessage): string {
  if (fault === undefined) return "";
  let phrase = "";
  for (let i = 0; i < fault.length && i < LONGEST_FAULT; i++) {
    const char = fault.charAt(i);
    const isPlain =
      (char >= "a" && char <= "z") ||
      (char >= "A" && char <= "Z") ||
      (char >= "0" && char <= "9") ||
      char === " " ||
      PHRASE_MARKS.includes(char);
    phrase += isPlain ? char : encodeURIComponent(char);
  }
  return ` (${phrase})`;
}

/**
 * Replaces each control byte outside CRLF by a space. What is copied from a malformed request must
 * not end a line for any reader.
 */
function withoutControls(text: string): string {
  let out = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === CR && text.charCodeAt(i + 1) === LF) i++;
    else if (c === DEL || (c < SP && c !== TAB)) {
      out += `${text.slice(from, i)} `;
      from = i + 1;
    }
  }
  return out + text.slice(from);
}
