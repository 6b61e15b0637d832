// The two parties of a simulated call: user agents with the repeats of RFC 3261.
import type { Said } from "./naive-count.ts";
import {
  branchOf,
  field,
  isResponse,
  methodOf,
  statusOf,
  tagOf,
  writeAnswer,
  writeRequest,
} from "./messages.ts";
import type { Plan } from "./plans.ts";
import { place } from "./filter.ts";

const T1 = 500;
const T2 = 4000;
const T64 = 64 * T1;

/** What the parties of a call have around them. */
export interface Surroundings {
  readonly after: (millis: number, step: () => void) => void;
  /** Sends a message to the filter; it may get lost on its way. */
  readonly send: (from: string, text: string, said: Said) => void;
}

/** Both parties of one call: user agents with the repeats of RFC 3261 section 17 and 13.3.1.4. */
export interface Parties {
  readonly callId: string;
  begin(): void;
  /** A message of the filter has arrived at a place. */
  hear(at: string, text: string): void;
}

const OTHER: Said = { what: "other" };
const REQUEST: Said = { what: "request" };

const callerPlaces: Readonly<Record<string, string>> = {
  lease: place.lease,
  second: place.second,
  wired: place.wired,
  far: place.far,
  abroad: place.abroad,
  core: place.core,
};

type Side = "caller" | "called";

/** One side's half of a dialog. */
interface Half {
  readonly side: Side;
  readonly tag: string;
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly route: string;
  cseq: number;
  hasLeft: boolean;
}

