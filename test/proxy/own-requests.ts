import { Buffer } from "node:buffer";
import t from "tap";
import { createOwnRequests, type OwnRequest } from "../../src/proxy/memory/own-requests.ts";
import { createReleasedCalls, type ReleasedCall } from "../../src/proxy/memory/released-calls.ts";
import { listeners } from "../support/proxy.ts";

const call = (count: number): ReleasedCall => ({
  name: { epoch: 1, count },
  tally: { released: 0, gone: 0, notReleasable: 0, waiting: 0 },
  invite: undefined,
  targets: [],
  cancelled: [],
  tags: [],
  cseq: 1,
  open: 0,
  sent: 0,
  unknown: 0,
});

const bye = (mac: string, isRepeated = true): OwnRequest => ({
  method: "BYE",
  mac,
  listener: listeners[0]!,
  address: "192.0.2.9",
  port: 5060,
  bytes: isRepeated ? Buffer.from("x") : undefined,
  call: call(1),
});

void t.test("requests of our own: bounded, found by method and MAC", async (t) => {
  const requests = createOwnRequests(2);
  t.ok(requests.start(bye("a"), 0));
  t.ok(requests.start(bye("b", false), 0));
  t.notOk(requests.start(bye("c"), 0), "full");
  t.equal(requests.find("BYE", "a")?.mac, "a");
  t.equal(requests.find("CANCEL", "a"), undefined);
  requests.stop(requests.find("BYE", "a")!);
  t.equal(requests.size(), 1);
  const told: string[] = [];
  for (let now = 0; now <= 32_000; now += 100)
    requests.tick(
      now,
      ({ mac }) => told.push(`again ${mac}`),
      ({ mac }) => told.push(`expired ${mac} ${now}`),
    );
  t.same(told, ["expired b 32000"], "one on a stream is not repeated");
  t.equal(requests.size(), 0);
});

void t.test("repeats of many: at most 200 in a tick, none forgotten", async (t) => {
  const requests = createOwnRequests(1000);
  for (let i = 0; i < 1000; i++) requests.start(bye(`${i}`), 0);
  const seen = new Map<string, number>();
  for (let now = 500; now < 1000; now += 100) {
    let sent = 0;
    requests.tick(
      now,
      ({ mac }) => {
        sent++;
        seen.set(mac, (seen.get(mac) ?? 0) + 1);
      },
      () => undefined,
    );
    t.equal(sent, 200);
  }
  t.equal(seen.size, 1000);
  t.ok([...seen.values()].every((times) => times === 1));
});

void t.test("released calls: known for 64·T1, the oldest goes where there are too many", async (t) => {
  const released = createReleasedCalls(2);
  released.add(call(1), 0);
  released.add(call(2), 1000);
  t.equal(released.of({ epoch: 1, count: 1 })?.name.count, 1);
  t.equal(released.of({ epoch: 2, count: 1 }), undefined, "of another epoch");
  released.add(call(3), 2000);
  t.equal(released.size, 2);
  t.equal(released.of({ epoch: 1, count: 1 }), undefined);
  released.tick(33_000);
  t.equal(released.of({ epoch: 1, count: 2 }), undefined);
  t.equal(released.of({ epoch: 1, count: 3 })?.name.count, 3);
});
