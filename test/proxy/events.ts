// What the SIP proxy tells of a call, by call flow.
import t from "tap";
import type { CallEvent } from "../../src/domain/call.ts";
import { answeredCall, createFlow, type Flow } from "../support/call-flow.ts";

/** An event as text: `ended by caller released 200 cause 16, ringing 1000, answered 3000`. */
function describe(event: CallEvent): string {
  if (event.kind === "decided" || event.kind === "request") return `${event.kind} ${event.action.kind}`;
  if (event.kind === "moved") return `moved ${event.hop} ${event.why}`;
  if (event.kind !== "ended") return event.kind;
  const { by, how, status, cause, ringingMs, answeredMs } = event;
  return [
    `ended by ${by} ${how}${status === undefined ? "" : ` ${status}`}${cause === undefined ? "" : ` cause ${cause}`}`,
    ...(ringingMs === undefined ? [] : [`ringing ${ringingMs}`]),
    ...(answeredMs === undefined ? [] : [`answered ${answeredMs}`]),
  ].join(", ");
}

/** What is told of a call that rings at 1 s and is answered at 2 s. */
const stood = ["decided forwarded", "ringing", "answered"];
const released = (by: string, more = ""): string =>
  `ended by ${by} released 200${more}, ringing 1000, answered 2000`;
const B = "udp:198.51.100.2:5060";

