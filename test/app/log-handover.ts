import t from "tap";
import { createLogHandover } from "../../src/app/admin/log-handover.ts";
import type { LogEntry } from "../../src/observe/log.ts";

const entry: LogEntry = { at: 0, level: "info", kind: "message", message: "m", fields: {} };

void t.test("handover: entries of one turn go in one message", async (t) => {
  const sent = await new Promise<readonly LogEntry[]>((resolve) => {
    const handover = createLogHandover({
      send(entries) {
        resolve(entries);
        return true;
      },
      taken: () => 0,
    });
    for (let count = 0; count < 5; count++) handover.push(entry);
  });
  t.equal(sent.length, 5);
});

void t.test("handover: a thread that takes nothing fills no memory, and the loss is counted", (t) => {
  const batches: (readonly [entries: number, lost: number])[] = [];
  let taken = 0;
  const handover = createLogHandover({
    send(entries, lost) {
      batches.push([entries.length, lost]);
      return true;
    },
    taken: () => taken,
  });
  const say = (count: number): void => {
    for (let index = 0; index < count; index++) handover.push(entry);
    handover.flush();
  };
  say(1000);
  say(1000);
  taken = 1000;
  say(500);
  t.same(
    batches,
    [
      [1000, 0],
      [24, 976],
      [500, 0],
    ],
    "1,024 wait or are on their way, no more",
  );
  handover.forgetSent();
  handover.flush();
  t.same(batches.at(-1), [0, 524], "what a thread that ended had not taken is lost");
  t.end();
});

void t.test("handover: nobody there: what waits is kept, in order", (t) => {
  let isThere = false;
  const received: string[] = [];
  const handover = createLogHandover({
    send(entries) {
      if (isThere) received.push(...entries.map((each) => (each.kind === "message" ? each.message : "")));
      return isThere;
    },
    taken: () => 0,
  });
  handover.push({ ...entry, message: "first" });
  handover.flush();
  handover.push({ ...entry, message: "second" });
  isThere = true;
  handover.flush();
  t.same(received, ["first", "second"]);
  t.end();
});
