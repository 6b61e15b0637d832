import { Socket } from "node:net";
import t from "tap";
import { createOutgoing, type Outgoing } from "../../src/engines/outgoing.ts";

/** Where connections are begun that never come about, and what could not be sent. */
function createSilentWorld(): {
  readonly outgoing: Outgoing;
  readonly dialled: string[];
  readonly undelivered: string[];
} {
  const dialled: string[] = [];
  const undelivered: string[] = [];
  const outgoing = createOutgoing({
    dial(address, port) {
      dialled.push(`${address}:${port}`);
      return new Socket();
    },
    reached: () => undefined,
    failed: () => undefined,
    undelivered: (_bytes, address, port) => undelivered.push(`${address}:${port}`),
  });
  return { outgoing, dialled, undelivered };
}

void t.test("a peer with many silent ports keeps nobody else from being connected to", async (t) => {
  const { outgoing, dialled, undelivered } = createSilentWorld();
  const bytes = Buffer.from("SIP/2.0 180 Ringing\r\n\r\n");
  // It names another port in each Via, and is gone before its answers come.
  for (let port = 10_000; port < 10_200; port++) outgoing.send(bytes, "203.0.113.10", port);
  t.equal(dialled.length, 8, "a few at a time");
  t.equal(undelivered.length, 192, "the rest has nowhere to go");
  outgoing.send(bytes, "198.51.100.1", 5060);
  t.equal(dialled.at(-1), "198.51.100.1:5060");
  outgoing.tick(Date.now() + 5000);
  t.equal(undelivered.length, 201, "given up after 4 s");
  outgoing.send(bytes, "203.0.113.10", 20_000);
  t.equal(dialled.at(-1), "203.0.113.10:20000", "and then there is room again");
});
