// SIP messages of the simulated parties: written, and read as far as the parties need it.
/** The first header field `name` of a message as the filter writes it; "" when there is none. */
export function field(text: string, name: string): string {
  const at = text.indexOf(`\r\n${name}: `);
  if (at < 0) return "";
  const start = at + name.length + 4;
  return text.slice(start, text.indexOf("\r\n", start));
}

/** The tag of a From or To value. */
export function tagOf(value: string): string {
  const at = value.indexOf(";tag=");
  return at < 0 ? "" : value.slice(at + 5);
}

export const isResponse = (text: string): boolean => text.startsWith("SIP/2.0 ");
export const statusOf = (text: string): number => Number(text.slice(8, 11));

/** The method of a request, or of the request that a response answers. */
export function methodOf(text: string): string {
  if (!isResponse(text)) return text.slice(0, text.indexOf(" "));
  const cseq = field(text, "CSeq");
  return cseq.slice(cseq.indexOf(" ") + 1);
}

/** The branch of the top Via. */
export function branchOf(text: string): string {
  const via = field(text, "Via");
  const at = via.indexOf("branch=") + 7;
  const end = via.indexOf(";", at);
  return end < 0 ? via.slice(at) : via.slice(at, end);
}

export interface RequestLines {
  readonly method: string;
  readonly uri: string;
  /** `udp:ADDRESS:PORT` of the sender. */
  readonly at: string;
  readonly branch: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: string;
  readonly more?: string;
}

export function writeRequest({
  method,
  uri,
  at,
  branch,
  from,
  to,
  callId,
  cseq,
  more = "",
}: RequestLines): string {
  const [transport, address, port] = at.split(":");
  return (
    `${method} ${uri} SIP/2.0\r\n` +
    `Via: SIP/2.0/${transport === "udp" ? "UDP" : "TCP"} ${address}:${port};branch=${branch}\r\n` +
    `From: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n` +
    `Max-Forwards: 70\r\nContact: <sip:party@${address}:${port}>\r\n${more}Content-Length: 0\r\n\r\n`
  );
}

/** The answer of a UAS: what must be copied is copied (RFC 3261 section 8.2.6.2). */
export function writeAnswer(request: string, status: number, tag: string, more = ""): string {
  let copied = "";
  for (const line of request.slice(0, request.indexOf("\r\n\r\n")).split("\r\n")) {
    const name = line.slice(0, line.indexOf(":"));
    if (name === "Via" || name === "From" || name === "Call-ID" || name === "CSeq" || name === "Record-Route")
      copied += `${line}\r\n`;
    else if (name === "To")
      copied += tag === "" || line.includes(";tag=") ? `${line}\r\n` : `${line};tag=${tag}\r\n`;
  }
  return `SIP/2.0 ${status} Whatever\r\n${copied}${more}Content-Length: 0\r\n\r\n`;
}
