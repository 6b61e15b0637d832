import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import type { Calls, CallsView } from "../../src/calls/calls.ts";
import type { OrdinaryTally } from "../../src/proxy/turn/proxy-state.ts";
import type { Listener } from "../../src/routing/listener.ts";
import type { Sent, TestProxy } from "./proxy.ts";

/**
 * Two proxies that are given the same messages, one with the byte path and one without. They must send the same octets,
 * tell the same events, count the same and keep the same rows of calls.
 */
export interface Twins {
  readonly proxy: TestProxy;
  readonly tally: OrdinaryTally;
  /** @returns what was sent; throws where the two differ */
  receive(from: string, bytes: Buffer | string, by?: Listener): Sent[];
  /** Lets time pass; throws where the two differ. */
  pass(millis: number): Sent[];
}

/** @param make makes one of them; both must be alike but for what `ordinary` says */
export function createTwins(make: (ordinary: OrdinaryTally | false) => TestProxy): Twins {
  const tally = { taken: 0, handedOn: 0 };
  const proxy = make(tally);
  const other = make(false);

  const both = (what: string, turn: (proxy: TestProxy) => Sent[]): Sent[] => {
    other.now = proxy.now;
    const sent = turn(proxy);
    const expected = turn(other);
    for (const [name, mine, others] of [
      ["sent", writeSent(sent), writeSent(expected)],
      ["told", writeTold(proxy), writeTold(other)],
      ["counted", inspect(proxy.counters, whole), inspect(other.counters, whole)],
      ["next hops", inspect(proxy.nextHops(), whole), inspect(other.nextHops(), whole)],
      ["rows", writeRows(proxy), writeRows(other)],
    ] as const)
      if (mine !== others) throw new Error(`${name}: ${mine}\ninstead of ${others}\nafter ${what}`);
    return sent;
  };

  return {
    proxy,
    tally,
    receive: (from, bytes, by) =>
      both(`${from}: ${bytes.toString("latin1")}`, (each) => each.receive(from, bytes, by)),
    pass: (millis) => both(`${millis} ms`, (each) => each.pass(millis)),
  };
}

const whole = { depth: 12, maxArrayLength: null, maxStringLength: null } as const;

function writeSent(sent: readonly Sent[]): string {
  return sent.map(({ listener, to, text }) => `${listener} to ${to}\n${text}`).join("\n");
}

/** What was told since the last time; the lists begin anew. */
function writeTold({ events, decisions, faults, changes }: TestProxy): string {
  const text = inspect([events, decisions, faults, changes], whole);
  for (const list of [events, decisions, faults, changes]) list.length = 0;
  return text;
}

/** What a proxy shows of its calls is the whole memory of them. */
function isWhole(calls: CallsView): calls is Calls<never> {
  return "textOf" in calls && "highestSequence" in calls;
}

/** The rows of calls as they stand in memory, and what is kept beside them. */
function writeRows({ proxy }: TestProxy): string {
  const { calls } = proxy;
  if (!isWhole(calls)) throw new Error("the rows can't be read");
  const beside: unknown[] = [];
  for (let slot = 1; slot <= calls.capacity; slot++)
    beside.push(
      calls.textOf(slot),
      calls.highestSequence(slot, "caller"),
      calls.highestSequence(slot, "called"),
    );
  return `${Buffer.from(calls.shared).toString("base64")} ${inspect([calls.standing(), beside], whole)}`;
}
