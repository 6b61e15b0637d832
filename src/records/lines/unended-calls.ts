// The forwarded calls whose end no line tells yet. It outlives the process: see NODE.open in the records folder.
import { parseCallId } from "../../calls/call-id.ts";
import type { Millis } from "../../domain/time.ts";

/** A call that was forwarded. */
export interface UnendedCall {
  readonly id: string;
  readonly trunk: string;
  /** When it was decided. */
  readonly at: Millis;
}

/** The calls of one node that were forwarded and have no end in its lines. */
export interface UnendedCalls {
  /** Begins a call that was forwarded. */
  readonly begin: (call: UnendedCall) => void;
  /** Ends a call. */
  readonly end: (id: string) => void;
  /** Takes a line: `decided` begins a call, `ended` ends it. Taking a line twice changes nothing more. */
  readonly take: (line: Readonly<Record<string, unknown>>) => void;
  /** Removes the calls for which `isOver` holds, and returns them. */
  readonly takeOver: (isOver: (call: UnendedCall) => boolean) => readonly UnendedCall[];
  readonly count: () => number;
  /** Writes every call as text, one a line. */
  readonly write: (at: Millis) => string;
}

/** At most this many calls: twice as many as the table of calls holds by default. The oldest one makes room. */
const MOST_CALLS = 524_288;

const HEAD = "sigwall-open 1 ";

/** The octets that {@link UnendedCalls.write} has written, and their time. */
export interface OpenText {
  readonly at: Millis;
  readonly calls: readonly UnendedCall[];
}

/** Reads what {@link UnendedCalls.write} wrote. @returns undefined for another text */
export function readOpenText(text: string, node: string): OpenText | undefined {
  const lines = text.split("\n");
  const at = Number(lines[0]?.startsWith(HEAD) === true ? lines[0].slice(HEAD.length) : NaN);
  if (!Number.isFinite(at)) return undefined;
  const calls: UnendedCall[] = [];
  for (const line of lines.slice(1)) {
    const [name, begun, trunk] = line.split(" ");
    const id = `${node}-${name}`;
    if (trunk === undefined || parseCallId(id) === undefined) continue;
    calls.push({ id, trunk, at: Number(begun) });
  }
  return { at, calls };
}

export function createUnendedCalls(node: string, known: readonly UnendedCall[] = []): UnendedCalls {
  /** By epoch and count. Entries of an epoch stand in the order of their beginning. */
  const epochs = new Map<number, Map<number, UnendedCall>>();
  let count = 0;

  function nameOf(id: unknown): { readonly epoch: number; readonly count: number } | undefined {
    const parsed = typeof id === "string" ? parseCallId(id) : undefined;
    return parsed?.node === node ? parsed.name : undefined;
  }

  function begin(call: UnendedCall): void {
    const name = nameOf(call.id);
    if (name === undefined) return;
    let calls = epochs.get(name.epoch);
    if (calls === undefined) epochs.set(name.epoch, (calls = new Map()));
    if (!calls.has(name.count)) count++;
    calls.set(name.count, call);
    if (count > MOST_CALLS) dropOldest();
  }

  function end(id: unknown): void {
    const name = nameOf(id);
    const calls = name === undefined ? undefined : epochs.get(name.epoch);
    if (name === undefined || calls === undefined || !calls.delete(name.count)) return;
    count--;
    if (calls.size === 0) epochs.delete(name.epoch);
  }

  function dropOldest(): void {
    const epoch = Math.min(...epochs.keys());
    for (const { id } of epochs.get(epoch)?.values() ?? []) {
      end(id);
      return;
    }
  }

  function* all(): Generator<UnendedCall> {
    for (const calls of epochs.values()) yield* calls.values();
  }

  known.forEach(begin);
  return {
    begin,
    end,
    take({ record, id, action, trunk, time }) {
      if (record === "ended") end(id);
      else if (record === "decided" && action === "forwarded")
        begin({ id: String(id), trunk: String(trunk), at: Date.parse(String(time)) });
    },
    takeOver(isOver) {
      const over = [...all()].filter(isOver);
      for (const { id } of over) end(id);
      return over;
    },
    count: () => count,
    write(at) {
      let text = `${HEAD}${at}\n`;
      for (const call of all()) text += `${call.id.slice(node.length + 1)} ${call.at} ${call.trunk}\n`;
      return text;
    },
  };
}
