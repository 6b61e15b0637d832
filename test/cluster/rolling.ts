// Both nodes are stopped and started again, one after the other, while SIPp places calls: none is lost.
import { setTimeout as pauseFor } from "node:timers/promises";
import t from "tap";
import { noNamespaces } from "../support/namespaces.ts";
import { noRedis } from "../support/redis-server.ts";
import { answer, answerLast, begin, pause, receive, take, takeCall, within } from "../sipp/script.ts";
import { isInstalled } from "../sipp/sipp-process.ts";
import { openEdgePair, VIP } from "./edge-pair.ts";

const T1 = 500;
/** Times that the address moves: a call may be in the middle of an exchange each time. */
const MOVES = 2;
const CALLS = 400;

/** SIPp plays many calls at once: each has branches and tags of its own. */
const many = (steps: readonly string[]): readonly string[] =>
  steps.map((step) => step.replaceAll("[pid]", "[pid]-[call_number]"));

/** A call that rings for a second and stands for four. */
const call = {
  name: "calls while nodes are replaced",
  caller: many([
    begin("INVITE", { offer: true, repeated: T1 }),
    receive(100),
    receive(180),
    receive(200),
    within("ACK"),
    pause(4_000),
    within("BYE", { cseq: 2, repeated: T1 }),
    receive(200),
  ]),
  called: many([
    takeCall,
    answer(100),
    answer(180),
    pause(1_000),
    answer(200, { offer: true, repeated: T1 }),
    take("ACK"),
    take("BYE"),
    answerLast(200),
  ]),
};

const missing = noNamespaces ?? noRedis ?? (isInstalled ? undefined : "sipp is not installed");
if (missing !== undefined) t.pass("a rolling upgrade", { skip: missing });
else {
  t.setTimeout(1_800_000);
  void t.test(
    "a rolling upgrade: the address leaves a node, then the node drains",
    { timeout: 400_000 },
    async (t) => {
      const pair = openEdgePair(t.testdir(), 1);
      t.teardown(pair.close);
      await pair.startRedis();
      await Promise.all([pair.start("a"), pair.start("b")]);
      pair.network.give(VIP, "a");
      const progress = { isOver: false };
      const playing = pair
        .play(call, 0, ["-m", String(CALLS), "-r", "10", "-timeout", "100", "-timeout_error"])
        .finally(() => (progress.isOver = true));
      /** Until a node has decided so many calls. */
      const decides = async (node: "a" | "b", calls: number): Promise<void> => {
        while (decidedBy(node) < calls && !progress.isOver) await pauseFor(200);
      };
      const decidedBy = (node: "a" | "b"): number =>
        pair.records(node).filter(({ record }) => record === "decided").length;
      await decides("a", 60);
      for (const [leaving, staying] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        const before = decidedBy(staying);
        pair.move(leaving, staying);
        const code = await pair.stop(leaving);
        t.equal(code, 0, `${leaving} has drained`);
        t.equal(progress.isOver, false, "calls went on meanwhile");
        await pair.start(leaving);
        await decides(staying, before + 30);
      }
      t.same(await playing, [], `${CALLS} calls, none lost`);
      // What waits is written at the end.
      t.same(await Promise.all([pair.stop("a"), pair.stop("b")]), [0, 0]);
      const lines = [...pair.records("a"), ...pair.records("b")];
      const ids = (record: string): readonly unknown[] =>
        lines.filter((line) => line["record"] === record).map((line) => line["id"]);
      t.equal(ids("decided").length, CALLS, "each is decided once");
      const ended = new Set(ids("ended"));
      // Of a call whose BYE goes by one node and whose 200 by the other, within one exchange, the end comes 32 s later.
      t.ok(ended.size >= CALLS - MOVES, `each is told ended: ${ended.size}`);
      t.equal(ids("ended").length, ended.size, "and once");
      t.comment(`decided by a ${decidedBy("a")}, by b ${decidedBy("b")}`);
    },
  );
}
