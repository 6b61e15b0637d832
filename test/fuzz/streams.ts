import t from "tap";
import { testStreamSessions } from "./hostile-sessions.ts";
import { peers } from "./setting.ts";
import { createStreamReferee } from "./streams/referee.ts";
import { createProxy } from "./streams/setting.ts";
import { request, respond, type Sent } from "../support/proxy.ts";

testStreamSessions(3261, 250);

void t.test("the referee of streams sees what is wrong", (t) => {
  const referee = createStreamReferee();
  const proxy = createProxy((decision, message) => referee.decide(decision, message));
  const say = (text: string): readonly Sent[] => {
    referee.hear(peers.lessee, Buffer.from(text, "latin1"));
    return proxy.receive("udp", peers.lessee, text);
  };
  const large = `X-Pad: ${"p".repeat(1500)}`;
  const [out] = say(request({ headers: [large] }));
  if (out === undefined) throw new Error("the call was not accepted");
  t.match(out.listener, "tcp:", "moved for its size");
  const judge = (changed: Partial<Sent>): string | undefined => {
    const sent = { ...out, ...changed };
    return referee.judge(proxy, [{ ...sent, bytes: Buffer.from(sent.text, "latin1") }])?.split(":", 1)[0];
  };
  t.equal(judge({}), undefined, "a call that was accepted");
  const rows = [
    ["another caller", "unjudged", { text: out.text.replaceAll("+861087654321", "+861087650000") }],
    ["another called party", "unjudged", { text: out.text.replace("INVITE sip:0278", "INVITE sip:0279") }],
    [
      "another body",
      "unjudged",
      { text: `${out.text.replace("Content-Length: 0", "Content-Length: 5")}v=0\r\n` },
    ],
    ["of nobody", "unjudged", { text: out.text.replace("bKcall1", "bKcall2") }],
    [
      "in a dialog that nothing proves",
      "unjudged",
      { text: out.text.replace("To: <sip:02787654321@192.0.2.1>", "To: <sip:1@a>;tag=b") },
    ],
    ["to a stranger", "to a stranger", { to: peers.stranger }],
    [
      "without a length",
      "a message without Content-Length on a stream",
      { text: out.text.replace("Content-Length: 0\r\n", "") },
    ],
    [
      "an answer that nobody waits for",
      "stray",
      { text: respond(request({ via: ["SIP/2.0/UDP a;branch=z9hG4bKx"] }), 200) },
    ],
  ] as const;
  for (const [name, complaint, changed] of rows) t.equal(judge(changed), complaint, name);
  t.end();
});