/** Call flows: each step comes a second behind the one before. `wait N`: N milliseconds pass. Steps: support/call-flow.ts. */
const table: readonly (readonly [flow: string, steps: string, told: readonly string[]])[] = [
  ["in progress", "INVITE", ["decided forwarded"]],
  ["a repeat is not told", "INVITE; INVITE; 180; 180; INVITE", ["decided forwarded", "ringing"]],
  ["100 and 183 are no alerting", "INVITE; 100; 183", ["decided forwarded"]],
  ["released by the caller", `${answeredCall}; BYE caller; answer 200`, [...stood, released("caller")]],
  ["released by the called", `${answeredCall}; BYE called; answer 200`, [...stood, released("called")]],
  ["with a cause", `${answeredCall}; BYE called 31; answer 200`, [...stood, released("called", " cause 31")]],
  ["the BYE is not answered yet", `${answeredCall}; BYE caller; wait 30000`, stood],
  ["the BYE is never answered", `${answeredCall}; BYE caller; wait 33100`, [...stood, released("caller")]],
  ["the BYE is answered 481", `${answeredCall}; BYE called; answer 481`, [...stood, released("called")]],
  ["the BYE is answered 408", `${answeredCall}; BYE called; answer 408`, [...stood, released("called")]],
  ["the BYE is challenged", `${answeredCall}; BYE caller; answer 407; wait 40000`, stood],
  [
    "the BYE is challenged and comes again",
    `${answeredCall}; BYE caller; answer 401; BYE caller; answer 200`,
    [...stood, released("caller")],
  ],
  [
    "crossing BYEs",
    `${answeredCall}; BYE caller; BYE called; answer 200; answer 200`,
    [...stood, released("caller")],
  ],
  [
    "a repeated BYE and answer",
    `${answeredCall}; BYE called; BYE called; answer 200; answer 200`,
    [...stood, released("called")],
  ],
  ["a repeated 200", `${answeredCall}; 200; 200`, stood],
  [
    "answered without ringing",
    "INVITE; 200; BYE caller; answer 200",
    ["decided forwarded", "answered", "ended by caller released 200, answered 1000"],
  ],
  [
    "a fork: the last BYE ends it",
    `${answeredCall}; 200 x; BYE caller; answer 200; BYE called x; answer 200`,
    [...stood, released("called")],
  ],
  ["a fork: one BYE ends nothing", `${answeredCall}; 200 x; BYE caller; answer 200`, stood],
  [
    "a fork: two BYEs under way, the first is challenged",
    `${answeredCall}; 200 x; BYE caller; BYE caller x; answer 401; answer 200; BYE caller; answer 200`,
    [...stood, released("caller")],
  ],
  [
    "a fork: two BYEs under way, the last is challenged",
    `${answeredCall}; 200 x; BYE caller; BYE caller x; answer 200; answer 407; BYE caller x; answer 200`,
    [...stood, released("caller")],
  ],
  [
    "a fork: the BYE of the last is answered before the first is challenged",
    `${answeredCall}; 200 x; 200 y; BYE caller; BYE caller x; later answer 200; answer 401; BYE caller y; answer 200; BYE caller; answer 200`,
    [...stood, released("caller")],
  ],
  [
    "refused by the called",
    "INVITE; 180; 486; 486",
    ["decided forwarded", "ringing", "ended by called refused 486, ringing 1000"],
  ],
  ["refused with a cause", "INVITE; 486 17", ["decided forwarded", "ended by called refused 486 cause 17"]],
  ["near miss: a cause of SIP", "INVITE; 486 SIP", ["decided forwarded", "ended by called refused 486"]],
  ["redirected by the called", "INVITE; 302", ["decided forwarded", "ended by called refused 302"]],
  ["408 by the called", "INVITE; 408", ["decided forwarded", "ended by called refused 408"]],
  [
    "cancelled",
    "INVITE; 180; CANCEL; 487",
    ["decided forwarded", "ringing", "ended by caller cancelled 487, ringing 1000"],
  ],
  [
    "cancelled, and no final answer",
    "INVITE; 180; CANCEL; wait 33100",
    ["decided forwarded", "ringing", "ended by caller cancelled, ringing 1000"],
  ],
  ["CANCEL crosses 486", "INVITE; CANCEL; 486", ["decided forwarded", "ended by called refused 486"]],
  ["CANCEL crosses 200", `INVITE; 180; 200; CANCEL; BYE caller; answer 200`, [...stood, released("caller")]],
  [
    "200 behind the CANCEL",
    `INVITE; 180; CANCEL; 200; BYE caller; answer 200`,
    [...stood, "ended by caller released 200, ringing 1000, answered 3000"],
  ],
  ["silence", "INVITE; wait 33100", ["decided forwarded", "ended by filter timed-out"]],
  ["near miss: silence", "INVITE; wait 31000", ["decided forwarded"]],
  ["100, and an answer after a while", "INVITE; 100; wait 60000; 200", ["decided forwarded", "answered"]],
  ["100, and nothing else", "INVITE; 100; wait 241200", ["decided forwarded", "ended by filter timed-out"]],
  [
    "rings for ever",
    "INVITE; 180; wait 241200",
    ["decided forwarded", "ringing", "ended by filter timed-out, ringing 1000"],
  ],
  ["near miss: rings for long", "INVITE; 180; wait 239000", ["decided forwarded", "ringing"]],
  [
    "a late 200 tells nothing",
    "INVITE; wait 33100; 200; BYE caller; answer 200",
    ["decided forwarded", "ended by filter timed-out"],
  ],
  [
    "the session expires",
    "INVITE; 180; 200 se90; wait 123200",
    [...stood, "ended by filter timed-out 200, ringing 1000, answered 2000"],
  ],
  ["near miss: the session", "INVITE; 180; 200 se90; wait 121000", stood],
  [
    "refreshed by a re-INVITE",
    "INVITE; 180; 200 se90; wait 60000; re-INVITE; answer 200 se90; wait 100000",
    stood,
  ],
  [
    "refreshed by an UPDATE",
    "INVITE; 180; 200 se90; wait 60000; UPDATE; answer 200 se300; wait 300000",
    stood,
  ],
  [
    "near miss: a refused refresh",
    "INVITE; 180; 200 se90; INFO; answer 200; wait 124000",
    [...stood, "ended by filter timed-out 200, ringing 1000, answered 2000"],
  ],
  [
    "nobody says BYE",
    `${answeredCall}; hours 12`,
    [...stood, "ended by filter lost 200, ringing 1000, answered 2000"],
  ],
  [
    "503 and another next hop",
    "INVITE; 503; 180; 486",
    ["decided forwarded", `moved ${B} 503`, "ringing", "ended by called refused 486, ringing 2000"],
  ],
  [
    "down and another next hop",
    "INVITE; down; 180; 200",
    ["decided forwarded", `moved ${B} down`, "ringing", "answered"],
  ],
  ["503 of both", "INVITE; 503; 503", ["decided forwarded", `moved ${B} 503`, "ended by called refused 503"]],
  [
    "moved, and nobody answers",
    "INVITE; down; wait 33100",
    ["decided forwarded", `moved ${B} down`, "ended by filter timed-out 408"],
  ],
  [
    "503 and then silence",
    "INVITE; 503; wait 33100",
    ["decided forwarded", `moved ${B} 503`, "ended by filter refused 503"],
  ],
  [
    "a late 180 of the first",
    "INVITE; down; first 180; 486",
    ["decided forwarded", `moved ${B} down`, "ended by called refused 486"],
  ],
  [
    "a late 486 of the first",
    "INVITE; down; first 486; 180",
    ["decided forwarded", `moved ${B} down`, "ringing"],
  ],
  [
    "a late 200 of the first",
    "INVITE; down; 180; first 200; 487; BYE caller; answer 200",
    [
      "decided forwarded",
      `moved ${B} down`,
      "ringing",
      "answered",
      "ended by caller released 200, ringing 2000, answered 3000",
    ],
  ],
  ["refused by the filter", "unlisted INVITE; unlisted INVITE", ["decided answered"]],
];

void t.test("call flows: what is told, in order, each once", (t) => {
  for (const [name, steps, told] of table) {
    const flow: Flow = createFlow();
    for (const step of steps.split("; ")) flow.play(step);
    t.same(flow.events().map(describe), told, `${name}: ${steps}`);
    t.same(flow.faults(), [], name);
    const isOver = told.at(-1)?.startsWith("ended") === true;
    const isForwarded = told[0] === "decided forwarded";
    const isLeaving = name.startsWith("the BYE is not answered");
    t.equal(flow.channels(), isForwarded && !isOver && !isLeaving ? 1 : 0, `${name}: channels`);
  }
  t.end();
});