export function createParties(plan: Plan, number: number, { after, send }: Surroundings): Parties {
  const callId = `call-${number}@day`;
  const at = callerPlaces[plan.trunk] ?? place.lease;
  const isStream = at.startsWith("tcp");
  const [, host = ""] = at.split(":");
  const from = `<sip:${plan.caller}@${host}>;tag=c${number}`;
  const to = `<sip:${plan.called}@192.0.2.1>`;
  const uri =
    plan.goesTo === undefined ? `sip:${plan.called}@192.0.2.1` : `sip:${plan.called}@${plan.goesTo.slice(4)}`;
  const inviteBranch = `z9hG4bKi${number}`;
  let branches = 0;

  /** Repeats a message by RFC 3261 timers A and E until it need not be any more. */
  const repeat = (from_: string, text: string, said: Said, isDone: () => boolean, most = Infinity): void => {
    send(from_, text, said);
    if (from_.startsWith("tcp")) return;
    let pause = T1;
    let waited = 0;
    const again = (): void => {
      if (isDone() || waited >= T64) return;
      send(from_, text, said);
      pause = Math.min(pause * 2, most);
      waited += pause;
      after(pause, again);
    };
    waited = pause;
    after(pause, again);
  };

  // The requests of both sides inside their dialogs.
  const waiting = new Map<string, (status: number) => void>();
  const request = (
    half: Half,
    method: string,
    said: (id: string) => Said,
    more: string,
    then?: (status: number) => void,
  ): void => {
    const branch = `z9hG4bK${half.side}${number}-${++branches}`;
    let isDone = false;
    waiting.set(branch, (status) => {
      if (status < 200 || isDone) return;
      isDone = true;
      then?.(status);
    });
    const text = writeRequest({
      method,
      uri: "sip:party@192.0.2.99",
      at: half.at,
      branch,
      from: half.from,
      to: half.to,
      callId,
      cseq: `${++half.cseq}`,
      more: `Route: ${half.route}\r\n${more}`,
    });
    repeat(half.at, text, said(branch), () => isDone, method === "INVITE" ? Infinity : T2);
  };

  const leave = (half: Half): void => {
    if (half.hasLeft) return;
    half.hasLeft = true;
    const challenged = (status: number): void => {
      if (status !== 401 && status !== 407) return;
      half.hasLeft = false;
      after(200, () => leave(half));
    };
    request(half, "BYE", (id) => ({ what: "bye", by: half.side, tag: half.tag, id }), "", challenged);
  };

  const refresh = (half: Half, left: number): void => {
    const method = plan.refreshBy;
    if (method === undefined || left === 0) return;
    after((plan.session * 1000) / 2, () => {
      if (half.hasLeft) return;
      request(
        half,
        method,
        () => REQUEST,
        `Session-Expires: ${plan.session}\r\n`,
        (status) => {
          if (status < 300 && method === "INVITE") acknowledge(half);
          refresh(half, left - 1);
        },
      );
    });
  };

  const acknowledge = (half: Half): void => {
    const { side, cseq, route, at: here, from: from_, to: to_ } = half;
    const more = `Route: ${route}\r\n`;
    const ack = { method: "ACK", uri: "sip:party@192.0.2.99", at: here, from: from_, to: to_, callId, more };
    send(
      here,
      writeRequest({ ...ack, branch: `z9hG4bKack${side}${number}-${++branches}`, cseq: `${cseq}` }),
      OTHER,
    );
  };

  /** How an established dialog ends: planned once, by the caller's side. */
  const talk = (half: Half): void => {
    refresh(half, plan.refreshes);
    if (plan.refers)
      after(plan.talksFor / 2, () =>
        request(half, "REFER", () => REQUEST, "Refer-To: <sip:02780000000@192.0.2.1>\r\n"),
      );
    if (plan.bye === "caller" || plan.bye === "both") after(plan.talksFor, () => leave(half));
  };

  // The caller.
  const dialogs = new Map<string, Half>();
  let isAnswered = false;
  let isProceeding = false;
  const cancel = (): void => {
    const branch = inviteBranch;
    const text = writeRequest({ method: "CANCEL", uri, at, branch, from, to, callId, cseq: "1" });
    let isDone = false;
    waiting.set("cancel", (status) => void (isDone ||= status >= 200));
    repeat(at, text, { what: "cancel" }, () => isDone, T2);
  };
  const hearAnswer = (text: string): void => {
    const status = statusOf(text);
    isAnswered ||= status >= 200;
    if (status < 200) {
      if (!isProceeding && plan.cancelsAfter !== undefined)
        after(plan.cancelsAfter, () => !isAnswered && cancel());
      isProceeding = true;
      return;
    }
    const toValue = field(text, "To");
    if (status >= 300) {
      const branch = inviteBranch;
      send(at, writeRequest({ method: "ACK", uri, at, branch, from, to: toValue, callId, cseq: "1" }), OTHER);
      return;
    }
    const tag = tagOf(toValue);
    const known = dialogs.get(tag);
    const route = field(text, "Record-Route");
    const half = known ?? {
      side: "caller" as const,
      tag,
      at,
      from,
      to: toValue,
      route,
      cseq: 1,
      hasLeft: false,
    };
    acknowledge({ ...half, cseq: 1 });
    if (known !== undefined) return;
    dialogs.set(tag, half);
    talk(half);
  };

  // The called side, one user agent at each next hop.
  interface Phone {
    readonly half: Half;
    isAcknowledged: boolean;
  }
  interface Hop {
    readonly invite: string;
    last: string | undefined;
    lastSaid: Said;
    isFinal: boolean;
    isAcknowledged: boolean;
    readonly phones: Map<string, Phone>;
  }
  const hops = new Map<string, Hop>();
  const served = new Map<string, { text: string; said: Said }>();

  const respond = (hop: Hop, here: string, status: number, tag: string): void => {
    const session = status >= 200 && status < 300 ? plan.session : 0;
    const text = writeAnswer(
      hop.invite,
      status,
      status === 100 ? "" : tag,
      session > 0 ? `Session-Expires: ${session};refresher=uac\r\n` : "",
    );
    const said: Said = { what: "answer", status, tag, session };
    hop.last = text;
    hop.lastSaid = said;
    if (status < 200) send(here, text, said);
    else if (status >= 300) {
      hop.isFinal = true;
      repeat(here, text, said, () => hop.isAcknowledged, T2);
    } else {
      hop.isFinal = true;
      const half: Half = {
        side: "called",
        tag,
        at: here,
        from: `${to};tag=${tag}`,
        to: from,
        route: field(hop.invite, "Record-Route"),
        cseq: 0,
        hasLeft: false,
      };
      const phone: Phone = { half, isAcknowledged: false };
      hop.phones.set(tag, phone);
      repeat(here, text, said, () => phone.isAcknowledged, T2);
      if (plan.bye === "called" || plan.bye === "both") after(plan.talksFor, () => leave(half));
    }
  };

  const takeInvite = (here: string, text: string): void => {
    const known = hops.get(here);
    if (known !== undefined) {
      if (known.last !== undefined && !known.isFinal) send(here, known.last, known.lastSaid);
      return;
    }
    const isFirst = hops.size === 0;
    const hop: Hop = {
      invite: text,
      last: undefined,
      lastSaid: OTHER,
      isFinal: false,
      isAcknowledged: false,
      phones: new Map(),
    };
    hops.set(here, hop);
    const tag = (phone: number): string => `t${number}-${here.slice(-7, -5)}-${phone}`;
    if (isFirst && plan.firstHop === "503") {
      respond(hop, here, 503, tag(0));
      return;
    }
    const isLate = isFirst && plan.firstHop === "late";
    const wait = isLate ? 14_000 : 0;
    if (!isLate) for (const status of plan.progress) respond(hop, here, status, tag(0));
    if (plan.ringsAfter !== undefined && !isLate)
      for (let phone = 0; phone < plan.phones; phone++)
        after(plan.ringsAfter, () => !hop.isFinal && respond(hop, here, 180, tag(phone)));
    if (plan.answersAfter === undefined) return;
    const delay = plan.firstHop === "late" && !isFirst ? 20_000 : plan.answersAfter;
    for (let phone = 0; phone < plan.phones; phone++)
      after(wait + delay + phone * 40, () => {
        if (!hop.isFinal || phone > 0) respond(hop, here, plan.status, tag(phone));
      });
    if (plan.isGlare && isFirst) after(wait + delay - 5, cancel);
  };

  const takeCancel = (here: string, text: string): void => {
    const hop = hops.get(here);
    send(here, writeAnswer(text, hop === undefined ? 481 : 200, `x${number}`), OTHER);
    if (hop === undefined || hop.isFinal || plan.isCancelIgnored) return;
    respond(hop, here, 487, `t${number}-${here.slice(-7, -5)}-0`);
  };

  // Requests inside a dialog, at either side.
  let byes = 0;
  const takeWithin = (side: Side, here: string, text: string, method: string): void => {
    const branch = `${here} ${branchOf(text)}`;
    const known = served.get(branch);
    if (known !== undefined) {
      if (known.text !== "") send(here, known.text, known.said);
      return;
    }
    const tag = tagOf(field(text, side === "called" ? "To" : "From"));
    let status = 200;
    let said: Said = OTHER;
    let more = "";
    if (method === "BYE") {
      status = plan.byeAnswers[Math.min(byes, plan.byeAnswers.length - 1)] ?? 200;
      byes++;
      said = { what: "bye-answer", tag, status, id: branch };
      const half = side === "called" ? hops.get(here)?.phones.get(tag)?.half : dialogs.get(tag);
      if (half !== undefined && status !== 401 && status !== 407) half.hasLeft = true;
    } else if (method === "INVITE" || method === "UPDATE") {
      more = plan.session > 0 ? `Session-Expires: ${plan.session}\r\n` : "";
      said = { what: "refreshed", session: plan.session };
    } else if (method === "REFER") status = 202;
    const answer = status === 0 ? "" : writeAnswer(text, status, tag, more);
    served.set(branch, { text: answer, said });
    if (answer !== "") send(here, answer, said);
  };

  const takeAck = (here: string, text: string): void => {
    const hop = hops.get(here);
    if (hop === undefined) return;
    const phone = hop.phones.get(tagOf(field(text, "To")));
    if (phone === undefined) hop.isAcknowledged = true;
    else phone.isAcknowledged = true;
  };

  return {
    callId,
    begin() {
      const text = writeRequest({
        method: "INVITE",
        uri,
        at,
        branch: inviteBranch,
        from,
        to,
        callId,
        cseq: "1",
      });
      repeat(at, text, { what: "invite" }, () => isProceeding || isAnswered || isStream);
    },
    hear(here, text) {
      const method = methodOf(text);
      if (isResponse(text)) {
        if (method === "INVITE" && here === at && branchOf(text) === inviteBranch) hearAnswer(text);
        else waiting.get(method === "CANCEL" ? "cancel" : branchOf(text))?.(statusOf(text));
      } else if (method === "ACK") takeAck(here, text);
      else if (method === "CANCEL") takeCancel(here, text);
      else if (tagOf(field(text, "To")) !== "")
        takeWithin(here === at ? "caller" : "called", here, text, method);
      else takeInvite(here, text);
    },
  };
}
