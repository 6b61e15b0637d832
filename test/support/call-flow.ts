// One call through the SIP proxy, step by step.
import type { CallEvent } from "../../src/domain/call.ts";
import { createHopProxy, hop } from "./next-hops.ts";
import { header, peers, request, respond, type Sent } from "./proxy.ts";

/** One call through a proxy with two next hops, step by step. */
export interface Flow {
  /** A second passes, then the step happens; `wait N` and `hours N` only let time pass. */
  play(step: string): void;
  events(): readonly CallEvent[];
  faults(): readonly unknown[];
  channels(): number;
}

/** A call that rings at 1 s and is answered at 2 s. */
export const answeredCall = "INVITE; 180; 200";

const CALLER = "<sip:+861087654321@203.0.113.10>;tag=caller";
const called = (tag: string): string => `<sip:02787654321@192.0.2.1>;tag=${tag}`;

export function createFlow(): Flow {
  const proxy = createHopProxy(
    `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2 }]`,
    "nextHopHealth: { probe: off }",
  );
  proxy.pass(100);
  const invites: Sent[] = [];
  /** Requests inside the dialog as they went on, the oldest first. */
  const within: Sent[] = [];
  /** As the caller learnt it from the answer. */
  let callersRoute = "";
  let branch = 0;

  const take = (sent: readonly Sent[]): void => {
    for (const each of sent) {
      if (each.text.startsWith("SIP/2.0 200")) callersRoute ||= header(each.text, "Record-Route") ?? "";
      if (each.text.startsWith("SIP/2.0")) continue;
      if (!header(each.text, "To")?.includes("tag=")) {
        if (each.text.startsWith("INVITE")) invites.push(each);
      } else if (!each.text.startsWith("ACK")) within.push(each);
    }
  };

  const invite = (caller: string): void =>
    take(proxy.receive(peers.lessee, request({ from: CALLER.replace("+861087654321", caller) })));

  /** `503`, `200 TAG`, `200 se90`, `486 17` or `486 SIP` of a next hop to its INVITE. */
  const answer = (invited: Sent | undefined, status: number, word = ""): void => {
    if (invited === undefined) throw new Error("no INVITE went there");
    const session = word.startsWith("se") ? `Session-Expires: ${word.slice(2)}\r\n` : "";
    const cause = /^\d+$/u.test(word) ? `Reason: Q.850;cause=${word}\r\n` : "";
    const other = word === "SIP" ? "Reason: SIP;cause=17\r\n" : "";
    const toTag = word !== "" && session + cause + other === "" ? word : "called";
    const text = respond(invited.text, status, { toTag });
    take(
      proxy.receive(invited.to, text.replace("Content-Length", `${session}${cause}${other}Content-Length`)),
    );
  };

  /** A request inside the dialog, with the route that the INVITE has brought. */
  const send = (method: string, side: string, tag: string, cause: string): void => {
    const invited = invites.at(-1);
    const isCaller = side === "caller";
    const route = isCaller ? callersRoute : (header(invited?.text ?? "", "Record-Route") ?? "");
    const at = isCaller ? peers.lessee : (invited?.to ?? "");
    const text = request({
      method,
      from: isCaller ? CALLER : called(tag),
      to: isCaller ? called(tag) : CALLER,
      cseq: `${2 + branch} ${method}`,
      via: [`SIP/2.0/UDP ${at};branch=z9hG4bKwithin${branch++}`],
      headers: [`Route: ${route}`, ...(cause === "" ? [] : [`Reason: Q.850;cause=${cause}`])],
    });
    take(proxy.receive(at, text));
  };

  const answerWithin = (status: number, word: string): void => {
    const asked = within.shift();
    if (asked === undefined) throw new Error("no request went on");
    const session = word.startsWith("se") ? `Session-Expires: ${word.slice(2)}\r\n` : "";
    take(
      proxy.receive(
        asked.to,
        respond(asked.text, status).replace("Content-Length", `${session}Content-Length`),
      ),
    );
  };

  const happen = (step: string): void => {
    const [word = "", first = "", second = ""] = step.split(" ");
    if (word === "INVITE") invite("+861087654321");
    else if (word === "unlisted") invite("+861087654400");
    else if (word === "CANCEL")
      take(proxy.receive(peers.lessee, request({ method: "CANCEL", cseq: "1 CANCEL" })));
    else if (word === "down") {
      proxy.unreachable(hop.a);
      take(proxy.pass(100));
      proxy.now -= 100;
    } else if (word === "BYE") {
      const isCause = /^\d+$/u.test(second);
      send("BYE", first, isCause || second === "" ? "called" : second, isCause ? second : "");
    } else if (word === "re-INVITE") send("INVITE", "caller", "called", "");
    else if (word === "UPDATE" || word === "INFO") send(word, "caller", "called", "");
    else if (word === "answer") answerWithin(Number(first), second);
    else if (word === "later") {
      within.reverse();
      answerWithin(Number(second), "");
      within.reverse();
    } else if (word === "first") answer(invites[0], Number(first), second);
    else answer(invites.at(-1), Number(word), first);
  };

  let isBegun = false;
  return {
    play(step) {
      const [word, count] = step.split(" ");
      if (word === "wait") {
        take(proxy.pass(Number(count)));
        return;
      }
      if (word === "hours") {
        for (const end = proxy.now + Number(count) * 3_600_000 + 2000; proxy.now < end;) {
          proxy.now += 1000;
          proxy.proxy.tick(proxy.now);
        }
        return;
      }
      if (isBegun) take(proxy.pass(1000));
      isBegun = true;
      happen(step);
    },
    events: () => proxy.events,
    faults: () => proxy.faults,
    channels() {
      const { setup = 0, answered = 0 } = proxy.proxy.calls.standing().get("lease") ?? {};
      return setup + answered;
    },
  };
}
