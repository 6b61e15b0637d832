/** The numbers of every scenario: the lessee's, one behind the lessee's block, and who is called. */
export const listed = "01087654321";
export const unlisted = "01087654400";
const called = "02787654321";

const sdp = [
  "v=0",
  "o=- 1 1 IN IP4 192.0.2.9",
  "s=-",
  "c=IN IP4 192.0.2.9",
  "t=0 0",
  "m=audio 16384 RTP/AVP 8",
  "a=sendrecv",
];

/** What may differ from the ordinary request of its method. */
export interface RequestParts {
  /** Number of the transaction: its branch and its CSeq. ACK of a refusal and CANCEL carry their INVITE's. */
  readonly cseq?: number;
  /** User part of the From URI. */
  readonly from?: string;
  readonly headers?: readonly string[];
  readonly offer?: boolean;
  /** A value of Content-Length that is wrong. */
  readonly length?: number;
  /** SIPp repeats it until something arrives (timer A or E), first after this many milliseconds; else it is sent once. */
  readonly repeated?: boolean | number;
}

const ends = {
  caller: {
    from: (user: string) => `<sip:${user}@[local_ip]:[local_port]>;tag=a[pid]`,
    to: `<sip:${called}@[remote_ip]:[remote_port]>`,
  },
  called: { from: () => `[$to];tag=b[pid]`, to: "[$from]" },
};

/**
 * Milliseconds. Long, since nothing is lost on a loopback and a busy machine may stand still for seconds. SIPp repeats
 * over TCP too. A called SIPp that reads an INVITE and its repeat in one go takes the repeat for a new request and aborts.
 */
const TIMER = 30_000;

/**
 * Steps of one side, each a piece of the XML that SIPp reads. A scenario's sides are lists of these, so that a call flow
 * is read as in RFC 3665, and one text of every message serves all of them.
 */
function send(
  lines: readonly string[],
  body: readonly string[],
  length?: number,
  repeated: boolean | number = false,
): string {
  const after = repeated === true ? TIMER : repeated;
  const text = [...lines, `Content-Length: ${length ?? "[len]"}`, "", ...body, ""].join("\n");
  return `<send${after === false ? "" : ` retrans="${after}"`}><![CDATA[\n${text}\n]]></send>`;
}

/** Start line and fields of a request; dialogs are followed by SIPp's own reading of Record-Route and Contact. */
function request(
  method: string,
  side: keyof typeof ends,
  isInDialog: boolean,
  { cseq = 1, from = listed, headers = [], offer = false, length, repeated = false }: RequestParts,
  branch = `z9hG4bK[pid]-${side}-${method === "ACK" ? "ACK-" : ""}${cseq}`,
): string {
  const { to } = ends[side];
  return send(
    [
      `${method} ${isInDialog ? "[next_url]" : `sip:${called}@[remote_ip]:[remote_port]`} SIP/2.0`,
      `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch};rport`,
      ...(isInDialog ? ["[routes]"] : []),
      "Max-Forwards: 70",
      `From: ${ends[side].from(from)}`,
      `To: ${to}${isInDialog && side === "caller" ? "[peer_tag_param]" : ""}`,
      "Call-ID: [call_id]",
      `CSeq: ${cseq} ${method}`,
      ...(method === "INVITE" || method === "UPDATE"
        ? ["Contact: <sip:pbx@[local_ip]:[local_port];transport=[transport]>"]
        : []),
      ...headers,
      ...(offer ? ["Content-Type: application/sdp"] : []),
    ],
    offer ? sdp : [],
    length,
    repeated,
  );
}

/** A request of the calling side that stands in no dialog yet, or belongs to the INVITE that began one. */
export function begin(method: "INVITE" | "CANCEL" | "OPTIONS" | "BYE", parts: RequestParts = {}): string {
  return request(method, "caller", false, parts);
}

/** A request of the calling side inside the dialog. */
export function within(method: string, parts: RequestParts = {}): string {
  return request(method, "caller", true, parts);
}

