// How calls of captures end: what each message sequence says, and what it can't say.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { parseLines, replay, type Line } from "../verify/run.ts";
import { captureOf, packetsOf } from "./call-script.ts";
import { writePolicy } from "./policy.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
t.teardown(() => rmSync(folder, { recursive: true }));
const config = writePolicy(folder, "endings", "");

/** `released by caller, rings at 1000, answered at 3000, talks 57 s, status 200, cause 16`, with what is not there left out. */
function describe(line: Line): string {
  const named = (field: string, before: string, after = ""): string =>
    line[field] === undefined ? "" : `, ${before}${JSON.stringify(line[field])}${after}`;
  return (
    `${String(line["how"])} by ${String(line["by"])}` +
    named("ringingMs", "rings at ") +
    named("answeredMs", "answered at ") +
    named("seconds", "talks ", " s") +
    named("status", "status ") +
    named("cause", "cause ")
  );
}

async function endsOf(script: string): Promise<readonly string[]> {
  const file = join(folder, "calls.pcap");
  writeFileSync(file, captureOf(packetsOf(script)));
  const { stdout } = await replay([file], { config, ends: true });
  return parseLines(stdout)
    .filter(({ record }) => record === "ended")
    .map(describe);
}

const sip: readonly (readonly [what: string, script: string, ends: readonly string[]])[] = [
  [
    "answered, and released by the caller",
    `0  lease>edge INVITE a
     0.1 edge>lease 100 a
     1  edge>lease 180 a
     3  edge>lease 200 a
     3.1 lease>edge ACK a
     60 lease>edge BYE cause=16 a
     60.1 edge>lease 200 BYE a`,
    ["released by caller, rings at 1000, answered at 3000, talks 57 s, status 200, cause 16"],
  ],
  [
    "answered, and released by the called party",
    `0  lease>edge INVITE a
     1  edge>lease 180 a
     3  edge>lease 200 a
     60 edge>lease BYE a
     60.1 lease>edge 200 BYE a`,
    ["released by called, rings at 1000, answered at 3000, talks 57 s, status 200"],
  ],
  [
    "cancelled while it rings: the end is the 487",
    `0  lease>edge INVITE a
     1  edge>lease 180 a
     4  lease>edge CANCEL a
     4.05 edge>lease 200 CANCEL a
     4.1 edge>lease 487 a`,
    ["cancelled by caller, rings at 1000, status 487"],
  ],
  [
    "busy, with a cause; without alerting there is no ringing",
    `0  lease>edge INVITE a
     1  edge>lease 183 a
     2  edge>lease 486 cause=17 a`,
    ["refused by called, status 486, cause 17"],
  ],
  [
    "a CANCEL that crosses the answer: the call stands until its BYE",
    `0  lease>edge INVITE a
     1  edge>lease 180 a
     2  lease>edge CANCEL a
     2.01 edge>lease 200 a
     3  lease>edge BYE a
     3.1 edge>lease 200 BYE a`,
    ["released by caller, rings at 1000, answered at 2010, talks 0.99 s, status 200"],
  ],
  [
    "the first of two answers of a fork counts; the last BYE ends the call",
    `0  lease>edge INVITE a
     1  edge>lease 200 tag=one a
     2  edge>lease 200 tag=two a
     3  lease>edge BYE tag=one a
     3.1 edge>lease 200 BYE tag=one a
     9  lease>edge BYE tag=two cseq=3 a
     9.1 edge>lease 200 BYE tag=two cseq=3 a`,
    ["released by caller, answered at 1000, talks 8 s, status 200"],
  ],
  [
    "asked for credentials: an end of its own, then the call",
    `0  lease>edge INVITE a
     0.1 edge>lease 407 a
     0.2 lease>edge INVITE cseq=2 a
     1  edge>lease 180 cseq=2 a
     2  edge>lease 200 cseq=2 a
     9  lease>edge BYE cseq=3 a
     9.1 edge>lease 200 BYE cseq=3 a`,
    [
      "refused by called, status 407",
      "released by caller, rings at 800, answered at 1800, talks 7 s, status 200",
    ],
  ],
  [
    "seen in front of a proxy and behind it: one call; the proxy tries a second hop when the first is busy",
    `0  lease>edge INVITE a
     0.01 edge>core INVITE a
     1  core>edge 486 leg=edge-core a
     1.01 edge>second INVITE a
     2  second>edge 180 leg=edge-second a
     2.01 edge>lease 180 a
     3  second>edge 200 leg=edge-second a
     3.01 edge>lease 200 a
     9  lease>edge BYE a
     9.01 edge>second BYE a
     9.1 second>edge 200 BYE a
     9.11 edge>lease 200 BYE a`,
    ["released by caller, rings at 2010, answered at 3010, talks 5.99 s, status 200"],
  ],
  [
    "the answer to the BYE is missing: the BYE says enough, once 32 seconds have passed",
    `0  lease>edge INVITE a
     1  edge>lease 200 a
     5  lease>edge BYE a
     40 lease>edge INVITE b`,
    ["released by caller, answered at 1000, talks 4 s, status 200"],
  ],
  [
    "a CANCEL without the final answer: given up, once 32 seconds have passed",
    `0  lease>edge INVITE a
     1  edge>lease 180 a
     4  lease>edge CANCEL a
     40 lease>edge INVITE b`,
    ["cancelled by caller, rings at 1000"],
  ],
  [
    "near miss: nothing but the INVITE is seen, and time passes",
    `0  lease>edge INVITE a
     400 lease>edge INVITE b`,
    [],
  ],
  [
    "near miss: the answer is missing. When it came can't be told",
    `0  lease>edge INVITE a
     1  edge>lease 180 a
     9  lease>edge BYE a
     9.1 edge>lease 200 BYE a
     99 lease>edge INVITE b`,
    [],
  ],
  [
    "near miss: the answer comes before the INVITE",
    `0  edge>lease 200 a
     1  lease>edge INVITE a`,
    [],
  ],
  [
    "near miss: only the answers of the hop behind the proxy are seen",
    `0  lease>edge INVITE a
     0.01 edge>core INVITE a
     1  core>edge 180 leg=edge-core a
     2  core>edge 486 leg=edge-core a
     400 lease>edge INVITE b`,
    [],
  ],
  [
    "near miss: the messages of another call",
    `0  lease>edge INVITE a
     1  edge>lease 180 b
     2  edge>lease 200 b
     3  lease>edge BYE b`,
    [],
  ],
];

