/** Counts what whole calls through the relay leave on the heap, without sockets: a process of its own, collected by hand. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createRelay, playCalls, type Input } from "../calls.ts";
import { type LoadKind, loadKinds } from "../load.ts";

/** Calls of each kind in one block: their garbage fits into the nursery. */
const BLOCK = 500;
/** Blocks until the code is compiled, and blocks that are counted. */
const WARM = 20;
const COUNTED = 8;
const program = fileURLToPath(import.meta.url);

/** Rows of the kind of call and the kilobytes of garbage that a call leaves: median of the blocks. */
export function measureRelayGarbage(): readonly (readonly string[])[] {
  // Nothing is collected while a block runs.
  const nursery = ["--expose-gc", "--min-semi-space-size=128", "--max-semi-space-size=128"];
  const { stdout, status } = spawnSync(process.execPath, [...nursery, program], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${program} ended with exit code ${status}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
}

/** The same datagrams again, prepared before, so that only the relay allocates. */
async function countGarbage(collect: NodeJS.GCFunction): Promise<ReadonlyMap<LoadKind, readonly number[]>> {
  const blocks: { readonly kind: LoadKind; readonly inputs: Input[] }[] = [];
  playCalls(
    (WARM + COUNTED) * BLOCK,
    {
      given(input, kind) {
        if (blocks.at(-1)?.kind !== kind) blocks.push({ kind, inputs: [] });
        blocks.at(-1)?.inputs.push(input);
      },
    },
    BLOCK,
  );
  const relay = createRelay();
  const kilobytes = new Map<LoadKind, number[]>(loadKinds.map((kind) => [kind, []]));
  for (const [i, { kind, inputs }] of blocks.entries()) {
    await collect({ execution: "async" });
    const before = process.memoryUsage();
    for (const { now, address, port, bytes } of inputs) relay.handle(now, address, port, bytes);
    const after = process.memoryUsage();
    if (relay.sent().length !== inputs.at(-1)?.sent)
      throw new Error("the relay does something else this time");
    const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    if (i >= WARM * loadKinds.length) kilobytes.get(kind)?.push(bytes / 1024 / BLOCK);
  }
  return kilobytes;
}

if (process.argv[1] === program) {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("run it with --expose-gc");
  for (const [kind, values] of await countGarbage(gc)) {
    const sorted = values.toSorted((a, b) => a - b);
    process.stdout.write(`${kind} ${(sorted[sorted.length >> 1] ?? NaN).toFixed(1)}\n`);
  }
}