/** A request of the called side inside the dialog. */
export function withinByCalled(method: string, parts: RequestParts = {}): string {
  return request(method, "called", true, parts);
}

/** The ACK of a refusal: hop by hop, on the INVITE's branch (RFC 3261 section 17.1.1.3). */
export function acknowledgeRefusal(cseq = 1, isInDialog = false): string {
  const branch = `z9hG4bK[pid]-caller-${cseq}`;
  const ack = request("ACK", "caller", isInDialog, { cseq }, branch);
  return isInDialog ? ack : ack.replace(`To: ${ends.caller.to}`, `To: ${ends.caller.to}[peer_tag_param]`);
}

/** The INVITE that begins the call, at the called side: what answers and later requests need of it is kept. */
export const takeCall = `<recv request="INVITE" rrs="true"><action>
  <ereg regexp="SIP/2.0..(.*)Max-Forwards: 69" search_in="msg" check_it="true" assign_to="all,path"/>
  <ereg regexp="Record-Route: .sip:[^>]*;lr;sw=" search_in="msg" check_it="true" assign_to="route"/>
  <ereg regexp="a=sendrecv..$" search_in="msg" check_it="true" assign_to="body"/>
  <ereg regexp="&lt;sip:.*" search_in="hdr" header="From:" check_it="true" assign_to="from"/>
  <ereg regexp="&lt;sip:.*" search_in="hdr" header="To:" check_it="true" assign_to="to"/>
</action></recv>
<Reference variables="all,route,body"/>`;

/** An answer of the called side to the INVITE that began the call. */
export function answer(
  status: number,
  parts: {
    readonly tag?: string;
    readonly headers?: readonly string[];
    readonly offer?: boolean;
    readonly repeated?: number;
  } = {},
): string {
  const { tag = "b", headers = [], offer = false, repeated = TIMER } = parts;
  return send(
    [
      `SIP/2.0 ${status} Answer`,
      "[$path]From: [$from]",
      `To: [$to]${status === 100 ? "" : `;tag=${tag}[pid]`}`,
      "Call-ID: [call_id]",
      "CSeq: 1 INVITE",
      ...(status > 100 && status < 300
        ? ["Contact: <sip:core@[local_ip]:[local_port];transport=[transport]>"]
        : []),
      ...headers,
      ...(offer ? ["Content-Type: application/sdp"] : []),
    ],
    offer ? sdp : [],
    undefined,
    // Timer G for refusals; the answer of a call is repeated until its ACK too (RFC 3261 section 13.3.1.4).
    status >= 200 && repeated,
  );
}

/** An answer to the request that came last. */
export function answerLast(status: number): string {
  return send(
    [
      `SIP/2.0 ${status} Answer`,
      "[last_Via:]",
      "[last_From:]",
      "[last_To:]",
      "[last_Call-ID:]",
      "[last_CSeq:]",
      "Contact: <sip:[local_ip]:[local_port];transport=[transport]>",
    ],
    [],
  );
}

/** Waits for a response; one with a dialog keeps its route. `matching` is a POSIX expression that the whole message must meet. */
export function receive(status: number, matching?: string): string {
  const keeps = status > 100 && status < 300 ? ' rrs="true"' : "";
  if (matching === undefined) return `<recv response="${status}"${keeps}/>`;
  return `<recv response="${status}"${keeps}><action>
  <ereg regexp="${matching}" search_in="msg" check_it="true" assign_to="matched"/>
</action></recv>
<Reference variables="matched"/>`;
}

/** Waits for a request inside the dialog. */
export function take(method: string): string {
  return `<recv request="${method}"/>`;
}

export function pause(milliseconds: number): string {
  return `<pause milliseconds="${milliseconds}"/>`;
}

/** The whole scenario of one side. */
export function writeScript(name: string, steps: readonly string[]): string {
  return `<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="${name}">\n${steps.join("\n")}\n</scenario>\n`;
}
