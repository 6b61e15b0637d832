import t from "tap";
import { header, respond } from "../support/proxy.ts";
import { createStreamProxy, streamPolicy, type StreamProxy } from "../support/streams.ts";
import { request } from "../support/proxy.ts";

const caller = "203.0.113.10:40001";
const core = "198.51.100.1:5060";

function place(proxy: StreamProxy, transport: "udp" | "tcp"): { invite: string; by: string } {
  const via = [`SIP/2.0/${transport.toUpperCase()} 203.0.113.10:5060;branch=z9hG4bKs;rport`];
  const contact = `Contact: <sip:pbx@203.0.113.10:5062;transport=${transport}>`;
  const [invite] = proxy.receive(transport, caller, request({ callId: "s", via, headers: [contact] }));
  if (invite === undefined) throw new Error("the INVITE did not go on");
  return { invite: invite.text, by: invite.listener };
}

void t.test("TCP: the BYE goes once, over the connection of the call", async (t) => {
  const proxy = createStreamProxy(streamPolicy("tcp"));
  const { invite } = place(proxy, "tcp");
  proxy.receive("tcp", core, respond(invite, 200, { contact: "<sip:uas@198.51.100.1;transport=tcp>" }));
  const { sent, count } = proxy.release("lease");
  t.same(
    sent.map(({ listener, to, text }) => `${listener} ${to} ${text.split(" ", 2).join(" ")}`),
    [
      `tcp:192.0.2.1:5060 ${core} BYE sip:uas@198.51.100.1;transport=tcp`,
      `tcp:192.0.2.1:5060 ${caller} BYE sip:pbx@203.0.113.10:5062;transport=tcp`,
    ],
  );
  t.same(proxy.wait(10_000), [], "a stream repeats nothing");
  t.same(proxy.receive("tcp", core, respond(sent[0]!.text, 481)), []);
  t.same(proxy.receive("tcp", caller, respond(sent[1]!.text, 481)), []);
  t.same(count(), { released: 0, gone: 1, notReleasable: 0 });
  t.same(proxy.faults, []);
});

void t.test("TCP: the connection is gone, so the BYE goes to where the peer listens", async (t) => {
  const proxy = createStreamProxy(streamPolicy("tcp"));
  const { invite } = place(proxy, "tcp");
  proxy.receive("tcp", core, respond(invite, 200));
  proxy.connections.clear();
  t.same(
    proxy.release("lease").sent.map(({ to }) => to),
    [core, "203.0.113.10:5060"],
  );
});

void t.test("TCP to UDP: only the datagram side is repeated to; its INVITE no more", async (t) => {
  const proxy = createStreamProxy(streamPolicy("udp"));
  const { invite } = place(proxy, "tcp");
  t.ok(
    proxy.wait(600).some(({ text }) => text.startsWith("INVITE")),
    "the filter repeats the INVITE",
  );
  const { sent } = proxy.release("lease");
  t.same(
    sent.map(({ to, text }) => `${to} ${text.slice(0, 11)}`),
    [`${caller} SIP/2.0 403`],
  );
  t.same(proxy.wait(5000), [], "nothing more of it");
  const [ack, bye, ...more] = proxy.receive("udp", core, respond(invite, 200));
  t.match(ack?.text, /^ACK /u);
  t.match(bye?.text, /^BYE /u);
  t.same(more, []);
  t.equal(proxy.wait(600).length, 1, "the BYE is repeated");
  t.match(header(bye?.text ?? "", "Via"), "SIP/2.0/UDP 192.0.2.1:5060");
});
