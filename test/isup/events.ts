// What the ISUP relay tells of a call, by message flow.
import t from "tap";
import type { CallEvent } from "../../src/domain/call.ts";
import { createTestRelay, LISTED, UNLISTED } from "../support/isup-relay.ts";

/** An event as text: `ended by called refused cause 17, ringing 1000`. */
function describe(event: CallEvent): string {
  if (event.kind === "decided" || event.kind === "request") return `${event.kind} ${event.action.kind}`;
  if (event.kind !== "ended") return event.kind;
  const { by, how, status, cause, ringingMs, answeredMs } = event;
  return [
    `ended by ${by} ${how}${status === undefined ? "" : ` ${status}`}${cause === undefined ? "" : ` cause ${cause}`}`,
    ...(ringingMs === undefined ? [] : [`ringing ${ringingMs}`]),
    ...(answeredMs === undefined ? [] : [`answered ${answeredMs}`]),
  ].join(", ");
}

const passed = "decided forwarded";
/** Subscriber free, no indication; alerting, progress (Q.763 sections 3.5 and 3.21). */
const FREE = "core hex 06040000";
const ACM = "core hex 06000000";
const ALERTING = "core hex 2c0100";
const PROGRESS = "core hex 2c0200";
const ANM = "core hex 090000";
const CON = "core hex 0704000000";
const IAM = `lease ${LISTED}`;
const stood = `${IAM}; ${FREE}; ${ANM}`;
const told = [passed, "ringing", "answered"];

/** Message flows: each message a second behind the one before. `lease` is the calling party's exchange. */
const table: readonly (readonly [flow: string, steps: string, told: readonly string[]])[] = [
  ["alerting in the ACM", `${IAM}; ${FREE}`, [passed, "ringing"]],
  ["near miss: no indication in the ACM", `${IAM}; ${ACM}`, [passed]],
  ["alerting in a CPG", `${IAM}; ${ACM}; ${ALERTING}`, [passed, "ringing"]],
  ["near miss: progress in a CPG", `${IAM}; ${ACM}; ${PROGRESS}`, [passed]],
  ["alerting twice", `${IAM}; ${FREE}; ${ALERTING}`, [passed, "ringing"]],
  ["answered", stood, told],
  ["answered twice", `${stood}; ${ANM}`, told],
  ["CON: answered without alerting", `${IAM}; ${CON}`, [passed, "answered"]],
  ["near miss: an ANM of the calling side", `${IAM}; lease hex 090000`, [passed]],
  [
    "released by the calling side",
    `${stood}; lease REL cause=16; core RLC`,
    [...told, "ended by caller released cause 16, ringing 1000, answered 2000"],
  ],
  [
    "released by the called side",
    `${stood}; core REL cause=31; lease RLC`,
    [...told, "ended by called released cause 31, ringing 1000, answered 2000"],
  ],
  [
    "both release",
    `${stood}; core REL cause=16; lease REL cause=16; lease RLC; core RLC`,
    [...told, "ended by called released cause 16, ringing 1000, answered 2000"],
  ],
  [
    "given up",
    `${IAM}; ${FREE}; lease REL cause=16`,
    [passed, "ringing", "ended by caller cancelled cause 16, ringing 1000"],
  ],
  ["busy", `${IAM}; core REL cause=17; lease RLC`, [passed, "ended by called refused cause 17"]],
  [
    "reset by the calling side",
    `${stood}; lease RSC`,
    [...told, "ended by caller lost, ringing 1000, answered 2000"],
  ],
  [
    "reset by the called side",
    `${stood}; core RSC`,
    [...told, "ended by called lost, ringing 1000, answered 2000"],
  ],
  [
    "a group reset",
    `${stood}; lease hex 170102031f`,
    [...told, "ended by caller lost, ringing 1000, answered 2000"],
  ],
  ["near miss: blocking", `${stood}; lease hex 13; core hex 15`, told],
  [
    "the associations are lost",
    `${stood}; disconnect`,
    [...told, "ended by filter lost, ringing 1000, answered 2000"],
  ],
  ["in set-up, the associations are lost", `${IAM}; disconnect`, [passed, "ended by filter lost"]],
  ["refused by us", `lease ${UNLISTED}; lease RLC`, ["decided released"]],
  ["refused by us, and no RLC", `lease ${UNLISTED}; wait 60000`, ["decided released"]],
];

void t.test("message flows: what is told, in order, each once", (t) => {
  for (const [name, steps, expected] of table) {
    const test = createTestRelay();
    steps.split("; ").forEach((step, i) => {
      const [word, ...rest] = step.split(" ");
      if (i > 0) test.pass(1000);
      if (word === "wait") test.pass(Number(rest[0]));
      else if (word === "disconnect") test.relay.disconnect(test.now, 0);
      else if (word === "lease") test.lease(rest.join(" "));
      else test.core(rest.join(" "));
    });
    t.same(test.events.map(describe), expected, `${name}: ${steps}`);
    t.same(test.faults, [], name);
  }
  t.end();
});

void t.test(
  "a second IAM on a circuit in use: the first call is lost, the second is judged by itself",
  (t) => {
    const test = createTestRelay();
    test.lease(LISTED);
    test.pass(1000);
    test.lease(UNLISTED);
    const ids = test.events.map((event) =>
      event.kind === "shed" || event.call === undefined ? "" : event.call.id,
    );
    t.equal(new Set(ids).size, 2, "two calls");
    t.same(
      test.events.filter(({ kind }) => kind === "ended").length,
      1,
      "one end: the second was not forwarded",
    );
    t.end();
  },
);
