// Calls that begin on one node and go on at another: each is told once, counted once, and handled as if it had begun there.
import t from "tap";
import { packCalls } from "../../src/calls/call-snapshot.ts";
import { answer2xx, answerCall, CALLED, CALLER, placeCall, via, within } from "../support/released-call.ts";
import { createTestCluster, type TestCluster, type TestNode } from "../support/nodes.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  outcomeOf,
  peers,
  request,
  respond,
} from "../support/proxy.ts";
import type { HostPort } from "../../src/net/host.ts";
import { createListener, type Listener } from "../../src/routing/listener.ts";

const policy = `${basicPolicy}nextHopHealth: { probe: off }\n`;
const hour = 3_600_000;

function twoNodes(): readonly [TestNode, TestNode, TestCluster] {
  const cluster = createTestCluster(policy);
  const [a, b] = cluster.nodes;
  if (a === undefined || b === undefined) throw new Error("two nodes");
  return [a, b, cluster];
}

/** What a node has told of calls: "decided gw-a-…-1 forwarded", "ended gw-a-…-1 caller released". */
function told(node: TestNode): string[] {
  return node.events.flatMap((event) => {
    if (event.kind === "decided") return [`decided ${event.call.id} ${event.action.kind}`];
    if (event.kind === "ended") return [`ended ${event.call.id} ${event.by} ${event.how}`];
    return event.kind === "answered" ? [`answered ${event.call.id}`] : [];
  });
}

const channels = (node: TestNode): number => node.state.channels.of("lease");
const own = (node: TestNode): number => {
  const { setup = 0, answered = 0 } = node.proxy.calls.standing().get("lease") ?? {};
  return setup + answered;
};
/** The first call of a node. */
const first = (node: string): string => `${node}-s4400-1`.replace("s4400", (1_700_000_000).toString(36));

void t.test("a call holds its channel on every node, and ends on every node", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a);
  t.equal(channels(b), 0, "b has not heard of it");
  cluster.exchange();
  t.equal(channels(b), 1);
  t.equal(own(b), 0, "metrics of b do not count it");
  const [bye] = within(a, call, "caller", "BYE");
  cluster.exchange();
  t.equal(channels(b), 0, "the BYE gives it back");
  a.receive(peers.core, respond(bye?.text ?? "", 200));
  cluster.exchange();
  t.equal(channels(b), 0);
  t.same([...a.endedElsewhere, ...b.endedElsewhere], []);
  t.same(told(a), [
    `decided ${first("gw-a")} forwarded`,
    `answered ${first("gw-a")}`,
    `ended ${first("gw-a")} caller released`,
  ]);
  t.same(told(b), [], "b tells nothing of it");
});

void t.test(
  "the BYE passes at the other node: that node tells the end, the first one does not",
  async (t) => {
    const [a, b, cluster] = twoNodes();
    const call = answerCall(a);
    cluster.exchange();
    const [bye] = within(b, call, "called", "BYE");
    t.equal(bye?.to, peers.lessee);
    b.receive(peers.lessee, respond(bye?.text ?? "", 200));
    cluster.exchange();
    t.same(told(b), [`ended ${first("gw-a")} called released`]);
    t.same(a.endedElsewhere, [first("gw-a")], "the records of a need not tell it as lost");
    t.same(b.endedElsewhere, []);
    t.same(told(a), [`decided ${first("gw-a")} forwarded`, `answered ${first("gw-a")}`]);
    t.equal(channels(a) + channels(b), 0);
    cluster.pass(13 * hour);
    t.same(told(a).length + told(b).length, 3, "no timer tells of it again");
  },
);

