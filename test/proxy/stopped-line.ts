import t from "tap";
import {
  createTestProxy,
  header,
  outcomeOf,
  peers,
  request,
  respond,
  type TestProxy,
} from "../support/proxy.ts";
import { answerCall, CALLED, CALLER, via, within, type StandingCall } from "../support/released-call.ts";

function stopped(trunk: string): { proxy: TestProxy; call: StandingCall } {
  const proxy = createTestProxy();
  const call = answerCall(proxy);
  proxy.state.lines.isStopped = (id) => id === trunk;
  return { proxy, call };
}

void t.test("a call of a stopped line is not changed or refreshed; it may end", async (t) => {
  const { proxy, call } = stopped("lease");
  let cseq = 11;
  for (const side of ["caller", "called"] as const) {
    const other = `to ${side === "caller" ? peers.core : peers.lessee}`;
    for (const [method, expected] of [
      ["INVITE", "403"],
      ["UPDATE", "403"],
      ["INFO", other],
      ["ACK", other],
      ["BYE", other],
    ] as const)
      t.equal(
        outcomeOf(within(proxy, call, side, method, { cseq: cseq++ })),
        expected,
        `${method} of ${side}`,
      );
  }
  const told = proxy.events.filter(({ kind }) => kind === "request");
  t.equal(told.length, 4);
  for (const event of told)
    t.match(event, { reason: "line-stopped", decision: { rule: "line-state" }, action: { status: 403 } });
});

void t.test("the refusal: its cause, its repeat, its ACK", async (t) => {
  const { proxy, call } = stopped("lease");
  const change = request({
    callId: call.callId,
    cseq: "11 INVITE",
    from: CALLER,
    to: `${CALLED};tag=called`,
    via: via(peers.lessee),
    headers: [`Route: ${call.route}`],
  });
  const [first] = proxy.receive(peers.lessee, change);
  t.match(header(first?.text ?? "", "Reason"), "Q.850;cause=21");
  t.equal(proxy.receive(peers.lessee, change)[0]?.text, first?.text, "told once, answered again");
  t.equal(proxy.events.filter(({ kind }) => kind === "request").length, 1);
  const ack = change.replace("INVITE sip:", "ACK sip:").replace("11 INVITE", "11 ACK");
  t.same(proxy.receive(peers.lessee, ack), []);
});

void t.test("other lines go on; so does an emergency call of a stopped one", async (t) => {
  const { proxy, call } = stopped("lease-2");
  t.equal(outcomeOf(within(proxy, call, "caller", "INVITE")), `to ${peers.core}`);
  const emergency = createTestProxy();
  const [invite] = emergency.receive(
    peers.lessee,
    request({ uri: "sip:110@192.0.2.1", callId: "e", from: CALLER, to: CALLED }),
  );
  const [answer] = emergency.receive(peers.core, respond(invite?.text ?? "", 200));
  emergency.state.lines.isStopped = () => true;
  const route = header(answer?.text ?? "", "Record-Route") ?? "";
  const urgent = { callId: "e", invite: invite!, route };
  t.equal(outcomeOf(within(emergency, urgent, "caller", "INVITE")), `to ${peers.core}`);
  t.equal(outcomeOf(within(emergency, urgent, "called", "UPDATE")), `to ${peers.lessee}`);
});

void t.test("a call of another node: the token names the line", async (t) => {
  const other = createTestProxy();
  const call = answerCall(other);
  const proxy = createTestProxy();
  proxy.now = other.now;
  proxy.state.lines.isStopped = (id) => id === "lease";
  t.equal(outcomeOf(within(proxy, call, "caller", "INVITE")), "403");
  t.equal(outcomeOf(within(proxy, call, "called", "UPDATE")), "403", "a refresh of the core");
  t.equal(outcomeOf(within(proxy, call, "called", "BYE")), `to ${peers.lessee}`);
});
