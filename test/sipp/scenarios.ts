import { T1 } from "../../src/sip/timers.ts";
import {
  acknowledgeRefusal,
  answer,
  answerLast,
  begin,
  pause,
  receive,
  take,
  takeCall,
  unlisted,
  within,
  withinByCalled,
} from "./script.ts";

/** One call as both sides play it, and what the filter must have counted when it is over. */
export interface Scenario {
  readonly name: string;
  readonly caller: readonly string[];
  /** Undefined: nothing at all may arrive there. */
  readonly called?: readonly string[];
  /** Counters that rise, and by how much, as `name{labels}`; no other may. */
  readonly counts: Readonly<Record<string, number>>;
  /** True where a side must see every repeat: SIPp then neither repeats itself nor hides what it has seen before. */
  readonly seesRepeats?: { readonly caller?: true; readonly called?: true };
  /** True where the repeats of an unreliable transport are the point. */
  readonly datagramsOnly?: true;
}

/** The series of a decision. */
function decided(verdict: string, reason: string, rule: string): string {
  return `attempts{trunk="lease",verdict="${verdict}",reason="${reason}",rule="${rule}",mode="enforce"}`;
}

const accepted = decided("accept", "listed", "default");
const notListed = decided("reject", "cli-not-listed", "caller-authentication");
const repeats = 'retransmissions{trunk="lease"}';
const once = { [accepted]: 1 };

/** The beginning and the end that most calls share. */
const invite = begin("INVITE", { offer: true, repeated: true });
const ring = [receive(100), receive(180, "Record-Route: .*;sw=[^>]*")];
const ring2 = [takeCall, answer(100), answer(180)];
const answerSoonRepeated = answer(200, { offer: true, repeated: T1 });
const establish = [invite, ...ring, receive(200, "a=sendrecv"), within("ACK")];
const establish2 = [...ring2, answer(200, { offer: true }), take("ACK")];
const hangUp = (cseq = 2): string[] => [within("BYE", { cseq, repeated: true }), receive(200)];
const hangUp2 = [take("BYE"), answerLast(200)];

/** A call that the called side doesn't take: the answer goes through as it is, and its ACK is the filter's to pass. */
function declined(status: number): Scenario {
  const headers = status < 400 ? ["Contact: <sip:02787654322@192.0.2.77>"] : [];
  return {
    name: `answered ${status}`,
    caller: [
      invite,
      receive(100),
      receive(status, status < 400 ? "Contact: .sip:02787654322@192.0.2.77" : "Call-ID: "),
      acknowledgeRefusal(),
    ],
    called: [takeCall, answer(100), answer(status, { headers }), take("ACK")],
    counts: once,
  };
}

/** A call that the filter refuses: nothing of it reaches the called side, and the ACK ends here. */
function refused(name: string, parts: Parameters<typeof begin>[1], status: number, count: string): Scenario {
  return {
    name: `refused: ${name}, ${status}`,
    caller: [begin("INVITE", { offer: true, ...parts }), receive(status), acknowledgeRefusal()],
    counts: { [count]: 1 },
  };
}

