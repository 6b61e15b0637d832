import t from "tap";
import { createNewcomers } from "../../src/engines/m3ua/newcomers.ts";
import { createSs7Counters } from "../../src/observe/ss7-counters.ts";
import type { PendingAssociation } from "../../src/wire/sctp/association.ts";
import { linkTo } from "../support/m3ua-engine.ts";

interface Caller extends PendingAssociation {
  isRefused: boolean;
}

/** Somebody who connects. */
function caller(address: string, port = 2905): Caller {
  const own: Caller = {
    address,
    port,
    localPort: 2905,
    isRefused: false,
    testLife: () => undefined,
    open: () => {
      throw new Error("not opened here");
    },
    refuse: () => void (own.isRefused = true),
  };
  return own;
}

/** An association that is there; the test of its life ends when the row says so. */
function former(): {
  readonly testLife: (done: (isAlive: boolean) => void) => void;
  tests: number;
  decide: (isAlive: boolean) => void;
} {
  const own: ReturnType<typeof former> = {
    tests: 0,
    decide: () => undefined,
    testLife(done: (isAlive: boolean) => void) {
      own.tests++;
      own.decide = done;
    },
  };
  return own;
}

function door(remotes: readonly string[], port: number) {
  const notes: string[] = [];
  const clock = { now: 0 };
  const counters = createSs7Counters();
  const [first = "", ...others] = remotes;
  const all = [{ address: first, port }, ...others.map((address) => ({ address, port }))] as const;
  const newcomers = createNewcomers({
    config: { ...linkTo("sctp", 1).associations[0], remote: all[0], remotes: all },
    counters,
    now: () => clock.now,
    noted: (note) => notes.push(note),
  });
  return { newcomers, notes, counters, clock };
}

void t.test("who is the peer: any address of `remote`, and its port where one is set", (t) => {
  const one = ["192.0.2.1"];
  const two = ["192.0.2.1", "198.51.100.1"];
  const rows: readonly (readonly [
    remotes: readonly string[],
    port: number,
    from: Caller,
    isPeer: boolean,
  ])[] = [
    [one, 0, caller("192.0.2.1", 2905), true],
    [one, 0, caller("192.0.2.1", 40_000), true],
    [one, 2905, caller("192.0.2.1", 2905), true],
    [one, 2905, caller("192.0.2.1", 2906), false],
    [one, 0, caller("192.0.2.2"), false],
    [one, 0, caller("198.51.100.1"), false],
    [two, 0, caller("198.51.100.1"), true],
    [two, 2905, caller("198.51.100.1", 2905), true],
    [two, 2905, caller("198.51.100.1", 2906), false],
    [two, 0, caller("198.51.100.2"), false],
    [two, 0, caller(""), false],
  ];
  for (const [remotes, port, from, isPeer] of rows)
    t.equal(
      door(remotes, port).newcomers.isExpected(from),
      isPeer,
      `${remotes.join()} ${port}: ${from.address} ${from.port}`,
    );
  t.end();
});

void t.test("a newcomer while an association is there: only its death lets one in", (t) => {
  const rows: readonly {
    readonly what: string;
    readonly lives: boolean | undefined;
    readonly newcomers: number;
    /** Which newcomers are refused, and which is let in. */
    readonly refused: readonly number[];
    readonly taken: readonly number[];
  }[] = [
    { what: "it lives", lives: true, newcomers: 1, refused: [0], taken: [] },
    { what: "it is dead", lives: false, newcomers: 1, refused: [], taken: [0] },
    { what: "it is not known yet", lives: undefined, newcomers: 1, refused: [], taken: [] },
    { what: "it lives, three come", lives: true, newcomers: 3, refused: [0, 1, 2], taken: [] },
    { what: "it is dead, three come: the first", lives: false, newcomers: 3, refused: [1, 2], taken: [0] },
  ];
  for (const { what, lives, newcomers: count, refused, taken } of rows) {
    const { newcomers, counters } = door(["192.0.2.1"], 0);
    const there = former();
    const came = Array.from({ length: count }, () => caller("192.0.2.1"));
    const admitted: number[] = [];
    for (const [index, peer] of came.entries()) newcomers.wait(peer, there, () => admitted.push(index));
    if (lives !== undefined) there.decide(lives);
    t.equal(there.tests, 1, `${what}: one test`);
    t.same(
      came.flatMap(({ isRefused }, index) => (isRefused ? [index] : [])),
      refused,
      `${what}: refused`,
    );
    t.same(admitted, taken, `${what}: let in`);
    t.equal(counters.seconds, refused.length, `${what}: counted`);
  }
  t.end();
});

void t.test("after a test the next newcomer is tested again", (t) => {
  const { newcomers } = door(["192.0.2.1"], 0);
  const there = former();
  const admitted: string[] = [];
  newcomers.wait(caller("192.0.2.1"), there, () => admitted.push("first"));
  there.decide(true);
  newcomers.wait(caller("192.0.2.1"), there, () => admitted.push("second"));
  there.decide(false);
  t.same(admitted, ["second"]);
  t.end();
});

void t.test("a stop refuses who waits, and a late outcome changes nothing", (t) => {
  const { newcomers } = door(["192.0.2.1"], 0);
  const there = former();
  const peer = caller("192.0.2.1");
  newcomers.wait(peer, there, () => t.fail("let in"));
  newcomers.stop();
  t.equal(peer.isRefused, true);
  there.decide(false);
  t.end();
});

void t.test("a flood of strangers is counted, and one line in ten seconds", (t) => {
  const { newcomers, notes, counters, clock } = door(["192.0.2.1"], 0);
  for (let index = 0; index < 1000; index++) newcomers.refuse(caller("203.0.113.9", 1000 + index));
  t.same(notes, ["lease: refused an association from 203.0.113.9 port 1000"]);
  newcomers.failed(new Error("accept EMFILE"));
  t.equal(notes.at(-1), "lease: accept EMFILE", "another kind of line is not held back");
  clock.now = 9999;
  newcomers.refuse(caller("203.0.113.9", 1));
  t.equal(notes.length, 2);
  clock.now = 10_000;
  newcomers.refuse(caller("203.0.113.9", 2));
  t.equal(
    notes.at(-1),
    "lease: refused an association from 203.0.113.9 port 2 (and 1000 more since the last line)",
  );
  t.equal(counters.strangers, 1002);
  t.end();
});
