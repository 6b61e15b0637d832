// Orders to a server, one after the other.
import t from "tap";
import { createOrderQueue } from "../../src/engines/drachtio/order-queue.ts";

void t.test("orders: each is sent after the answer to the one before", (t) => {
  const table: readonly (readonly [
    what: string,
    frames: readonly string[],
    sent: string,
    answered: string,
  ])[] = [
    ["no answer yet", [], "1", ""],
    ["the answer", ["x|response|1|OK"], "1 2", "1 OK"],
    ["a refusal is an answer too", ["x|response|1|NO|Unknown message type"], "1 2", "1 NO"],
    ["near miss: the answer to a later one", ["x|response|2|OK"], "1", ""],
    ["near miss: a report under its number", ["x|cdr:start|1|OK"], "1", ""],
    ["near miss: a call with its number", ["x|sip|1|OK"], "1", ""],
    ["near miss: no frame at all", ["", "|", "x|response"], "1", ""],
    ["the same answer twice", ["x|response|1|OK", "x|response|1|OK"], "1 2", "1 OK"],
    ["all answers", ["x|response|1|OK", "x|response|2|OK", "x|response|3|OK"], "1 2 3", "1 OK, 2 OK, 3 OK"],
    [
      "more answers than orders",
      ["x|response|1|OK", "x|response|2|OK", "x|response|3|OK", "x|response|4|OK"],
      "1 2 3",
      "1 OK, 2 OK, 3 OK",
    ],
  ];
  for (const [what, frames, sent, answered] of table) {
    const written: string[] = [];
    const answers: string[] = [];
    const orders = createOrderQueue((text) => written.push(text));
    for (const id of ["1", "2", "3"])
      orders.give(id, "route|cdr:stop", ([word]) => answers.push(`${id} ${word}`));
    for (const frame of frames) orders.take(frame);
    t.same(
      written,
      sent.split(" ").map((id) => `16#${id}|route|cdr:stop`),
      what,
    );
    t.equal(answers.join(", "), answered, what);
  }
  t.end();
});

void t.test("orders: the length is that of the octets", (t) => {
  const written: string[] = [];
  createOrderQueue((text) => written.push(text)).give("1", "authenticate|é|");
  t.same(written, ["18#1|authenticate|é|"]);
  t.end();
});

void t.test("orders: a nudge is sent at once, but not before the server has said anything", (t) => {
  const written: string[] = [];
  const orders = createOrderQueue((text) => written.push(text));
  orders.nudge();
  orders.give("1", "authenticate|s|");
  orders.nudge();
  t.equal(written.length, 1, "a server that has not answered once is not ready");
  orders.take("x|response|1|OK");
  orders.give("2", "ping");
  orders.nudge();
  t.same(written.slice(1), ["6#2|ping", "10#nudge|ping"]);
  orders.take("x|response|nudge|OK|pong");
  orders.give("3", "ping");
  t.equal(written.length, 3, "its answer is not that of the order");
  t.end();
});