const invite = (branch: string): string =>
  request({
    callId: "moving",
    cseq: "10 INVITE",
    from: CALLER,
    to: CALLED,
    via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${branch}`],
  });

void t.test("answers, ACK, CANCEL and repeats that reach the other node", async (t) => {
  void t.test("180 and 200 at b: b carries the call", async (t) => {
    const [a, b, cluster] = twoNodes();
    const sent = placeCall(a);
    cluster.exchange();
    t.equal(outcomeOf(b.receive(peers.core, respond(sent.text, 180))), "180");
    t.equal(b.sharing.figures().taken, 1);
    answer2xx(b, sent);
    cluster.exchange();
    t.equal(own(a), 0);
    t.equal(own(b), 1);
    t.same(told(b), [`answered ${first("gw-a")}`]);
    t.equal(b.heard.filter(({ kind }) => kind === "decided").length, 1);
    t.equal(a.heard.filter(({ kind }) => kind === "answered").length, 1, "a hears of the answer");
  });

  void t.test("a repeat at b goes where the first one went, as the same transaction", async (t) => {
    const [a, b, cluster] = twoNodes();
    const [once] = a.receive(peers.lessee, invite("repeat"));
    cluster.exchange(300);
    const [again] = b.receive(peers.lessee, invite("repeat"));
    t.equal(again?.text, once?.text, "octet by octet");
    t.same(told(b), [], "it was decided once");
    t.equal(b.counters.trunks.get("lease")?.retransmissions, 1);
  });

  void t.test(
    "before b has heard of it, the repeat is a call of its own, in the same transaction",
    async (t) => {
      const [a, b] = twoNodes();
      const [once] = a.receive(peers.lessee, invite("early"));
      const [again] = b.receive(peers.lessee, invite("early"));
      const branch = /branch=[^;]*/u;
      t.equal(
        branch.exec(again?.text ?? "")?.[0],
        branch.exec(once?.text ?? "")?.[0],
        "the called side sees a repeat",
      );
    },
  );

  void t.test(
    "a refused call: the repeat at b gets the same answer, whatever its policy says by now",
    async (t) => {
      const [a, b, cluster] = twoNodes();
      const refused = request({
        from: "<sip:+861099999999@203.0.113.10>;tag=x",
        callId: "r",
        via: via(peers.lessee),
      });
      const [once] = a.receive(peers.lessee, refused);
      cluster.exchange();
      const [again] = b.receive(peers.lessee, refused);
      t.equal(outcomeOf(again === undefined ? [] : [again]), outcomeOf(once === undefined ? [] : [once]));
      t.same(told(b), [], "it is refused and told once");
      t.same(told(a), [`decided ${first("gw-a")} answered`]);
      const ack = request({
        method: "ACK",
        callId: "r",
        from: "<sip:+861099999999@203.0.113.10>;tag=x",
        to: header(again?.text ?? "", "To") ?? "",
        via: [header(refused, "Via") ?? ""],
        cseq: "1 ACK",
      });
      t.same(b.receive(peers.lessee, ack), [], "its ACK ends there");
    },
  );

  void t.test("CANCEL at b goes where the INVITE went, and the end is told by b", async (t) => {
    const [a, b, cluster] = twoNodes();
    const [sent] = a.receive(peers.lessee, invite("cancel"));
    cluster.exchange();
    const cancel = invite("cancel").replace("INVITE sip", "CANCEL sip").replace("10 INVITE", "10 CANCEL");
    const [passed] = b.receive(peers.lessee, cancel);
    t.equal(passed?.to, sent?.to);
    b.receive(peers.core, respond(sent?.text ?? "", 487));
    cluster.exchange();
    t.same(told(b), [`ended ${first("gw-a")} caller cancelled`]);
    t.equal(channels(a) + channels(b), 0);
  });

  void t.test("the ACK of a refusal of the called side follows the INVITE", async (t) => {
    const [a, b, cluster] = twoNodes();
    const [sent] = a.receive(peers.lessee, invite("busy"));
    cluster.exchange();
    t.equal(outcomeOf(b.receive(peers.core, respond(sent?.text ?? "", 486))), "486");
    const ack = invite("busy").replace("INVITE sip", "ACK sip").replace("10 INVITE", "10 ACK");
    t.equal(
      b.receive(peers.lessee, ack.replace("To: " + CALLED, `To: ${CALLED};tag=called`))[0]?.to,
      sent?.to,
    );
  });

  t.end();
});

void t.test("calls of a node that is gone", async (t) => {
  const [a, b, cluster] = twoNodes();
  const kept = answerCall(a, { callId: "kept" });
  answerCall(a, { callId: "silent" });
  cluster.exchange();
  b.sharing.peer(a.ref, "gone");
  b.sharing.flush();
  b.pass(29 * 60_000);
  t.equal(channels(b), 2, "both hold their channels for 30 minutes");
  within(b, kept, "caller", "INFO");
  b.pass(2 * 60_000);
  t.equal(channels(b), 1, "the call whose message passed stands; the other one counts no more");
  t.equal(own(b), 1);
  t.same(told(b), [], "of the silent one nothing is known: nothing is told");
  const [bye] = within(b, kept, "called", "BYE", { cseq: 12 });
  b.receive(peers.lessee, respond(bye?.text ?? "", 200));
  t.match(told(b), [/^ended gw-a-.*-1 called released$/u]);
});

void t.test("a node that comes later hears of the calls that stand", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a);
  a.sharing.flush();
  a.outbox.splice(0);
  cluster.exchange();
  t.equal(channels(b), 0, "it was lost");
  a.sharing.peer(b.ref, "back");
  cluster.exchange();
  t.equal(channels(b), 1);
  const [bye] = within(b, call, "caller", "BYE");
  t.equal(bye?.to, peers.core);
  b.receive(peers.core, respond(bye?.text ?? "", 200));
  t.same(told(b), [`ended ${first("gw-a")} caller released`]);
});

void t.test("a node that restarts: its calls that another node has taken over meanwhile", async (t) => {
  const [a, b, cluster] = twoNodes();
  const moved = answerCall(a, { callId: "moved" });
  const ended = answerCall(a, { callId: "ended" });
  answerCall(a, { callId: "kept" });
  cluster.exchange();
  const { shared, trunkNames } = a.proxy.calls;
  const packed = packCalls(shared, trunkNames());
  within(b, moved, "caller", "INFO");
  const [bye] = within(b, ended, "caller", "BYE");
  b.receive(peers.core, respond(bye?.text ?? "", 200));
  b.sharing.flush();
  const missed = b.outbox.splice(0);

  const [again] = createTestCluster(policy).nodes;
  if (again === undefined || packed === undefined) throw new Error("no node");
  again.now = b.now;
  t.equal(again.proxy.calls.restore(packed.bytes, again.now).rows, 3);
  for (const batch of missed) again.sharing.batch(b.ref, batch, 1000);
  t.equal(again.state.channels.of("lease"), 2, "the ended call holds no channel");
  t.equal(own(again), 1, "b carries the one that moved");
  t.same(told(again), []);
  again.pass(13 * hour);
  t.match(told(again), [/^ended gw-a-.*-3 /u], "only the third call is this node's to end");
});

void t.test("calls of two nodes with the same epoch and count are two calls", async (t) => {
  const [a, b, cluster] = twoNodes();
  const one = answerCall(a, { callId: "one" });
  const two = answerCall(b, { callId: "two" });
  cluster.exchange();
  t.equal(channels(a), 2);
  t.equal(channels(b), 2);
  for (const call of [one, two]) {
    const [bye] = within(a, call, "caller", "BYE");
    a.receive(peers.core, respond(bye?.text ?? "", 200));
  }
  cluster.exchange();
  t.same(
    told(a).filter((line) => line.startsWith("ended")),
    [`ended ${first("gw-a")} caller released`, `ended ${first("gw-b")} caller released`],
  );
  t.same(
    told(b).filter((line) => line.startsWith("ended")),
    [],
  );
  t.equal(channels(a) + channels(b), 0);
});

void t.test("a session that expires is told by the node that carries the call", async (t) => {
  const [a, b, cluster] = twoNodes();
  answerCall(a, { lines: ["Session-Expires: 90"] });
  cluster.exchange();
  cluster.pass(200_000);
  t.equal(told(a).at(-1), `ended ${first("gw-a")} filter timed-out`);
  t.same(told(b), []);
  t.equal(channels(b), 0);
});

void t.test("of two nodes that see a message at once one carries the call", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a, { lines: ["Session-Expires: 120"] });
  cluster.exchange();
  within(b, call, "caller", "INFO", { cseq: 11 });
  within(a, call, "caller", "INFO", { cseq: 12 });
  within(b, call, "caller", "INFO", { cseq: 13 });
  cluster.exchange();
  cluster.exchange();
  t.equal(own(a) + own(b), 1, "one of them carries it");
  t.equal(channels(a), 1);
  t.equal(channels(b), 1);
  cluster.pass(600_000);
  t.equal(
    [...told(a), ...told(b)].filter((line) => line.startsWith("ended")).length,
    1,
    "its end is told once",
  );
  t.equal(channels(a) + channels(b), 0);
});

void t.test("two takings that cross an outage leave one carrier", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a);
  cluster.exchange();
  for (const [turn, node] of [b, a, b, a].entries())
    within(node, call, "caller", "INFO", { cseq: 11 + turn });
  cluster.exchange();
  cluster.exchange();
  t.equal(own(a) + own(b), 1);
  const [bye] = within(a, call, "caller", "BYE", { cseq: 20 });
  a.receive(peers.core, respond(bye?.text ?? "", 200));
  cluster.exchange();
  t.equal([...told(a), ...told(b)].filter((line) => line.startsWith("ended")).length, 1);
  t.equal(channels(a) + channels(b), 0);
});

void t.test("a timer that ran out elsewhere ends no call that was seen here since", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a, { lines: ["Session-Expires: 90"] });
  cluster.exchange();
  within(b, call, "caller", "INFO");
  b.sharing.flush();
  b.outbox.splice(0);
  a.pass(200_000);
  a.sharing.flush();
  t.equal(told(a).at(-1), `ended ${first("gw-a")} filter timed-out`, "a has heard nothing of the INFO");
  for (const batch of a.outbox.splice(0)) b.sharing.batch(a.ref, batch, 0);
  t.equal(own(b), 1, "the call stands at b");
  const [bye] = within(b, call, "caller", "BYE", { cseq: 12 });
  b.receive(peers.core, respond(bye?.text ?? "", 200));
  t.equal(told(b).at(-1), `ended ${first("gw-a")} caller released`);
});

void t.test("a BYE at a node that does not know the call ends it where it is carried", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a);
  a.sharing.flush();
  a.outbox.splice(0);
  const [bye] = within(b, call, "caller", "BYE");
  b.receive(peers.core, respond(bye?.text ?? "", 200));
  cluster.exchange();
  t.equal(told(a).at(-1), `ended ${first("gw-a")} caller released`);
  t.equal(channels(a), 0);
  t.same(told(b), []);
});

void t.test("an end that was lost on the way holds no channel beyond the next roster", async (t) => {
  const [a, b, cluster] = twoNodes();
  const calls = ["one", "two"].map((callId) => answerCall(a, { callId }));
  cluster.exchange();
  const [bye] = within(a, calls[0]!, "caller", "BYE");
  a.receive(peers.core, respond(bye?.text ?? "", 200));
  a.sharing.flush();
  a.outbox.splice(0);
  cluster.exchange();
  t.equal(channels(b), 2, "the end was lost");
  cluster.pass(5000);
  a.sharing.peer(b.ref, "back");
  cluster.pass(3000);
  t.equal(channels(b), 1, "the roster does not name it");
  t.equal(own(a), 1);
});

void t.test("a call that was given up after a restart counts nowhere, and stays known", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a);
  cluster.exchange();
  b.sharing.peer(a.ref, "gone");
  b.sharing.flush();
  b.pass(33 * 60_000);
  t.equal(channels(b), 0);
  const [bye] = within(b, call, "caller", "BYE");
  b.receive(peers.core, respond(bye?.text ?? "", 200));
  t.equal(told(b).at(-1), `ended ${first("gw-a")} caller released`, "a message of it still ends it");
});

void t.test("long ringing: the other node waits as long", async (t) => {
  const [a, b, cluster] = twoNodes();
  const sent = placeCall(a);
  for (let minutes = 0; minutes < 8; minutes++) {
    a.receive(peers.core, respond(sent.text, 180));
    cluster.pass(50_000);
  }
  t.equal(channels(b), 1, "it still rings after 400 s");
  answer2xx(a, sent);
  cluster.exchange();
  t.equal(channels(b), 1);
});

void t.test("what a call has behind it is dated without the time on the way", async (t) => {
  const [a, b, cluster] = twoNodes();
  const call = answerCall(a);
  a.pass(10_000);
  b.now = a.now;
  b.proxy.tick(b.now);
  cluster.exchange(10_000);
  const [bye] = within(b, call, "caller", "BYE");
  b.receive(peers.core, respond(bye?.text ?? "", 200));
  const ended = b.events.find((event) => event.kind === "ended");
  t.equal(ended?.kind === "ended" && ended.talkedMs, 20_000, "10 s at a, 10 s on the way");
});

const listenerAt = (address: string, advertise?: HostPort): Listener[] => [
  createListener(`udp:${address}:5060`, 0, "udp", address, 5060, advertise),
];

void t.test("nodes that advertise one name write one branch, whatever their addresses", async (t) => {
  const name = { host: "sbc.example", port: 5060 };
  const rows: readonly (readonly [advertise: HostPort | undefined, isSame: boolean])[] = [
    [name, true],
    [undefined, false],
  ];
  for (const [advertise, isSame] of rows) {
    const nodes = ["192.0.2.1", "192.0.2.2"].map((address) =>
      createTestProxy(compileText(policy), { listeners: listenerAt(address, advertise) }),
    );
    const [one, two] = nodes.map((node) =>
      header(node.receive(peers.lessee, invite("both"))[0]?.text ?? "", "Via"),
    );
    const place1 = one?.split(";sw=")[0];
    t.equal(place1 === two?.split(";sw=")[0], isSame, advertise?.host ?? "by address");
    const [, second] = nodes;
    const answer = respond(nodes[0]!.receive(peers.lessee, invite("other"))[0]?.text ?? "", 180);
    t.equal(
      outcomeOf(second!.receive(peers.core, answer)),
      isSame ? "180" : "nothing",
      "an answer at the other node",
    );
  }
});
