import t from "tap";
import { createStrangers } from "../../src/observe/strangers.ts";

void t.test("strangers: few are counted exactly, and taken once", (t) => {
  const strangers = createStrangers();
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) strangers.note(address);
  t.same(strangers.take(5), ["192.0.2.1 ×2", "192.0.2.2 ×1"]);
  t.same(strangers.take(5), []);
  t.end();
});

void t.test("strangers: one that sends a lot is found among thousands that change all the time", (t) => {
  const strangers = createStrangers();
  // 7 is no divisor of the sampling, so that every sender is met by it.
  for (let datagram = 0; datagram < 100_000; datagram++)
    strangers.note(datagram % 7 === 0 ? "203.0.113.9" : `10.${datagram & 255}.${(datagram >> 8) & 255}.1`);
  const [busiest = ""] = strangers.take(1);
  const [address, count] = busiest.split(" ×");
  t.equal(address, "203.0.113.9");
  t.ok(Math.abs(Number(count) - 100_000 / 7) < 1500, `${count} is near the truth`);
  t.end();
});
