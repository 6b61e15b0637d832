/** The called side of the soak of two nodes: answers, sends answers again, and knows both nodes. */
import { field, lines } from "../message.ts";
import type { Outcome } from "./outcome.ts";
import { type CallPlan, readPlan } from "./plan.ts";
import { createRepeats, GIVE_UP, T2 } from "./repeats.ts";
import { nodeAfter, openUdp, type NodePlaces } from "./wire.ts";

interface Leg {
  readonly plan: CallPlan;
  readonly invite: string;
  readonly branch: string;
  readonly begun: number;
  /** The node that the last message of the call came from. */
  node: number;
  /** The last answer to the INVITE, sent again for a repeat. */
  answer: (to: number) => void;
  isAcknowledged: boolean;
  isOver: boolean;
}

export interface CalledSide {
  readonly port: number;
  readonly repeats: number;
  /** Calls that are not over. */
  readonly standing: number;
  close(): void;
}

export async function openCalledSide(
  address: string,
  port: number,
  nodes: NodePlaces,
  outcome: Outcome,
): Promise<CalledSide> {
  const legs = new Map<string, Leg>();
  const repeats = createRepeats();
  const wire = await openUdp(address, port, nodes, hear);
  let standing = 0;

  function respond(request: string, status: string, node: number): void {
    const to = field(request, "To");
    const tag = to.includes("tag=") || status.startsWith("100") ? "" : ";tag=core";
    wire.send(
      node,
      `SIP/2.0 ${status}\r\n${lines(request, "Via").join("")}${lines(request, "Record-Route").join("")}` +
        `From: ${field(request, "From")}\r\nTo: ${to}${tag}\r\nCall-ID: ${field(request, "Call-ID")}\r\n` +
        `CSeq: ${field(request, "CSeq")}\r\nContact: <sip:core@${address}:${wire.port}>\r\nContent-Length: 0\r\n\r\n`,
    );
  }

  function lose(id: string, leg: Leg, why: string): void {
    if (!leg.isOver) outcome.lose({ id, why, begun: leg.begun, at: performance.now() });
    end(id, leg);
  }

  function end(id: string, leg: Leg): void {
    if (leg.isOver) return;
    leg.isOver = true;
    standing--;
    if (leg.plan.trunk === "channels") outcome.channels.push({ at: performance.now(), by: -1 });
    setTimeout(() => legs.delete(id), GIVE_UP).unref();
  }

  /** Sends a final answer until its ACK comes (sections 13.3.1.4 and 17.2.1). */
  function answerFinally(id: string, leg: Leg, request: string, status: string): void {
    const key = `${id} ${field(request, "CSeq").split(" ", 1)[0]}`;
    const first = leg.node;
    const send = (to: number): void => respond(request, status, to);
    leg.answer = send;
    repeats.start(
      key,
      (before) => send(nodeAfter(nodes, first, before)),
      T2,
      () => lose(id, leg, `its ${status} was never acknowledged`),
    );
  }

  function invited(text: string, id: string, from: number): void {
    const known = legs.get(id);
    const branch = field(text, "Via");
    if (known === undefined) {
      const plan = readPlan(text);
      const now = performance.now();
      const leg: Leg = {
        plan,
        invite: text,
        branch,
        begun: now,
        node: from,
        answer: (to) => respond(text, "180 Ringing", to),
        isAcknowledged: false,
        isOver: false,
      };
      legs.set(id, leg);
      standing++;
      outcome.accepted[plan.trunk].push(now);
      if (plan.trunk === "channels") outcome.channels.push({ at: now, by: 1 });
      respond(text, "100 Trying", from);
      if (plan.kind === "busy") {
        answerFinally(id, leg, text, "486 Busy Here");
        return;
      }
      leg.answer(from);
      if (plan.kind !== "cancelled")
        setTimeout(() => {
          if (!leg.isOver) answerFinally(id, leg, text, "200 OK");
        }, plan.ring);
      return;
    }
    known.node = from;
    const cseq = field(text, "CSeq");
    if (cseq !== field(known.invite, "CSeq")) {
      if (repeats.stop(`${id} ${cseq.split(" ", 1)[0]}`)) known.answer(from);
      answerFinally(id, known, text, "200 OK");
    } else if (branch === known.branch) known.answer(from);
    else {
      outcome.merged++;
      respond(text, "482 Loop Detected", from);
    }
  }

  function acknowledged(text: string, id: string, leg: Leg): void {
    repeats.stop(`${id} ${field(text, "CSeq").split(" ", 1)[0]}`);
    if (leg.isAcknowledged) return;
    leg.isAcknowledged = true;
    const { kind, endedBy, hold } = leg.plan;
    if (kind === "busy" || kind === "cancelled") end(id, leg);
    else if (endedBy === "called") setTimeout(() => hangUp(id, leg), hold);
  }

  function hangUp(id: string, leg: Leg): void {
    if (leg.isOver) return;
    const { invite } = leg;
    const contact = /<([^>]*)>/.exec(field(invite, "Contact"))?.[1] ?? "";
    const routes = lines(invite, "Record-Route").map((line) => line.replace("Record-Route", "Route"));
    const bye =
      `BYE ${contact} SIP/2.0\r\nVia: SIP/2.0/UDP ${address}:${wire.port};branch=z9hG4bK-bye-${id};rport\r\n` +
      `Max-Forwards: 70\r\n${routes.join("")}From: ${field(invite, "To")};tag=core\r\nTo: ${field(invite, "From")}\r\n` +
      `Call-ID: ${id}\r\nCSeq: 7 BYE\r\nContent-Length: 0\r\n\r\n`;
    const first = leg.node;
    repeats.start(
      `bye ${id}`,
      (before) => wire.send(nodeAfter(nodes, first, before), bye),
      T2,
      () => lose(id, leg, "the BYE of the called side was never answered"),
    );
  }

  function hear(text: string, from: number): void {
    const id = field(text, "Call-ID");
    const leg = legs.get(id);
    if (text.startsWith("INVITE ")) invited(text, id, from);
    else if (text.startsWith("OPTIONS ")) respond(text, "200 OK", from);
    else if (text.startsWith("BYE ")) {
      respond(text, "200 OK", from);
      if (leg !== undefined) end(id, leg);
    } else if (leg === undefined) return;
    else if (text.startsWith("ACK ")) {
      leg.node = from;
      acknowledged(text, id, leg);
    } else if (text.startsWith("CANCEL ")) {
      leg.node = from;
      respond(text, "200 OK", from);
      if (!leg.isAcknowledged && !leg.isOver && !repeats.has(`${id} 1`))
        answerFinally(id, leg, leg.invite, "487 Request Terminated");
    } else if (text.startsWith("SIP/2.0 ")) {
      const status = Number(text.slice(8, 11));
      if (status < 200 || !repeats.stop(`bye ${id}`)) return;
      if (status === 200) end(id, leg);
      else lose(id, leg, `the BYE of the called side was answered ${status}`);
    }
  }

  return {
    port: wire.port,
    get repeats() {
      return repeats.count;
    },
    get standing() {
      return standing;
    },
    close() {
      repeats.close();
      wire.close();
    },
  };
}
