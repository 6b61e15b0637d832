import t from "tap";
import { createNoteTaker } from "../../src/engines/m3ua/association-notes.ts";
import { createSs7Counters } from "../../src/observe/ss7-counters.ts";
import type { AssociationNote } from "../../src/wire/sctp/association.ts";

const path = (address: string, state: "down" | "up" | "gone"): AssociationNote => ({
  kind: "path",
  address,
  state,
});

void t.test("paths: how many are down, and a line each time", (t) => {
  const counters = createSs7Counters();
  const lines: string[] = [];
  const take = createNoteTaker({ id: "lease", counters, now: () => 0, noted: (line) => lines.push(line) });
  const rows: readonly (readonly [
    note: AssociationNote,
    down: number,
    lost: number,
    line: string | undefined,
  ])[] = [
    [path("192.0.2.1", "down"), 1, 1, "lease: the path to 192.0.2.1 is down"],
    [path("198.51.100.1", "down"), 2, 2, "lease: the path to 198.51.100.1 is down"],
    [path("192.0.2.1", "up"), 1, 2, "lease: the path to 192.0.2.1 is up again"],
    [path("192.0.2.1", "down"), 2, 3, "lease: the path to 192.0.2.1 is down"],
    [path("192.0.2.1", "gone"), 1, 3, undefined],
    [path("198.51.100.1", "gone"), 0, 3, undefined],
    [
      { kind: "missing", address: "198.51.100.1" },
      0,
      3,
      "lease: the association of the peer does not have the address 198.51.100.1: no path goes there",
    ],
  ];
  for (const [note, down, lost, line] of rows) {
    take(note);
    t.same(
      [counters.pathsDown, counters.pathsLost, lines.splice(0)],
      [down, lost, line === undefined ? [] : [line]],
    );
  }
  t.end();
});

void t.test("identifiers: each message is counted, and a line of each kind in ten seconds", (t) => {
  const counters = createSs7Counters();
  const lines: string[] = [];
  let now = 0;
  const take = createNoteTaker({ id: "lease", counters, now: () => now, noted: (line) => lines.push(line) });
  for (let index = 0; index < 100; index++) {
    take({ kind: "host-order" });
    take({ kind: "foreign", identifier: 2 });
  }
  t.same([counters.hostOrder, counters.foreign, lines.length], [100, 100, 2]);
  now = 10_000;
  take({ kind: "foreign", identifier: 5 });
  t.equal(
    lines.at(-1),
    "lease: dropped a message with payload protocol identifier 5: M3UA has 3, see RFC 4666 section 7.1 (and 99 more since the last line)",
  );
  t.end();
});
