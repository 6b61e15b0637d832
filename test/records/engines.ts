// The lines of every engine: calls through the SIP proxy, the ISUP relay and a drachtio server.
import { Buffer } from "node:buffer";
import t from "tap";
import type { CallEvent } from "../../src/domain/call.ts";
import { answeredCall, createFlow } from "../support/call-flow.ts";
import { openPlace } from "../engines/drachtio-place.ts";
import { createTestRelay, LISTED, UNLISTED } from "../support/isup-relay.ts";
import { asRead, createLineMaker } from "./line-maker.ts";

function linesOf(events: readonly CallEvent[]): readonly Record<string, unknown>[] {
  const make = createLineMaker();
  return events
    .filter(({ kind }) => kind !== "ringing" && kind !== "answered")
    .map((event) => asRead(make(event)));
}

void t.test("engines: a call through the SIP proxy", (t) => {
  const flow = createFlow();
  for (const step of [...answeredCall.split("; "), "BYE caller", "answer 200"]) flow.play(step);
  const [decided, ended] = linesOf(flow.events());
  t.match(decided, {
    record: "decided",
    signalling: "sip",
    transport: "udp",
    action: "forwarded",
    fromHost: /./u,
  });
  t.match(ended, { record: "ended", ringingMs: 1000, answeredMs: 2000, how: "released" });
  t.equal(ended?.["id"], decided?.["id"]);
  t.equal(ended?.["seconds"], 1, "from the answer to the BYE");
  t.end();
});

void t.test("engines: calls of ISUP have their circuit", (t) => {
  const relay = createTestRelay();
  relay.lease(UNLISTED, 3);
  relay.lease(LISTED, 4);
  relay.core("hex 090000", 4);
  relay.pass(5000);
  relay.lease("REL cause=16", 4);
  relay.core("RLC", 4);
  const [refused, forwarded, ended] = linesOf(relay.events);
  t.match(refused, {
    record: "decided",
    signalling: "isup",
    transport: "sctp",
    isup: { opc: 11, dpc: 900, cic: 3, natureOfAddress: 3 },
    action: "released",
    cause: 21,
  });
  for (const field of ["callId", "requestUri", "agent", "status"]) t.notOk(field in (refused ?? {}), field);
  t.match(forwarded, {
    isup: { cic: 4 },
    action: "forwarded",
    nextHop: /./u,
    calling: [{ source: "isup-calling-party" }],
  });
  t.match(ended, { record: "ended", by: "caller", how: "released", cause: 16, seconds: 5 });
  t.equal(ended?.["id"], forwarded?.["id"]);
  t.end();
});

void t.test("engines: calls of drachtio have the fields of their message", async (t) => {
  const make = createLineMaker();
  const lines: Record<string, unknown>[] = [];
  const place = await openPlace({ happened: (event) => lines.push(asRead(make(event))) });
  t.teardown(place.close);
  t.equal(await place.changed(), "up");
  t.equal(await place.call(), "forwarded");
  const agent = "User-Agent: 北京\r\nContent-Length";
  const unlisted = (invite: string): string =>
    invite
      .replace("sip:01087654321@127.0.0.1>", "sip:01087654444@pbx.example>")
      .replace("Content-Length", agent);
  t.match(await place.call((invite) => Buffer.from(unlisted(invite)).toString("latin1")), "403");
  const [forwarded, refused] = lines.filter(({ record }) => record === "decided");
  t.match(forwarded, { record: "decided", action: "forwarded", signalling: "sip", callId: /^call-/u });
  t.match(refused, { action: "answered", status: 403, agent: "北京", fromHost: "pbx.example" });
});
