// The evidence log: what a block costs, how fast a log is verified, and one proof in a tree of ten million leaves.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { MessageBlock } from "../src/records/evidence/evidence-block.ts";
import { openEvidenceLog } from "../src/records/evidence/evidence-log.ts";
import { verifyLog } from "../src/records/evidence/log-verification.ts";
import { hashLeaf, growTree } from "../src/records/tree/merkle-tree.ts";
import { nameKey } from "../src/records/tree/signed-note.ts";
import { readTiles, writeTiles } from "../src/records/tree/tiles.ts";
import { proveInclusion, rootByInclusion } from "../src/records/tree/tree-proofs.ts";
import { obtainEvidenceKey } from "../src/records/evidence/evidence-key.ts";

const BLOCKS = 400_000;
const LEAVES = 10_000_000;
/** Blocks between two commits: a group of one turn of the writer. */
const GROUP = 100;

const base = mkdtempSync(join(tmpdir(), "sigwall-bench-"));
const memory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "sigwall-bench-"));
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const say = (what: string, value: string): void => console.log(`${what.padEnd(58)} ${value}`);

/** @param octets of message and line together; pcapng and IP take 72 more */
function appendMany(node: string, octets: number, blocks: number): void {
  const log = openEvidenceLog({ folder: join(base, "evidence"), keyFile: join(base, "key"), node });
  const block: MessageBlock = {
    at: 1_796_040_000_000,
    origin: {
      signalling: "sip",
      transport: "udp",
      sourceAddress: "192.0.2.9",
      sourcePort: 5060,
      destinationAddress: "192.0.2.1",
      destinationPort: 5060,
    },
    bytes: Buffer.alloc(octets / 2, "INVITE sip:x@y "),
    originalLength: octets / 2,
    line: "x".repeat(octets / 2),
  };
  let appending = 0;
  const commits: number[] = [];
  for (let i = 0; i < blocks; i += GROUP) {
    const begun = now();
    for (let k = 0; k < GROUP; k += 1) log.append(block);
    appending += now() - begun;
    const committing = now();
    log.commit();
    commits.push(now() - committing);
    if (i % 20_000 === 0) log.checkpoint(block.at);
  }
  const begun = now();
  log.checkpoint(block.at);
  const checkpoint = now() - begun;
  log.close();
  commits.sort((a, b) => a - b);
  const p = (share: number): string => `${commits[Math.floor(commits.length * share)]?.toFixed(2)} ms`;
  say(
    `append of a block of ${octets + 72} octets (hash, tree, buffer)`,
    `${((appending * 1000) / blocks).toFixed(2)} µs`,
  );
  say(`commit of ${GROUP} blocks (write, fdatasync), p50 · p99`, `${p(0.5)} · ${p(0.99)}`);
  say("checkpoint", `${checkpoint.toFixed(1)} ms`);
}

function verifyAll(node: string): void {
  const key = obtainEvidenceKey(join(base, "key"));
  if (typeof key === "string") throw new Error(key);
  const begun = now();
  const used = process.cpuUsage();
  const { faults, octets } = verifyLog(
    join(base, "evidence"),
    node,
    nameKey(`sigwall/${node}`, key.secret),
    [],
  );
  const seconds = (now() - begun) / 1000;
  const cpu = process.cpuUsage(used).user / 1e6;
  if (faults.length > 0) throw new Error(faults[0]);
  say(
    "verify",
    `${(octets / 1e6 / seconds).toFixed(0)} MB/s (${(octets / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s; by CPU time ${(octets / 1e6 / cpu).toFixed(0)} MB/s)`,
  );
}

function proveOne(): void {
  const tiles = writeTiles(memory, 0);
  const tree = growTree(0, [], tiles.node);
  const leaf = hashLeaf(randomBytes(32));
  const chosen = 7_654_321;
  const wanted = hashLeaf(Buffer.from("the one"));
  for (let i = 0; i < LEAVES; i += 1) {
    tree.append(i === chosen ? wanted : leaf);
    if (tiles.waiting > 256) tiles.writeFull();
  }
  tiles.writeAll();
  const root = tree.root();
  const times: number[] = [];
  for (let i = 0; i < 50; i += 1) {
    const begun = now();
    const path = proveInclusion(readTiles(memory, LEAVES).node, chosen, LEAVES);
    times.push(now() - begun);
    if (rootByInclusion(wanted, chosen, LEAVES, path)?.equals(root) !== true)
      throw new Error("the proof is wrong");
  }
  const [first = 0] = times;
  times.sort((a, b) => a - b);
  say(
    `proof for one of ${LEAVES} leaves, first · median`,
    `${first.toFixed(1)} ms · ${times[25]?.toFixed(1)} ms`,
  );
}

console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`);
try {
  appendMany("short", 828, BLOCKS);
  verifyAll("short");
  appendMany("usual", 1600, BLOCKS / 2);
  verifyAll("usual");
  proveOne();
} finally {
  rmSync(base, { recursive: true, force: true });
  rmSync(memory, { recursive: true, force: true });
}
