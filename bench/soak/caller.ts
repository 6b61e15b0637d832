import { nowMicros } from "./clock.ts";
import { createTimes, type Times } from "./figures.ts";
import { field, lines, sentAt } from "./message.ts";
import { openWire, type Identity, type Place, type Transport } from "./wire.ts";

/** The calling side: places calls at a steady rate and follows each to its end, by the timers of RFC 3261 section 17.1. */
export interface Caller {
  readonly placed: number;
  readonly completed: number;
  /** Requests sent again because nothing came. */
  readonly repeats: number;
  /** Calls that ended otherwise than they should, in words; no more than a few are kept. */
  readonly lost: { readonly count: number; readonly examples: readonly string[] };
  /** From sending to arrival at the far side, both directions, for what was not repeated. */
  readonly ways: Times;
  /** Resolves when every call that was placed is over. */
  finish(): Promise<void>;
}

export interface CallPlan {
  readonly transport: Transport;
  readonly address: string;
  readonly identity: Identity | undefined;
  readonly target: Place;
  readonly callsPerSecond: number;
  /** Milliseconds from answer to BYE. */
  readonly hold: number;
  readonly callers: readonly string[];
}

/** 64·T1. */
const GIVE_UP = 32_000_000;
const T1 = 500_000;
const T2 = 4_000_000;

interface Call {
  request: string;
  begun: number;
  next: number;
  interval: number;
  repeats: number;
  /** `holding`: nothing is sent again. */
  state: "inviting" | "proceeding" | "holding" | "ending";
}

/** Starts placing calls at once. */
export async function startCalls(plan: CallPlan): Promise<Caller> {
  const { transport, address, target, callsPerSecond, hold, callers } = plan;
  const wire = await openWire(transport, address, target, hear, plan.identity);
  const { send } = wire;
  const self = `${address}:${wire.own.port}`;
  const calls = new Map<string, Call>();
  const ways = createTimes();
  const examples: string[] = [];
  let [placed, completed, repeats, lost] = [0, 0, 0, 0];
  // Branches and Call-IDs of one run are no repeats of another's.
  const run = `${process.pid.toString(36)}${Math.floor(nowMicros()).toString(36)}`;

  const request = (method: string, id: string, cseq: number, uri: string, to: string, more: string): string =>
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/${transport.toUpperCase()} ${self};branch=z9hG4bK${run}-${id}-${method === "INVITE" ? 1 : method};rport\r\n` +
    `Max-Forwards: 70\r\nFrom: <sip:${callers[Number.parseInt(id, 36) % callers.length] ?? ""}@${address}>;tag=a\r\nTo: ${to}\r\n` +
    `Call-ID: ${id}@${run}\r\nCSeq: ${cseq} ${method}\r\nContact: <sip:pbx@${self};transport=${transport}>\r\n${more}` +
    `X-Sent: ${nowMicros().toFixed(1)}\r\nContent-Length: 0\r\n\r\n`;

  function begin(): void {
    const id = (placed++).toString(36);
    const called = "sip:02787654321@192.0.2.1";
    const now = nowMicros();
    const text = request("INVITE", id, 1, called, `<${called}>`, "");
    calls.set(id, { request: text, begun: now, next: now + T1, interval: T1, repeats: 0, state: "inviting" });
    send(text);
  }

  function lose(id: string, why: string): void {
    calls.delete(id);
    lost++;
    if (examples.length < 10) examples.push(`call ${id}: ${why}`);
  }

  function answered(id: string, call: Call, text: string): void {
    const uri = /<([^>]*)>/.exec(field(text, "Contact"))?.[1] ?? "";
    const routes = lines(text, "Record-Route").map((line) => line.replace("Record-Route", "Route"));
    const to = field(text, "To");
    send(request("ACK", id, 1, uri, to, routes.toReversed().join("")));
    // A repeated 200 wants its ACK again, and nothing else.
    if (call.state === "holding" || call.state === "ending") return;
    call.state = "holding";
    setTimeout(() => {
      const now = nowMicros();
      call.request = request("BYE", id, 2, uri, to, routes.toReversed().join(""));
      Object.assign(call, { begun: now, next: now + T1, interval: T1, state: "ending" });
      send(call.request);
    }, hold);
  }

  function hear(text: string): void {
    const arrived = nowMicros();
    const id = field(text, "Call-ID").split("@", 1)[0] ?? "";
    const call = calls.get(id);
    if (call === undefined || !text.startsWith("SIP/2.0 ")) return;
    const status = Number(text.slice(8, 11));
    const isInvite = field(text, "CSeq") === "1 INVITE";
    if (call.repeats === 0) {
      const way = Number(field(text, "X-Way") || 0);
      if (way > 0) ways.add(way);
      if (sentAt(text) > 0) ways.add(arrived - sentAt(text));
    }
    if (status >= 300) lose(id, `answered ${status}`);
    else if (isInvite && status >= 200) answered(id, call, text);
    else if (isInvite && call.state === "inviting") call.state = "proceeding";
    else if (!isInvite && status >= 200 && call.state === "ending") {
      calls.delete(id);
      completed++;
    }
  }

  function follow(): void {
    const now = nowMicros();
    for (const [id, call] of calls) {
      if (call.state !== "holding" && now - call.begun > GIVE_UP)
        lose(id, call.state === "ending" ? "BYE was never answered" : "INVITE was never answered");
      else if ((call.state === "inviting" || call.state === "ending") && call.next <= now) {
        call.repeats++;
        repeats++;
        // Timer E is bounded by T2, timer A is not.
        call.interval = Math.min(call.interval * 2, call.state === "ending" ? T2 : GIVE_UP);
        call.next = now + call.interval;
        send(call.request);
      }
    }
  }

  const begun = nowMicros();
  const placing = setInterval(() => {
    const due = ((nowMicros() - begun) / 1e6) * callsPerSecond;
    while (placed < due) begin();
  }, 2);
  const following = setInterval(follow, 50);

  return {
    get placed() {
      return placed;
    },
    get completed() {
      return completed;
    },
    get repeats() {
      return repeats;
    },
    get lost() {
      return { count: lost, examples };
    },
    ways,
    async finish() {
      clearInterval(placing);
      while (calls.size > 0) await new Promise((resolve) => setTimeout(resolve, 100));
      clearInterval(following);
      wire.close();
    },
  };
}
