import t from "tap";
import { compareSessions } from "../fuzz/twin-sessions.ts";

/**
 * The byte path (src/proxy/ordinary) against the general path: conversations of the fuzzer, by the book and with every
 * mutation, are had with two proxies at once. `npm run fuzz` does the same for as long as asked.
 */
void t.test("the general path does the same with every message that the byte path takes", (t) => {
  const { sessions, messages, taken, handedOn, differing } = compareSessions(20_000, { sessions: 40 });
  t.same(
    differing,
    [],
    `${sessions} sessions of ${messages} messages: ${taken} taken, ${handedOn} handed on`,
  );
  t.ok(taken > messages / 20, "many a message is taken");
  t.end();
});
