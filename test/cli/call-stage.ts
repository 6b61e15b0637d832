// Two SIP ends and a configuration on ports of their own: calls that outlive the filter between them.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import type { Test } from "tap";
import { freePort } from "../support/free-port.ts";
import { header, respond } from "../support/proxy.ts";
import { inTime } from "../support/until.ts";
import { openWorkplace, staticText, type Workplace } from "./workplace.ts";

/** One end of calls: what it has received, by Call-ID and start line. */
export interface End {
  readonly port: number;
  readonly send: (text: string) => void;
  /** Resolves with the first message of a call that begins with `start`, also when it has come already. */
  readonly heard: (callId: string, start: string) => Promise<string>;
  /** Every message of a call that has come. */
  readonly all: (callId: string) => readonly string[];
}

async function openEnd(t: Test, port: number, filterPort: number): Promise<End> {
  const socket: Socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  t.teardown(() => socket.close());
  const heard: string[] = [];
  const looks = new Set<() => void>();
  const send = (text: string): unknown => socket.send(text, filterPort, "127.0.0.1");
  socket.on("message", (bytes) => {
    const text = bytes.toString("latin1");
    if (text.startsWith("OPTIONS ")) send(respond(text, 200));
    heard.push(text);
    for (const look of looks) look();
  });
  return {
    port,
    send,
    all: (callId) => heard.filter((text) => header(text, "Call-ID") === callId),
    heard: (callId, start) =>
      inTime(
        new Promise((resolve) => {
          const look = (): void => {
            const found = heard.find((text) => header(text, "Call-ID") === callId && text.startsWith(start));
            if (found === undefined) return;
            looks.delete(look);
            resolve(found);
          };
          looks.add(look);
          look();
        }),
        () => `no "${start}" of ${callId} at port ${port}: ${heard.join("\n")}`,
      ),
  };
}

export interface Stage {
  readonly place: Workplace;
  readonly filterPort: number;
  readonly caller: End;
  readonly core: End;
  /** A request of the calling side, with the fields that are not the same in all of them. `uri`: the called party's, when left out. */
  readonly request: (method: string, callId: string, more: readonly string[], uri?: string) => string;
  /** Places a call that rings, and answers it when it is to be answered. */
  readonly placeCall: (callId: string, isAnswered: boolean) => Promise<void>;
  /** Has the core answer a call that rings. */
  readonly answer: (callId: string, status: number) => Promise<void>;
  /** Ends an answered call; resolves when the caller has its 200. */
  readonly hangUp: (callId: string) => Promise<void>;
  readonly snapshot: string;
}

export async function openStage(t: Test): Promise<Stage> {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filterPort = await freePort("127.0.0.1");
  place.write("sigwall.yaml", staticText.replace("udp:127.0.0.1:0", `udp:127.0.0.1:${filterPort}`));
  const ports = place.release();
  const [caller, core] = await Promise.all([
    openEnd(t, Number(ports.caller), filterPort),
    openEnd(t, Number(ports.core), filterPort),
  ]);
  const contact = `<sip:127.0.0.1:${core.port}>`;
  let requests = 0;
  const request: Stage["request"] = (method, callId, more, uri = `sip:02787654321@127.0.0.1:${core.port}`) =>
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bK-${callId}-${++requests}`,
      "Max-Forwards: 70",
      `From: <sip:01087654321@127.0.0.1>;tag=${callId}`,
      `Call-ID: ${callId}`,
      `Contact: <sip:127.0.0.1:${caller.port}>`,
      ...more,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");

  async function answer(callId: string, status: number): Promise<void> {
    core.send(respond(await core.heard(callId, "INVITE "), status, { contact }));
    await caller.heard(callId, `SIP/2.0 ${status} `);
  }

  return {
    place,
    filterPort,
    caller,
    core,
    request,
    answer,
    snapshot: join(place.folder, "state/calls.snapshot"),
    async placeCall(callId, isAnswered) {
      caller.send(request("INVITE", callId, ["To: <sip:02787654321@127.0.0.1>", "CSeq: 1 INVITE"]));
      await answer(callId, 180);
      if (isAnswered) await answer(callId, 200);
    },
    async hangUp(callId) {
      const answered = await caller.heard(callId, "SIP/2.0 200 ");
      const route = `Route: ${header(answered, "Record-Route") ?? ""}`;
      caller.send(request("BYE", callId, [route, `To: ${header(answered, "To") ?? ""}`, "CSeq: 2 BYE"]));
      core.send(respond(await core.heard(callId, "BYE "), 202));
      await caller.heard(callId, "SIP/2.0 202 ");
    },
  };
}