void t.test("SIP: how calls end", async (t) => {
  for (const [what, script, ends] of sip) t.same(await endsOf(script), ends, what);
});

const isup: readonly (readonly [what: string, script: string, ends: readonly string[]])[] = [
  [
    "answered, and released by the caller",
    `0  21>1 IAM 5
     1  1>21 ACM free 5
     3  1>21 ANM 5
     60 21>1 REL cause=16 5
     60.1 1>21 RLC 5`,
    ["released by caller, rings at 1000, answered at 3000, talks 57 s, cause 16"],
  ],
  [
    "answered at once by CON, and released by the called party",
    `0  21>1 IAM 5
     2  1>21 CON 5
     9  1>21 REL cause=16 5
     9.1 21>1 RLC 5`,
    ["released by called, answered at 2000, talks 7 s, cause 16"],
  ],
  [
    "an ACM without alerting, a CPG with it, and the caller gives up",
    `0  21>1 IAM 5
     1  1>21 ACM 5
     1.5 1>21 CPG progress 5
     2  1>21 CPG alerting 5
     4  21>1 REL cause=16 5
     4.1 1>21 RLC 5`,
    ["cancelled by caller, rings at 2000, cause 16"],
  ],
  [
    "busy",
    `0  21>1 IAM 5
     1  1>21 REL cause=17 5
     1.1 21>1 RLC 5`,
    ["refused by called, cause 17"],
  ],
  [
    "two calls on one circuit, one after the other",
    `0  21>1 IAM 5
     1  1>21 REL cause=17 5
     1.1 21>1 RLC 5
     2  21>1 IAM 5
     3  1>21 ANM 5
     5  21>1 REL cause=16 5`,
    ["refused by called, cause 17", "released by caller, answered at 1000, talks 2 s, cause 16"],
  ],
  [
    "near miss: another circuit",
    `0  21>1 IAM 5
     1  1>21 ANM 6
     5  1>21 REL cause=16 6`,
    [],
  ],
  [
    "near miss: an RLC without its REL, a reset, and an end that is not captured",
    `0  21>1 IAM 5
     1  1>21 ANM 5
     5  21>1 RLC 5
     6  21>1 IAM 1
     7  21>1 RSC 1
     8  21>1 IAM 2
     9  21>1 GRS 1
     10 21>1 IAM 3`,
    [],
  ],
];

void t.test("ISUP: how calls end", async (t) => {
  for (const [what, script, ends] of isup) t.same(await endsOf(script), ends, what);
});

void t.test("the end of a call that the policy refuses is told too, and its line", async (t) => {
  const file = join(folder, "refused.pcap");
  const script = `0 lease>edge INVITE a
                  1 edge>lease 200 a
                  9 lease>edge BYE a
                  9.1 edge>lease 200 BYE a`;
  writeFileSync(file, captureOf(packetsOf(script, { caller: "+861087654400" })));
  const { stdout } = await replay([file], { config, ends: true });
  const [attempt, end, ...more] = parseLines(stdout);
  t.match(attempt, { verdict: "reject", reason: "cli-not-listed" });
  t.same(end, {
    record: "ended",
    id: "1",
    time: "2026-10-03T08:15:09.000Z",
    trunk: "lease",
    lessee: "bank",
    answeredMs: 1000,
    seconds: 8,
    by: "caller",
    how: "released",
    status: 200,
  });
  t.same(more, []);
  const summary = await replay([file], { config, ends: true, json: false });
  t.match(summary.stdout, /^ends that the capture shows: 1 released$/mu);
  t.notMatch((await replay([file], { config })).stdout, "ended", "without --ends there is no such line");
});