export const scenarios: readonly Scenario[] = [
  {
    name: "allowed, ended by the caller",
    caller: [...establish, ...hangUp()],
    called: [...establish2, ...hangUp2],
    counts: once,
  },
  {
    name: "allowed, ended by the called side",
    caller: [...establish, take("BYE"), answerLast(200)],
    called: [...establish2, withinByCalled("BYE", { repeated: true }), receive(200)],
    counts: once,
  },
  refused("not listed", { from: unlisted }, 403, notListed),
  refused("hidden", { headers: ["Privacy: id"] }, 433, decided("reject", "cli-hidden", "hidden-caller")),
  refused(
    "a second, forged identity",
    { headers: [`P-Asserted-Identity: <sip:${unlisted}@192.0.2.9>`] },
    403,
    notListed,
  ),
  refused(
    "two From fields, one of them compact",
    { headers: ["f: <sip:01087654322@192.0.2.9>;tag=z"] },
    400,
    decided("reject", "message-malformed", "protocol"),
  ),
  {
    ...refused(
      "a body shorter than its Content-Length",
      { length: 5000 },
      400,
      decided("reject", "message-malformed", "protocol"),
    ),
    // A stream would wait for the rest.
    datagramsOnly: true,
  },
  {
    name: "refused, and the INVITE repeated: the same answer",
    caller: [
      begin("INVITE", { from: unlisted }),
      receive(403),
      begin("INVITE", { from: unlisted }),
      receive(403),
      acknowledgeRefusal(),
    ],
    seesRepeats: { caller: true },
    counts: { [notListed]: 1, [repeats]: 1 },
    datagramsOnly: true,
  },
  {
    name: "CANCEL before 180",
    caller: [
      invite,
      receive(100),
      begin("CANCEL", { repeated: true }),
      receive(200),
      receive(487),
      acknowledgeRefusal(),
    ],
    called: [takeCall, answer(100), take("CANCEL"), answerLast(200), answer(487), take("ACK")],
    counts: once,
  },
  {
    name: "CANCEL after 180",
    caller: [
      invite,
      ...ring,
      begin("CANCEL", { repeated: true }),
      receive(200),
      receive(487),
      acknowledgeRefusal(),
    ],
    called: [...ring2, take("CANCEL"), answerLast(200), answer(487), take("ACK")],
    counts: once,
  },
  {
    name: "INVITE repeated with the same bytes: both copies arrive, one attempt",
    caller: [begin("INVITE", { offer: true, repeated: T1 }), ...establish.slice(1), ...hangUp()],
    called: [takeCall, takeCall, answer(100), answer(180), ...establish2.slice(3), ...hangUp2],
    seesRepeats: { called: true },
    counts: { [accepted]: 1, [repeats]: 1 },
    datagramsOnly: true,
  },
  {
    name: "INVITE repeated with another caller: 400, and the call goes on",
    caller: [
      invite,
      receive(100),
      begin("INVITE", { offer: true, from: "01087654322" }),
      receive(400),
      receive(180),
      receive(200),
      within("ACK"),
      ...hangUp(),
    ],
    called: [takeCall, answer(100), pause(2000), answer(180), ...establish2.slice(3), ...hangUp2],
    counts: { [accepted]: 1, 'forged_repeats{trunk="lease"}': 1 },
  },
  {
    name: "200 lost on the way: its repeat is acknowledged",
    caller: [invite, ...ring, receive(200), receive(200), within("ACK"), ...hangUp()],
    called: [...ring2, answerSoonRepeated, take("ACK"), ...hangUp2],
    seesRepeats: { caller: true },
    counts: once,
    datagramsOnly: true,
  },
  {
    name: "ACK late: 200 repeated twice",
    caller: [invite, ...ring, receive(200), pause(1800), within("ACK"), ...hangUp()],
    called: [...ring2, answerSoonRepeated, take("ACK"), ...hangUp2],
    counts: once,
    datagramsOnly: true,
  },
  {
    name: "re-INVITE of the caller",
    caller: [
      ...establish,
      within("INVITE", { cseq: 2, offer: true, repeated: true }),
      receive(200),
      within("ACK", { cseq: 2 }),
      ...hangUp(3),
    ],
    called: [...establish2, take("INVITE"), answerLast(200), take("ACK"), ...hangUp2],
    counts: once,
  },
  {
    name: "re-INVITE of the called side",
    caller: [...establish, take("INVITE"), answerLast(200), take("ACK"), ...hangUp(3)],
    called: [
      ...establish2,
      withinByCalled("INVITE", { cseq: 7, offer: true, repeated: true }),
      receive(200),
      withinByCalled("ACK", { cseq: 7 }),
      ...hangUp2,
    ],
    counts: once,
  },
  {
    name: "re-INVITE with a forged caller: 403, and the call goes on",
    caller: [
      ...establish,
      within("INVITE", {
        cseq: 2,
        offer: true,
        headers: [`P-Asserted-Identity: <sip:${unlisted}@192.0.2.9>`],
      }),
      receive(403),
      acknowledgeRefusal(2, true),
      ...hangUp(3),
    ],
    called: [...establish2, ...hangUp2],
    counts: { [accepted]: 1, [notListed]: 1 },
  },
  {
    name: "UPDATE with the same caller",
    caller: [...establish, within("UPDATE", { cseq: 2, repeated: true }), receive(200), ...hangUp(3)],
    called: [...establish2, take("UPDATE"), answerLast(200), ...hangUp2],
    counts: once,
  },
  {
    name: "UPDATE with a forged caller: 403, and the call goes on",
    caller: [...establish, within("UPDATE", { cseq: 2, from: unlisted }), receive(403), ...hangUp(3)],
    called: [...establish2, ...hangUp2],
    counts: { [accepted]: 1, [notListed]: 1 },
  },
  {
    name: "INFO in the dialog",
    caller: [...establish, within("INFO", { cseq: 2, repeated: true }), receive(200), ...hangUp(3)],
    called: [...establish2, take("INFO"), answerLast(200), ...hangUp2],
    counts: once,
  },
  {
    name: "PRACK of a reliable 180 (RFC 3262)",
    caller: [
      begin("INVITE", { offer: true, repeated: true, headers: ["Supported: 100rel"] }),
      receive(100),
      receive(180, "RSeq: 9"),
      within("PRACK", { cseq: 2, repeated: true, headers: ["RAck: 9 1 INVITE"] }),
      receive(200, "CSeq: 2 PRACK"),
      receive(200),
      within("ACK"),
      ...hangUp(3),
    ],
    called: [
      takeCall,
      answer(100),
      answer(180, { headers: ["Require: 100rel", "RSeq: 9"] }),
      take("PRACK"),
      answerLast(200),
      answer(200, { offer: true }),
      take("ACK"),
      ...hangUp2,
    ],
    counts: once,
  },
  {
    name: "early media: 183 with SDP",
    caller: [
      invite,
      receive(100),
      receive(183, "a=sendrecv"),
      receive(180),
      receive(200),
      within("ACK"),
      ...hangUp(),
    ],
    called: [
      takeCall,
      answer(100),
      answer(183, { offer: true }),
      answer(180),
      ...establish2.slice(3),
      ...hangUp2,
    ],
    counts: once,
  },
  {
    name: "forked behind us: two early dialogs, the second one answers",
    caller: [
      invite,
      receive(100),
      receive(180, "To: .*tag=one"),
      receive(180, "To: .*tag=b"),
      receive(200, "To: .*tag=b"),
      within("ACK"),
      ...hangUp(),
    ],
    called: [
      takeCall,
      answer(100),
      answer(180, { tag: "one" }),
      answer(180),
      ...establish2.slice(3),
      ...hangUp2,
    ],
    counts: once,
  },
  ...[302, 404, 486, 500, 503, 603].map(declined),
  {
    name: "OPTIONS is answered here",
    caller: [begin("OPTIONS"), receive(200, "Allow: INVITE")],
    counts: {},
  },
  {
    name: "a BYE of no dialog",
    caller: [begin("BYE", { headers: [] }).replace(">\nCall-ID", ">;tag=none\nCall-ID"), receive(481)],
    counts: {
      'requests{trunk="lease",method="BYE",verdict="reject",reason="dialog-unknown",rule="protocol",mode="enforce"}': 1,
    },
  },
];
