import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
import { createScreeningState, type ScreeningState } from "../../src/screening/state.ts";
import { createTestRelay, isupPolicy, told, type TestRelay } from "../support/isup-relay.ts";
import { compileText } from "../support/proxy.ts";

/** A condition under which an ordinary call is released. */
interface Condition {
  readonly name: string;
  readonly keys?: string;
  readonly rooms?: { readonly circuits?: number; readonly calls?: number };
  readonly prepare?: (test: TestRelay, state: ScreeningState) => void;
  /** The calling number; a listed one when left out. */
  readonly calling?: string;
  /** Parameters behind the numbers, in hex. */
  readonly more?: string;
  /** The cause of an ordinary call's release. */
  readonly cause: number;
}

/** Optional forward call indicators: simple segmentation (Q.763 section 3.38). */
const SEGMENTED = "080104";

function iam(called: string, { calling = "calling=3:1087654321", more = "" }: Partial<Condition>): string {
  const plain = encodeIsup(`IAM called=3:${called} ${calling}`);
  const octets = [plain.subarray(0, -1), Buffer.from(more, "hex"), Buffer.alloc(1)];
  return `hex ${Buffer.concat(octets).toString("hex")}`;
}

const ordinary = "13800138000";

function place(test: TestRelay): void {
  test.lease(iam(ordinary, {}), 100);
}

const conditions: readonly Condition[] = [
  { name: "callsPerSecond is spent", keys: "limits: { callsPerSecond: 1 }", prepare: place, cause: 42 },
  { name: "attemptsPerSecond is spent", keys: "limits: { attemptsPerSecond: 1 }", prepare: place, cause: 42 },
  {
    name: "attemptsPerCallerPerMinute is spent",
    keys: "limits: { attemptsPerCallerPerMinute: 1 }",
    prepare: place,
    cause: 21,
  },
  {
    name: "all channels are in use",
    keys: "limits: { channels: 1 }",
    prepare: (_test, state) => {
      state.channels.of = () => 1;
    },
    cause: 34,
  },
  { name: "the table of calls is full", rooms: { calls: 1 }, prepare: place, cause: 42 },
  {
    name: "no room to wait for a segment",
    rooms: { circuits: 1 },
    // The circuit of a refusal is kept until RLC.
    prepare: (test) => {
      test.lease(iam(ordinary, { calling: "calling=3:1087654444" }), 100);
    },
    more: SEGMENTED,
    cause: 21,
  },
  {
    name: "a rule fails",
    keys: "limits: { channels: 9 }",
    prepare: (_test, state) => {
      state.channels.of = () => {
        throw new Error("a fault of our own");
      };
    },
    cause: 41,
  },
  { name: "not listed", calling: "calling=3:1087654444", cause: 21 },
  { name: "no calling party number", calling: "", cause: 21 },
];

void t.test("no limit, table, fault or rule releases an emergency call of a domestic trunk", (t) => {
  for (const condition of conditions) {
    const { name, keys, rooms, prepare, cause } = condition;
    const policy = compileText(
      keys === undefined
        ? isupPolicy
        : isupPolicy.replace("lessee: bank, area", `${keys}, lessee: bank, area`),
    );
    const state = createScreeningState(policy.tables);
    const test = createTestRelay({ policy, state, ...rooms });
    prepare?.(test, state);
    t.same(
      told(test.lease(iam(ordinary, condition))),
      [`0 REL ${cause} 900>11-2`],
      `${name}: an ordinary call`,
    );
    t.same(told(test.lease(iam("110", condition), 3)), ["1 IAM 11>900-3"], `${name}: 110`);
    t.same(test.faults, [], name);
  }
  t.end();
});
