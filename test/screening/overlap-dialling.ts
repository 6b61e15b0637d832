// Overlap dialling (RFC 3578): after a 484 the same call with more digits costs no limit, once for each 484.
import t from "tap";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import { dialledBy } from "../../src/screening/overlap-dialling.ts";
import {
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
} from "../support/attempt.ts";

const trunk = makeTrunk({ limits: { callsPerSecond: 1 } });
const screen = compileScreen(makeChain(), makeTables(trunk), "r1");

/** Judges a call that is answered 484, and gives what judges a later one, on a trunk whose limit is used up. */
function incomplete(called: string): (later: AttemptSpec, ms?: number) => string {
  const state = makeState();
  const first = makeAttempt(trunk, { called });
  screen.judge(first, state);
  const { callId, fromTag } = first;
  state.overlaps.incomplete(
    { trunk: trunk.id, callId, fromTag, dialled: dialledBy(first), id: "gw-1-1" },
    NOW,
  );
  return (later, ms = 0) => {
    for (let at = 0; at < ms; at += 1000) state.callRate.take(trunk.id, 1, NOW + at);
    if (ms > 0) state.callRate.take(trunk.id, 1, NOW + ms);
    const attempt = makeAttempt(trunk, { at: NOW + ms, ...later });
    const id = state.overlaps.continues(attempt) ?? "new";
    const { verdict } = screen.judge(attempt, state);
    return `${id} ${verdict.kind === "accept" ? "free" : verdict.reason}`;
  };
}

const paid = "new call-rate-exceeded";

void t.test("what continues a call, and what is a new one", async (t) => {
  const rows: readonly [what: string, first: string, later: AttemptSpec, says: string][] = [
    ["more digits", "0278765", { called: "02787654321" }, "gw-1-1 free"],
    ["one digit more", "0278765", { called: "02787654" }, "gw-1-1 free"],
    ["international", "+861087", { called: "+861087654321" }, "gw-1-1 free"],
    ["separators", "+86-27", { called: "+86-27-87654321" }, "gw-1-1 free"],
    ["other separators", "(027)87", { called: "027-8765.4321" }, "gw-1-1 free"],
    ["escapes", "%2B8627", { called: "%2b862787654321" }, "gw-1-1 free"],
    ["an escaped #", "*86%23", { called: "*86%2310" }, "gw-1-1 free"],
    ["a separator more", "+86-27", { called: "+86-27-" }, paid],
    ["an escape that is none", "027%", { called: "027%8" }, paid],
    ["the first digit alone", "0", { called: "02787654321" }, "gw-1-1 free"],
    ["32 digits", "0278765", { called: "0278765".padEnd(32, "1") }, "gw-1-1 free"],
    ["33 digits: no number is so long", "0278765", { called: "0278765".padEnd(33, "1") }, paid],
    ["fewer digits", "0278765", { called: "027876" }, paid],
    ["another digit in the middle", "0278765", { called: "02777654321" }, paid],
    ["digits in front", "278765", { called: "0278765" }, paid],
    ["a name behind", "0278765", { called: "0278765x" }, paid],
    ["a name", "alice", { called: "alice1" }, paid],
    ["nothing dialled", "", { called: "02787654321" }, paid],
    ["another From tag", "0278765", { called: "02787654321", fromTag: "other" }, paid],
    ["another Call-ID", "0278765", { called: "02787654321", callId: "other" }, paid],
    ["another caller", "0278765", { called: "02787654321", calling: ["from +861087654322"] }, paid],
    [
      "one caller more",
      "0278765",
      { called: "02787654321", calling: ["from +861087654321", "pai +861087654321"] },
      paid,
    ],
    ["too long to be dialled", "0".repeat(300), { called: "0".repeat(301) }, paid],
  ];
  for (const [what, first, later, says] of rows) t.equal(incomplete(first)(later), says, what);
  const judge = incomplete("0278765");
  t.equal(
    judge({ called: "02787654321", calling: ["from 95566"] }),
    "new cli-not-listed",
    "it is judged anew",
  );
});

void t.test("each 484 is good for one call, and for its own repeats", async (t) => {
  const judge = incomplete("027");
  t.equal(judge({ called: "0278765" }), "gw-1-1 free");
  t.equal(judge({ called: "0278765" }), "gw-1-1 free", "407, and again with credentials");
  t.equal(judge({ called: "0277654" }), "new call-rate-exceeded", "another number behind the same 484");
});

void t.test("the next digits may take 32 s", async (t) => {
  t.equal(incomplete("0278765")({ called: "02787654321" }, 31_999), "gw-1-1 free");
  t.match(incomplete("0278765")({ called: "02787654321" }, 32_000), /^new /u);
});

void t.test("calls that wait for digits are bounded", async (t) => {
  const state = makeState();
  for (let i = 0; i < 1000; i++) {
    const call = { trunk: trunk.id, callId: `${i}`, fromTag: "x", dialled: "1", id: `${i}` };
    state.overlaps.incomplete(call, NOW);
  }
  const held = Array.from({ length: 1000 }, (_, i) =>
    state.overlaps.continues(makeAttempt(trunk, { callId: `${i}`, fromTag: "x", called: "12", calling: [] })),
  );
  t.equal(held.filter((id) => id !== undefined).length, state.recentCalls.capacity);
});
