// Writes the responses that the filter itself gives to a request.
import { Header, type HeaderId } from "./header.ts";
import { headerValue, nextHeader, type SipMessage } from "./message.ts";
import { CR, DEL, LF, SP, TAB } from "./octet.ts";
import { createPen, putOctets, putText, textFrom, type OctetPen } from "./octet-pen.ts";

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

/** Status lines that were written before, by status: there are as many as there are statuses of ours. */
const statusLines: (string | undefined)[] = [];

function statusLine(status: number): string {
  return (statusLines[status] ??= `SIP/2.0 ${status} ${reasonPhrase(status)}`);
}

/** Writes the value of the field at `index`, unfolded. */
function putValue(pen: OctetPen, message: SipMessage, index: number): void {
  if (message.folded[index] === 1) putText(pen, headerValue(message, index));
  else putOctets(pen, message.bytes, message.valueStart[index]!, message.valueEnd[index]!);
}

/**
 * Copies the first field `id` under its long name. A request with two of them is refused, and the
 * refusal has one (RFC 3261 section 8.2.6.2).
 */
function copy(pen: OctetPen, message: SipMessage, id: HeaderId, name: string): void {
  const index = message.first[id]!;
  if (index < 0) return;
  putText(pen, name);
  putValue(pen, message, index);
  putText(pen, END_OF_LINE);
}

const END_OF_LINE = "\r\n";

/**
 * Begins a response to the request in `message`: the status line, and the name of the first Via field. Its value
 * follows, with received and rport filled in, and then {@link putFields}.
 */
export function putStatus(pen: OctetPen, message: SipMessage, status: number): void {
  putText(pen, statusLine(status));
  if (status === 400) putText(pen, syntaxProblem(message));
  putText(pen, "\r\nVia: ");
}

/**
 * Ends the response that begins at `begun`, as a stateless UAS does (RFC 3261 sections 8.2.6 and 8.2.7). The same
 * request always gives the same bytes.
 * @param toTag the tag that To gets; "" when the request's To has one
 * @param extra whole header lines, each with its CRLF
 */
export function putFields(
  pen: OctetPen,
  begun: number,
  message: SipMessage,
  toTag: string,
  extra: string,
): void {
  putText(pen, END_OF_LINE);
  const first = message.first[Header.via]!;
  for (let i = nextHeader(message, Header.via, first); i >= 0; i = nextHeader(message, Header.via, i)) {
    putText(pen, "Via: ");
    putValue(pen, message, i);
    putText(pen, END_OF_LINE);
  }
  copy(pen, message, Header.from, "From: ");
  const to = message.first[Header.to]!;
  if (to >= 0) {
    putText(pen, "To: ");
    putValue(pen, message, to);
    if (toTag !== "") {
      putText(pen, ";tag=");
      putText(pen, toTag);
    }
    putText(pen, END_OF_LINE);
  }
  copy(pen, message, Header.callId, "Call-ID: ");
  copy(pen, message, Header.cseq, "CSeq: ");
  putText(pen, extra);
  putText(pen, "Content-Length: 0\r\n\r\n");
  if (message.fault !== undefined) blankControls(pen.bytes, begun, pen.at);
}

const written = createPen();

/**
 * Writes a whole response as a text.
 * @param message the request
 * @param topVia the first Via value with received and rport filled in
 */
export function formatResponse(
  message: SipMessage,
  status: number,
  topVia: string,
  toTag: string,
  extra: string,
): string {
  written.at = 0;
  putStatus(written, message, status);
  putText(written, topVia);
  putFields(written, 0, message, toTag, extra);
  return textFrom(written, 0);
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
function blankControls(bytes: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (c === CR && i + 1 < to && bytes[i + 1] === LF) i++;
    else if (c === DEL || (c < SP && c !== TAB)) bytes[i] = SP;
  }
}
