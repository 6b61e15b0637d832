/** A calling side of the soak of two nodes: places calls through both, sends requests again, and follows each call to its end. */
import { field, lines } from "../message.ts";
import type { Outcome } from "./outcome.ts";
import { type CallPlan, planOf, type TrunkName, writePlan } from "./plan.ts";
import { createRepeats, GIVE_UP, T2 } from "./repeats.ts";
import { nodeAfter, openUdp, type NodePlaces } from "./wire.ts";

interface Call {
  readonly plan: CallPlan;
  readonly begun: number;
  readonly invite: string;
  node: number;
  /** Since when a final answer to an INVITE is waited for; undefined: it has come. */
  waits: number | undefined;
  remote: { readonly contact: string; readonly to: string; readonly routes: string } | undefined;
  cseq: number;
}

export interface CallingSide {
  readonly repeats: number;
  /** Places no more calls, and resolves when all are over. */
  finish(): Promise<void>;
}

export interface CallingPlan {
  readonly trunk: TrunkName;
  readonly address: string;
  readonly nodes: NodePlaces;
  readonly callsPerSecond: number;
  readonly callers: readonly string[];
  readonly outcome: Outcome;
}

export async function startCallingSide(parts: CallingPlan): Promise<CallingSide> {
  const { trunk, address, nodes, callsPerSecond, callers, outcome } = parts;
  const calls = new Map<string, Call>();
  const repeats = createRepeats();
  const wire = await openUdp(address, 0, nodes, hear);
  const run = `${process.pid.toString(36)}${Date.now().toString(36)}`;
  let placed = 0;

  function begin(): void {
    const index = placed++;
    outcome.placed++;
    const id = `${trunk}-${index}@${run}`;
    const plan = planOf(trunk, index);
    const caller = callers[index % callers.length] ?? "";
    const invite =
      `INVITE sip:02787654321@${nodes.name} SIP/2.0\r\nVia: ${viaOf(id, "invite")}\r\nMax-Forwards: 70\r\n` +
      `From: <sip:${caller}@${address}>;tag=a\r\nTo: <sip:02787654321@${nodes.name}>\r\nCall-ID: ${id}\r\n` +
      `CSeq: 1 INVITE\r\nContact: <sip:pbx@${address}:${wire.port}>\r\n${writePlan(plan)}Content-Length: 0\r\n\r\n`;
    const node = Math.floor(index / 7 + index) % nodes.addresses.length;
    const begun = performance.now();
    const call: Call = { plan, begun, invite, node, waits: begun, remote: undefined, cseq: 1 };
    calls.set(id, call);
    ask(id, call, "1 INVITE", invite, Infinity, "the INVITE got no answer at all");
    if (plan.kind === "cancelled") setTimeout(() => cancel(id, call), plan.ring);
  }

  function viaOf(id: string, branch: string): string {
    return `SIP/2.0/UDP ${address}:${wire.port};branch=z9hG4bK-${branch}-${id};rport`;
  }

  /** Sends a request until an answer comes; after some silence to the other node. */
  function ask(id: string, call: Call, key: string, text: string, longest: number, why: string): void {
    const first = call.node;
    repeats.start(
      `${id} ${key}`,
      (before) => {
        call.node = nodeAfter(nodes, first, before);
        wire.send(call.node, text);
      },
      longest,
      () => lose(id, call, why),
    );
  }

  function lose(id: string, call: Call, why: string): void {
    if (!calls.delete(id)) return;
    outcome.lose({ id, why, begun: call.begun, at: performance.now() });
  }

  function complete(id: string): void {
    if (calls.delete(id)) outcome.complete(id);
  }

  function cancel(id: string, call: Call): void {
    if (calls.get(id) !== call || call.waits === undefined) return;
    // No CANCEL before a provisional answer (RFC 3261 section 9.1).
    if (repeats.has(`${id} 1 INVITE`)) {
      setTimeout(() => cancel(id, call), 100);
      return;
    }
    const text = call.invite
      .replace("INVITE ", "CANCEL ")
      .replace("CSeq: 1 INVITE", "CSeq: 1 CANCEL")
      .replace(/X-Plan: .*\r\n/, "");
    ask(id, call, "1 CANCEL", text, T2, "the CANCEL was never answered");
  }

  function inDialog(id: string, call: Call, method: string, cseq: number): string {
    const { contact = "", to = "", routes = "" } = call.remote ?? {};
    return (
      `${method} ${contact} SIP/2.0\r\nVia: ${viaOf(id, `${method}-${cseq}`)}\r\nMax-Forwards: 70\r\n${routes}` +
      `From: ${field(call.invite, "From")}\r\nTo: ${to}\r\nCall-ID: ${id}\r\nCSeq: ${cseq} ${method}\r\n` +
      `Contact: <sip:pbx@${address}:${wire.port}>\r\nContent-Length: 0\r\n\r\n`
    );
  }

  function answered(id: string, call: Call, text: string, cseq: number, from: number): void {
    const routes = lines(text, "Record-Route").map((line) => line.replace("Record-Route", "Route"));
    call.remote ??= {
      contact: /<([^>]*)>/.exec(field(text, "Contact"))?.[1] ?? "",
      to: field(text, "To"),
      routes: routes.toReversed().join(""),
    };
    // Each 200 wants its ACK, a repeated one too.
    wire.send(from, inDialog(id, call, "ACK", cseq));
    repeats.stop(`${id} ${cseq} INVITE`);
    if (call.cseq !== cseq || call.waits === undefined) return;
    call.waits = undefined;
    const { plan } = call;
    if (plan.kind === "changed" && cseq === 1) setTimeout(() => change(id, call), plan.hold / 2);
    if (plan.endedBy === "caller" && cseq === 1) setTimeout(() => hangUp(id, call), plan.hold);
  }

  function change(id: string, call: Call): void {
    if (calls.get(id) !== call) return;
    call.cseq = 2;
    call.waits = performance.now();
    ask(id, call, "2 INVITE", inDialog(id, call, "INVITE", 2), Infinity, "the re-INVITE was never answered");
  }

  function hangUp(id: string, call: Call): void {
    if (calls.get(id) !== call) return;
    call.waits = undefined;
    repeats.stop(`${id} 2 INVITE`);
    ask(id, call, "3 BYE", inDialog(id, call, "BYE", 3), T2, "the BYE was never answered");
  }

  /** The ACK of a refusal has the branch of its INVITE (section 17.1.1.3). */
  function acknowledge(id: string, call: Call, text: string, from: number): void {
    wire.send(
      from,
      `ACK sip:02787654321@${nodes.name} SIP/2.0\r\nVia: ${field(call.invite, "Via")}\r\nMax-Forwards: 70\r\n` +
        `From: ${field(call.invite, "From")}\r\nTo: ${field(text, "To")}\r\nCall-ID: ${id}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n`,
    );
  }

  const refused = new Map<string, Call>();

  function refusedWith(status: number, id: string, call: Call, text: string, from: number): void {
    acknowledge(id, call, text, from);
    repeats.stop(`${id} 1 INVITE`);
    repeats.stop(`${id} 1 CANCEL`);
    call.waits = undefined;
    // Repeats of the refusal want their ACK for a while.
    refused.set(id, call);
    setTimeout(() => refused.delete(id), GIVE_UP).unref();
    const isLimited = status === 503 && trunk !== "load";
    if (isLimited) outcome.limited++;
    if (isLimited || status === 486 || (status === 487 && call.plan.kind === "cancelled")) complete(id);
    else lose(id, call, `the INVITE was answered ${status}`);
  }

  function hear(text: string, from: number): void {
    const id = field(text, "Call-ID");
    if (text.startsWith("BYE ")) {
      ended(text, id, from);
      return;
    }
    if (!text.startsWith("SIP/2.0 ")) return;
    const status = Number(text.slice(8, 11));
    const [number = "", method] = field(text, "CSeq").split(" ");
    const call = calls.get(id);
    if (call === undefined) {
      const late = refused.get(id);
      if (late !== undefined && method === "INVITE" && status >= 300) acknowledge(id, late, text, from);
      return;
    }
    call.node = from;
    if (method === "INVITE") {
      if (status < 200) repeats.stop(`${id} ${number} INVITE`);
      else if (status < 300) answered(id, call, text, Number(number), from);
      else if (number === "1") refusedWith(status, id, call, text, from);
      else lose(id, call, `the re-INVITE was answered ${status}`);
    } else if (status >= 200 && repeats.stop(`${id} ${number} ${method}`) && status !== 200)
      lose(id, call, `the ${method} was answered ${status}`);
    else if (method === "BYE" && status === 200) complete(id);
  }

  function ended(bye: string, id: string, from: number): void {
    wire.send(
      from,
      `SIP/2.0 200 OK\r\n${lines(bye, "Via").join("")}From: ${field(bye, "From")}\r\nTo: ${field(bye, "To")}\r\n` +
        `Call-ID: ${id}\r\nCSeq: ${field(bye, "CSeq")}\r\nContent-Length: 0\r\n\r\n`,
    );
    if (calls.get(id)?.plan.endedBy === "called") complete(id);
  }

  const begun = performance.now();
  const placing = setInterval(() => {
    const due = ((performance.now() - begun) / 1000) * callsPerSecond;
    while (placed < due) begin();
  }, 2);
  const following = setInterval(() => {
    const now = performance.now();
    for (const [id, call] of calls)
      if (call.waits !== undefined && now - call.waits > GIVE_UP + 3_000)
        lose(id, call, "the INVITE got no final answer");
      // The called side says why its BYE did not come.
      else if (now - call.begun > call.plan.ring + call.plan.hold + 3 * GIVE_UP)
        lose(id, call, "nothing came any more");
  }, 500);

  return {
    get repeats() {
      return repeats.count;
    },
    async finish() {
      clearInterval(placing);
      while (calls.size > 0) await new Promise((resolve) => setTimeout(resolve, 100));
      clearInterval(following);
      repeats.close();
      wire.close();
    },
  };
}
