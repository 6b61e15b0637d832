// A call through the test proxy that is to be released: its INVITE, its answer, and requests inside it.
import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  peers,
  request,
  respond,
  type Sent,
  type TestProxy,
} from "./proxy.ts";

export const CALLER = "<sip:+861087654321@203.0.113.10>;tag=caller";
export const CALLED = "<sip:02787654321@192.0.2.1>";

/** A proxy that sends no OPTIONS. */
export function createQuietProxy(
  options?: Parameters<typeof createTestProxy>[1],
  policy: string = basicPolicy,
): TestProxy {
  return createTestProxy(compileText(`${policy}nextHopHealth: { probe: off }\n`), options);
}

export interface StandingCall {
  readonly callId: string;
  /** The INVITE as the called side got it. */
  readonly invite: Sent;
  /** Our Route values as either side has them from the answer. */
  readonly route: string;
}

let branches = 0;
export const via = (at: string): readonly string[] => [
  `SIP/2.0/UDP ${at};branch=z9hG4bKr${branches++};rport`,
];

/** Adds header lines to a message. */
export function withLines(text: string, lines: readonly string[]): string {
  return text.replace("Content-Length", `${lines.map((line) => `${line}\r\n`).join("")}Content-Length`);
}

/** Places a call; the caller hears nothing yet. */
export function placeCall(proxy: TestProxy, callId = "call-1", headers?: readonly string[]): Sent {
  const [invite] = proxy.receive(
    peers.lessee,
    request({
      callId,
      cseq: "10 INVITE",
      from: CALLER,
      to: CALLED,
      via: via(peers.lessee),
      headers: headers ?? ["Contact: <sip:pbx@203.0.113.10:5070>"],
    }),
  );
  if (invite === undefined) throw new Error("the INVITE did not go on");
  return invite;
}

/** Places a call that is answered. `lines` stand in the 200. */
export function answerCall(
  proxy: TestProxy,
  {
    callId = "call-1",
    lines = [],
    headers,
    tag = "called",
    contact = "<sip:uas@198.51.100.7:5080>",
  }: {
    callId?: string;
    lines?: readonly string[];
    headers?: readonly string[];
    tag?: string;
    contact?: string;
  } = {},
): StandingCall {
  const invite = placeCall(proxy, callId, headers);
  const [answer] = answer2xx(proxy, invite, { lines, tag, contact });
  return { callId, invite, route: header(answer?.text ?? "", "Record-Route") ?? "" };
}

export function answer2xx(
  proxy: TestProxy,
  invite: Sent,
  {
    lines = [],
    tag = "called",
    contact = "<sip:uas@198.51.100.7:5080>",
  }: {
    lines?: readonly string[];
    tag?: string;
    contact?: string;
  } = {},
): Sent[] {
  return proxy.receive(invite.to, withLines(respond(invite.text, 200, { toTag: tag, contact }), lines));
}

/** A request of a side inside the call. */
export function within(
  proxy: TestProxy,
  call: StandingCall,
  side: "caller" | "called",
  method: string,
  {
    cseq = 11,
    headers = [],
    tag = "called",
  }: { cseq?: number; headers?: readonly string[]; tag?: string } = {},
): Sent[] {
  const from = `${CALLED};tag=${tag}`;
  const at = side === "caller" ? peers.lessee : peers.core;
  return proxy.receive(
    at,
    request({
      method,
      callId: call.callId,
      cseq: `${cseq} ${method}`,
      from: side === "caller" ? CALLER : from,
      to: side === "caller" ? from : CALLER,
      via: via(at),
      headers: [`Route: ${call.route}`, ...headers],
    }),
  );
}

/** What a message of ours says, line by line, without what differs from run to run. */
export function linesOf({ to, text }: Sent): string[] {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const lines = head.split("\r\n").map((line) => (line.startsWith("Via: ") ? "Via" : line));
  return [`to ${to}`, ...lines, ...(body === "" ? [] : [Buffer.from(body, "latin1").toString("hex")])];
}
