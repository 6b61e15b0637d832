// What is told of a call that another stack carries, by the reports of that stack.
import { Buffer } from "node:buffer";
import t from "tap";
import { createCalls } from "../../src/calls/call-memory.ts";
import { createReportedCalls } from "../../src/delegated/reported-calls.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { readRequestInHand } from "../../src/routing/request-in-hand.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { naming } from "../support/events.ts";
import { listeners } from "../support/proxy.ts";

const HOUR = 3_600_000;

function message(start: string, from: string, to: string, more = ""): Buffer {
  const method = start.startsWith("SIP/") ? "INVITE" : start.slice(0, start.indexOf(" "));
  // A CANCEL has the branch of its INVITE (RFC 3261 section 9.1).
  const branch = method === "CANCEL" ? "INVITE" : method;
  return Buffer.from(
    `${start}\r\nVia: SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bK${branch}\r\nFrom: <sip:a@b>;tag=${from}\r\n` +
      `To: <sip:c@d>${to === "" ? "" : `;tag=${to}`}\r\nCall-ID: one\r\nCSeq: 1 ${method}\r\n${more}Content-Length: 0\r\n\r\n`,
  );
}

function because(cause: string): string {
  return cause === "" ? "" : `Reason: Q.850;cause=${cause}\r\n`;
}

/**
 * Reports, each a second behind the one before: `200 TAG SESSION` starts; `BYE caller TAG`, `BYE called TAG`, `486`
 * and `CANCEL` stop, with a cause where a number follows; `hours N` and `wait N` pass; from `gap` on reports were missing.
 */
function tellOf(steps: string): readonly string[] {
  const told: string[] = [];
  const calls = createCalls<undefined>({
    ...naming,
    capacity: 10,
    longestCall: () => 12 * HOUR,
    tell(event) {
      if (event.kind !== "ended") {
        told.push(event.kind);
        return;
      }
      const { by, how, status, cause, answeredMs } = event;
      told.push(
        [by, how, status, cause === undefined ? "" : `cause ${cause}`, answeredMs]
          .join(" ")
          .replaceAll("  ", " ")
          .trim(),
      );
    },
  });
  const books = createReportedCalls({
    counters: createCounters(),
    capacity: 10,
    calls,
    unjudged: () => told.push("unjudged"),
  });
  let now = 0;
  const pass = (millis: number): void => {
    for (const end = now + millis; now < end;) books.sweep((now += 1000));
  };
  books.sweep(now);
  const [listener] = listeners;
  const invite = message("INVITE sip:c@d SIP/2.0", "caller", "");
  const request = listener && readRequestInHand(scan(createMessage(), invite), listener, "192.0.2.66", 5060);
  if (request === undefined) throw new Error("no request");
  const slot = calls.begin("", "lease", now);
  calls.forwarded(slot, now);
  books.judged(request, { name: calls.nameOf(slot) }, now);
  for (const step of steps.split("; ")) {
    const [word = "", first = "", second = "", third = ""] = step.split(" ");
    if (word === "wait") pass(Number(first));
    else if (word === "hours") pass(Number(first) * HOUR);
    else if (word === "gap") books.interrupted(now);
    else {
      pass(1000);
      if (word === "200") {
        const session = second === "" ? "" : `Session-Expires: ${second}\r\n`;
        books.reported("final", message("SIP/2.0 200 OK", "caller", first, session), now);
      } else if (word === "BYE") {
        const [from, to] = first === "caller" ? ["caller", second] : [second, "caller"];
        books.reported("release", message("BYE sip:c@d SIP/2.0", from ?? "", to ?? "", because(third)), now);
      } else if (word === "202") books.reported("final", message("SIP/2.0 202 OK", "caller", first), now);
      else if (word === "CANCEL")
        books.reported("final", message("CANCEL sip:c@d SIP/2.0", "caller", "", because(first)), now);
      else books.reported("final", message(`SIP/2.0 ${word} No`, "caller", "x", because(first)), now);
    }
  }
  return told;
}

void t.test("reports: what is told of each call, once", (t) => {
  const table: readonly (readonly [flow: string, steps: string, told: readonly string[]])[] = [
    ["released by the caller", "200 x; BYE caller x", ["answered", "caller released 200 1000"]],
    ["released by the called", "200 x; BYE called x", ["answered", "called released 200 1000"]],
    ["with a cause", "200 x; BYE called x 31", ["answered", "called released 200 cause 31 1000"]],
    ["crossing BYEs", "200 x; BYE called x; BYE caller x", ["answered", "called released 200 1000"]],
    ["a repeated 200", "200 x; 200 x", ["answered"]],
    ["a fork: one answer is told", "200 x; 200 y; BYE caller y", ["answered", "caller released 200 1000"]],
    ["near miss: the BYE of another dialog", "200 x; BYE caller z", ["answered", "unjudged"]],
    ["refused by the called", "486", ["called refused 486"]],
    ["refused with a cause", "486 17", ["called refused 486 cause 17"]],
    ["408 by the called", "408", ["called refused 408"]],
    ["cancelled, by its 487", "487", ["caller cancelled 487"]],
    ["cancelled, by its CANCEL", "CANCEL", ["caller cancelled 487"]],
    ["both are told once", "CANCEL; 487", ["caller cancelled 487"]],
    ["an answer that is no 200", "202 x; BYE caller x", ["answered", "caller released 200 1000"]],
    [
      "a 200 that crossed the CANCEL stands until its BYE",
      "487; 200 x; BYE caller x",
      ["caller cancelled 487"],
    ],
    [
      "near miss: 65 s after the CANCEL",
      "487; wait 65000; 200 x; BYE caller x",
      ["caller cancelled 487", "unjudged"],
    ],
    [
      "reports were missing: known, if late",
      "200 x; gap; hours 2; BYE caller x",
      ["answered", "caller released 200 1000"],
    ],
    ["nothing is reported", "wait 241200", ["filter timed-out"]],
    ["near miss: it rings for long", "wait 238000; 200 x", ["answered"]],
    ["the session expires", "200 x 90; wait 124000", ["answered", "filter timed-out 200 1000"]],
    ["near miss: the session", "200 x 90; wait 120000", ["answered"]],
    ["no end is reported", "200 x; hours 12; wait 2000", ["answered", "filter lost 200 1000"]],
  ];
  for (const [name, steps, told] of table) t.same(tellOf(steps), told, `${name}: ${steps}`);
  t.end();
});
