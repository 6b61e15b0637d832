// One address moves from a node that died to the other one, while calls are at every point of their lives.
import t from "tap";
import { noNamespaces } from "../support/namespaces.ts";
import { noRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";
import {
  acknowledgeRefusal,
  answer,
  answerLast,
  begin,
  pause,
  receive,
  take,
  takeCall,
  within,
  withinByCalled,
} from "../sipp/script.ts";
import { isInstalled } from "../sipp/sipp-process.ts";
import { coreApart, oneAddress, openEdgePair, type PlayedCall, VIP } from "./edge-pair.ts";

/** A call that has come to some point when its node dies. */
interface Row extends PlayedCall {
  /** What a side has sent or received then. */
  readonly reached: { readonly side: "caller" | "called"; readonly text: RegExp } | undefined;
}

/** Timers A, E and G. */
const T1 = 500;
/** Long enough for the node to die and for the address to move. What comes before is sent again. */
const meanwhile = pause(6_000);

const invite = begin("INVITE", { offer: true, repeated: T1 });
const ringing = [receive(100), receive(180)];
const ringing2 = [takeCall, answer(100), answer(180)];
const established = [invite, ...ringing, receive(200), within("ACK")];
const accept = answer(200, { offer: true, repeated: T1 });
const established2 = [...ringing2, accept, take("ACK")];
const hangUp = (cseq: number): readonly string[] => [within("BYE", { cseq, repeated: T1 }), receive(200)];
const hangUp2 = [take("BYE"), answerLast(200)];
const rang = { side: "caller", text: /SIP\/2\.0 180/ } as const;
const acknowledged = { side: "called", text: /^ACK /m } as const;

const rows: readonly Row[] = [
  {
    name: "the INVITE comes when no node is there",
    reached: undefined,
    caller: [pause(1_500), ...established, ...hangUp(2)],
    called: [...established2, ...hangUp2],
  },
  {
    name: "it rings, and is answered afterwards",
    reached: rang,
    caller: [...established, ...hangUp(2)],
    called: [...ringing2, meanwhile, accept, take("ACK"), ...hangUp2],
  },
  {
    name: "it rings, and is refused afterwards",
    reached: rang,
    caller: [invite, ...ringing, receive(486), acknowledgeRefusal()],
    called: [...ringing2, meanwhile, answer(486, { repeated: T1 }), take("ACK")],
  },
  {
    name: "it rings, and is cancelled afterwards",
    reached: rang,
    caller: [
      invite,
      ...ringing,
      meanwhile,
      begin("CANCEL", { repeated: T1 }),
      receive(200),
      receive(487),
      acknowledgeRefusal(),
    ],
    called: [...ringing2, take("CANCEL"), answerLast(200), answer(487, { repeated: T1 }), take("ACK")],
  },
  {
    name: "it is answered, and acknowledged afterwards",
    reached: { side: "caller", text: /SIP\/2\.0 200/ },
    caller: [invite, ...ringing, receive(200), meanwhile, within("ACK"), ...hangUp(2)],
    called: [...established2, ...hangUp2],
  },
  {
    name: "it stands: re-INVITE of the caller, and BYE",
    reached: acknowledged,
    caller: [
      ...established,
      meanwhile,
      within("INVITE", { cseq: 2, offer: true, repeated: T1 }),
      receive(200),
      within("ACK", { cseq: 2 }),
      ...hangUp(3),
    ],
    called: [...established2, take("INVITE"), answerLast(200), take("ACK"), ...hangUp2],
  },
  {
    name: "it stands: re-INVITE of the called side, and BYE",
    reached: acknowledged,
    caller: [...established, take("INVITE"), answerLast(200), take("ACK"), take("BYE"), answerLast(200)],
    called: [
      ...established2,
      meanwhile,
      withinByCalled("INVITE", { cseq: 7, offer: true, repeated: T1 }),
      receive(200),
      withinByCalled("ACK", { cseq: 7 }),
      withinByCalled("BYE", { cseq: 8, repeated: T1 }),
      receive(200),
    ],
  },
  {
    name: "it stands: the BYE comes when no node is there",
    reached: acknowledged,
    caller: [...established, pause(1_500), ...hangUp(2)],
    called: [...established2, ...hangUp2],
  },
];

const missing = noNamespaces ?? noRedis ?? (isInstalled ? undefined : "sipp is not installed");
if (missing !== undefined) t.pass("an address that moves", { skip: missing });
else {
  t.setTimeout(1_800_000);
  for (const withRedis of [true, false])
    void t.test(
      `kill -9, and the address moves${withRedis ? "" : "; Redis is gone"}`,
      { timeout: 300_000 },
      async (t) => {
        const pair = openEdgePair(t.testdir(), rows.length);
        t.teardown(pair.close);
        await pair.startRedis();
        await Promise.all([pair.start("a"), pair.start("b")]);
        pair.network.give(VIP, "a");
        if (!withRedis) await pair.killRedis();
        const early = rows.map(({ reached }) => reached !== undefined);
        const playing = rows.map((row, index) => (early[index] === true ? pair.play(row, index) : undefined));
        await until(() =>
          rows.every(({ reached: at }, index) => at?.text.test(pair.messages(at.side, index)) ?? true),
        );
        for (const [index, row] of rows.entries()) playing[index] ??= pair.play(row, index);
        // b has heard of each: within 300 ms.
        if (withRedis) await until(() => pair.figure("b", "sigwall_cluster_calls") === rows.length - 1);
        await pair.kill("a");
        // keepalived needs some time to see it; a BYE and an INVITE fall into it.
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        pair.move("a", "b");
        for (const [index, { name }] of rows.entries()) t.same(await playing[index], [], name);
        t.equal(await pair.stop("b"), 0);
        const of = (record: string): number =>
          pair.records("b").filter((line) => line["record"] === record).length;
        t.equal(of("decided"), 1, "the call that came later is the only one that b has judged");
        if (withRedis) t.equal(of("ended"), rows.length, "b tells the end of each");
      },
    );

  const answering = `
    const socket = require("node:dgram").createSocket("udp4");
    socket.on("message", (bytes, peer) => {
      const lines = bytes.toString().split("\\r\\n");
      const kept = lines.filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
      socket.send(["SIP/2.0 200 OK", ...kept, "Content-Length: 0", "", ""].join("\\r\\n"), peer.port, peer.address);
    });
    socket.bind(25060, process.argv[1]);`;
  for (const [name, layout, isUp] of [
    [
      "answers to the OPTIONS of the other node go to the node that has the address: its next hops are down",
      oneAddress,
      0,
    ],
    ["with a core side of its own the other node knows its next hops", coreApart, 1],
  ] as const)
    void t.test(name, { timeout: 120_000 }, async (t) => {
      const pair = openEdgePair(t.testdir({ log: "" }), 1, { ...layout, probe: "options" });
      t.teardown(pair.close);
      const { core } = pair.machines;
      core.start([process.execPath, "-e", answering, core.address], `${t.testdirName}/log`);
      await pair.startRedis();
      pair.network.give(VIP, "a");
      await Promise.all([pair.start("a"), pair.start("b")]);
      const hop = `trunk="lease-0",next_hop="${core.address}:25060"`;
      const state = (node: "a" | "b", of: string): number | undefined =>
        pair.figure(node, `sigwall_next_hop_state{${hop},state="${of}"}`);
      await until(() => state("a", "up") === 1);
      await until(() => state("b", "unknown") === 0);
      t.equal(state("b", "up"), isUp);
      t.same(await Promise.all([pair.stop("a"), pair.stop("b")]), [0, 0]);
    });
}
