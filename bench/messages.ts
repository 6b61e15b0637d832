/** The messages of a call as SIPp's scenario writes them, for what is measured without a network. */

export interface CallText {
  readonly address: string;
  readonly port: number;
  /** Caller and called party as they stand in the user part. */
  readonly caller: string;
  readonly called: string;
  readonly callId: string;
  /** Host and port of the filter. */
  readonly filter: string;
}

const sdp = (address: string): string =>
  [
    "v=0",
    `o=pbx 53655765 2353687637 IN IP4 ${address}`,
    "s=-",
    `c=IN IP4 ${address}`,
    "t=0 0",
    "m=audio 16384 RTP/AVP 8 0 101",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
    "a=ptime:20",
    "a=sendrecv",
    "",
  ].join("\r\n");

/** An ordinary INVITE of some 850 bytes: From and P-Asserted-Identity with the same number, PCM offer. */
export function inviteOf(call: CallText): string {
  return requestOf(
    call,
    "INVITE",
    1,
    "",
    [
      `Contact: <sip:${call.caller}@${call.address}:${call.port}>`,
      `P-Asserted-Identity: <sip:${call.caller}@${call.address};user=phone>`,
      "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE",
      "Supported: 100rel, timer",
      "Session-Expires: 1800;refresher=uac",
      "Min-SE: 90",
      "User-Agent: lease-pbx/4.2",
      "Content-Type: application/sdp",
    ],
    sdp(call.address),
  );
}

/** A request of the call; `toTag` empty: outside a dialog. Every request has a branch of its own. */
export function requestOf(
  call: CallText,
  method: string,
  cseq: number,
  toTag: string,
  headers: readonly string[] = [],
  body = "",
): string {
  const lines = [
    `${method} sip:${call.called}@${call.filter} SIP/2.0`,
    `Via: SIP/2.0/UDP ${call.address}:${call.port};branch=z9hG4bK-${call.callId}-${method};rport`,
    "Max-Forwards: 70",
    `From: <sip:${call.caller}@${call.address};user=phone>;tag=s${call.callId}`,
    `To: <sip:${call.called}@${call.filter};user=phone>${toTag === "" ? "" : `;tag=${toTag}`}`,
    `Call-ID: ${call.callId}`,
    `CSeq: ${cseq} ${method}`,
    ...headers,
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** The answer to a request as it arrived: Via, Record-Route, From, To, Call-ID and CSeq are taken from it. */
export function answerTo(request: string, status: string, toTag: string, withBody: boolean): string {
  const kept = ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"];
  const head = request.slice(0, request.indexOf("\r\n\r\n")).split("\r\n");
  const copied = head.filter((line) => kept.includes(line.slice(0, line.indexOf(":"))));
  const tagged = copied.map((line) =>
    line.startsWith("To:") && !line.includes(";tag=") ? `${line};tag=${toTag}` : line,
  );
  const body = withBody ? sdp("127.0.0.1") : "";
  const type = withBody ? ["Content-Type: application/sdp"] : [];
  return `${[`SIP/2.0 ${status}`, ...tagged, "Contact: <sip:127.0.0.1:5090>", ...type, `Content-Length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`;
}
