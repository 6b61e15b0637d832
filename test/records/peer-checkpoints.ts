// Checkpoints of other nodes: which are kept, which are refused, and a roll-back that shows against them.
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { verifyEvidence } from "../../src/cli/evidence-verify.ts";
import {
  openPeerCheckpoints,
  packCheckpoint,
  peersFolder,
} from "../../src/records/peers/peer-checkpoints.ts";
import { shareCheckpoints } from "../../src/records/peers/checkpoint-sharing.ts";
import type { HeardCheckpoint } from "../../src/records/lines/recording.ts";
import { readNotes } from "../../src/records/tree/checkpoint-file.ts";
import { nameKey, type NoteKey, readTreeHead, signCheckpoint } from "../../src/records/tree/signed-note.ts";
import { createPlace, fill, noon, openLog } from "./evidence-place.ts";

const HOUR = 3_600_000;

/** A node with a key of its own. */
function createNode(name = "sigwall/gw-b"): {
  readonly key: NoteKey;
  readonly secret: KeyObject;
  /** The checkpoint of so many leaves, of a tree that letters tell apart. */
  readonly at: (size: number, tree?: string) => Buffer;
} {
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = nameKey(name, privateKey);
  return {
    key,
    secret: privateKey,
    at(size, tree = "a") {
      const root = Buffer.alloc(32, `${tree}${size}`);
      return packCheckpoint(key.line, signCheckpoint({ origin: key.name, size, root }, key, privateKey).note);
    },
  };
}

const heard = (bytes: Uint8Array, more: Partial<HeardCheckpoint> = {}): HeardCheckpoint => ({
  node: "gw-b",
  epoch: 1,
  at: noon,
  bytes,
  ...more,
});

/** The sizes of the checkpoints in a file, in their order. */
function sizesIn(folder: string, node = "gw-b"): readonly number[] {
  return [...readNotes(join(folder, `${node}.checkpoints`))].map(({ note }) => {
    const head = readTreeHead(note.slice(0, note.indexOf("\n\n") + 1));
    return typeof head === "string" ? -1 : head.size;
  });
}

function openPeers(t: Test): {
  readonly folder: string;
  readonly peers: ReturnType<typeof openPeerCheckpoints>;
} {
  const folder = peersFolder(createPlace(t).folder);
  const peers = openPeerCheckpoints(folder);
  t.teardown(peers.close);
  return { folder, peers };
}

void t.test("kept: the newest of each hour and of each process", (t) => {
  const { folder, peers } = openPeers(t);
  const node = createNode();
  const rows: readonly (readonly [size: number, epoch: number, minute: number, outcome: string])[] = [
    [10, 1, 0, "kept"],
    [10, 1, 1, "known"],
    [20, 1, 1, "kept"],
    [30, 1, 59, "kept"],
    [40, 1, 60, "kept"],
    // A process that was started again may have a log that was rolled back: the last of the former one stays.
    [50, 2, 61, "kept"],
    [60, 2, 62, "kept"],
  ];
  for (const [size, epoch, minute, outcome] of rows) {
    const at = noon + minute * 60_000;
    t.equal(peers.take(heard(node.at(size), { epoch, at }), at), outcome, `${size} leaves`);
  }
  t.same(sizesIn(folder), [30, 40, 60]);
  t.equal(readFileSync(join(folder, "gw-b.pub"), "utf8"), `${node.key.line}\n`);
  t.end();
});

void t.test("told: a log that has fewer leaves than before, or others", (t) => {
  const { folder, peers } = openPeers(t);
  const node = createNode();
  const take = (bytes: Buffer, epoch: number, minute: number): string => {
    const at = noon + minute * 60_000;
    return peers.take(heard(bytes, { epoch, at }), at);
  };
  t.equal(take(node.at(100), 1, 0), "kept");
  t.equal(take(node.at(150), 1, 1), "kept");
  t.equal(take(node.at(120), 2, 2), "shrunk");
  t.equal(take(node.at(130), 2, 3), "shrunk", "as long as it is smaller");
  t.equal(take(node.at(150, "b"), 2, 4), "shrunk", "as many leaves, and others");
  t.equal(take(node.at(151, "b"), 2, 5), "kept");
  t.ok(sizesIn(folder).includes(150), "what it was rolled back from stays");
  t.equal(take(node.at(90), 2, 1), "kept", "an old entry that comes late says nothing");
  t.end();
});

void t.test("refused, and nothing changes", (t) => {
  const { folder, peers } = openPeers(t);
  const node = createNode();
  const other = createNode();
  const text = node.at(7).toString("utf8");
  const kept = node.at(5);
  t.equal(peers.take(heard(kept), noon), "kept");
  const before = readFileSync(join(folder, "gw-b.checkpoints"));
  const rows: readonly (readonly [what: string, given: HeardCheckpoint, outcome: string])[] = [
    ["another key", heard(other.at(6)), "key"],
    ["another root", heard(Buffer.from(text.replace("\n7\n", "\n8\n"))), "signature"],
    [
      "its key, signed by another one",
      heard(packCheckpoint(node.key.line, other.at(6).toString().split("\n").slice(1).join("\n"))),
      "signature",
    ],
    [
      "a second note behind it",
      heard(Buffer.from(`${text}${text.split("\n").slice(1).join("\n")}`)),
      "signature",
    ],
    ["another signature behind its own", heard(Buffer.from(`${text}— witness AAAAAAAA\n`)), "form"],
    ["no note", heard(packCheckpoint(node.key.line, "")), "signature"],
    ["nothing", heard(Buffer.alloc(0)), "form"],
    ["no key", heard(Buffer.from(text.slice(text.indexOf("\n") + 1))), "form"],
    ["octets", heard(Buffer.alloc(300, 0xff)), "form"],
    ["too long", heard(Buffer.concat([kept, Buffer.alloc(4096, 32)])), "form"],
    ["a node that is a path", heard(node.at(9), { node: "../../etc" }), "form"],
    ["a node without a name", heard(node.at(9), { node: "" }), "form"],
    ["a hidden file", heard(node.at(9), { node: ".gw" }), "form"],
  ];
  for (const [what, given, outcome] of rows) t.equal(peers.take(given, noon), outcome, what);
  t.same(readFileSync(join(folder, "gw-b.checkpoints")), before);
  // The log of another origin under this node: the key says which log it is.
  const odd = signCheckpoint(
    { origin: "sigwall/gw-z", size: 9, root: Buffer.alloc(32) },
    node.key,
    node.secret,
  );
  t.equal(peers.take(heard(packCheckpoint(node.key.line, odd.note)), noon), "form", "another log");
  t.equal(peers.take(heard(node.at(6)), noon), "kept", "and it goes on");
  t.end();
});

void t.test("bounded: nodes, and checkpoints of a node", (t) => {
  const { folder, peers } = openPeers(t);
  for (let i = 0; i < 64; i++)
    t.equal(peers.take(heard(createNode().at(1), { node: `gw-${i}` }), noon), "kept");
  t.equal(peers.take(heard(createNode().at(1), { node: "gw-64" }), noon), "full");
  t.notOk(existsSync(join(folder, "gw-64.pub")));
  peers.close();
  // A file that is full already: 20 000 notes.
  const node = createNode();
  const notes = Array.from({ length: 20_000 }, (_, i) => {
    const root = Buffer.alloc(32).toString("base64");
    return `${node.key.name}\n${i + 1}\n${root}\n\n— ${node.key.name} AAAAAAAA\n`;
  });
  writeFileSync(join(folder, "gw-0.pub"), `${node.key.line}\n`);
  writeFileSync(join(folder, "gw-0.checkpoints"), notes.join(""));
  const again = openPeerCheckpoints(folder);
  t.equal(again.take(heard(node.at(20_001), { node: "gw-0" }), noon), "kept");
  const sizes = sizesIn(folder, "gw-0");
  t.same([sizes.length, sizes[0], sizes.at(-1)], [10_001, 10_001, 20_001], "the older half has gone");
  again.close();
  t.end();
});

void t.test("after a restart: the key that came first stands, and what is torn is overwritten", (t) => {
  const { folder, peers } = openPeers(t);
  const node = createNode();
  t.equal(peers.take(heard(node.at(10)), noon), "kept");
  t.equal(peers.take(heard(node.at(20)), noon + HOUR), "kept");
  peers.close();
  const path = join(folder, "gw-b.checkpoints");
  writeFileSync(path, `${readFileSync(path, "utf8")}sigwall/gw-b\n30\nAAAA`);
  const again = openPeerCheckpoints(folder);
  t.equal(again.take(heard(createNode().at(40)), noon + HOUR), "key");
  t.equal(again.take(heard(node.at(20)), noon + HOUR), "known");
  t.equal(again.take(heard(node.at(15)), noon + HOUR), "kept", "nobody knows whether it is old");
  t.equal(again.take(heard(node.at(30)), noon + HOUR), "kept");
  t.same(sizesIn(folder), [10, 20, 30]);
  again.close();
  t.end();
});

void t.test("two processes with one folder: one of them keeps checkpoints there", (t) => {
  const { folder, peers } = openPeers(t);
  const node = createNode();
  t.equal(peers.take(heard(node.at(10)), noon), "kept");
  const second = openPeerCheckpoints(folder);
  t.equal(second.take(heard(node.at(20)), noon), "foreign");
  peers.close();
  t.equal(second.take(heard(node.at(20)), noon + 59_999), "foreign", "it looks again once a minute");
  t.equal(second.take(heard(node.at(20)), noon + 60_000), "kept");
  second.close();
  t.end();
});

/** Runs `sigwall evidence verify`. */
function verified(
  folder: string,
  checkpoints: readonly string[],
  key?: string,
): { code: number; out: string } {
  let out = "";
  const output = { write: (text: string) => (out += text) };
  const code = verifyEvidence(folder, { checkpoints, key, stdout: output, stderr: output });
  return { code, out };
}

void t.test("a roll-back of one node shows against what the other one has kept", (t) => {
  const mine = createPlace(t);
  const theirs = peersFolder(createPlace(t).folder);
  const peers = openPeerCheckpoints(theirs);
  t.teardown(peers.close);
  let epoch = 1;
  let now = noon;
  const shares = {
    onCheckpoint: (callback: (packed: Uint8Array) => void) => void (tell = callback),
    keepCheckpoint: () => undefined,
  };
  let tell: ((packed: Uint8Array) => void) | undefined;
  const outcomes: string[] = [];
  shareCheckpoints(
    shares,
    {
      keep(_kind, _subject, bytes) {
        if (bytes !== undefined) outcomes.push(peers.take({ node: "gw-a", epoch, at: now, bytes }, now));
      },
    },
    "gw-a",
  );
  const open = (): ReturnType<typeof openLog> =>
    openLog(mine, { onCheckpoint: ({ note }, _at, keyLine) => tell?.(packCheckpoint(keyLine, note)) });

  let log = open();
  fill(log, 20, 10);
  log.close();
  const copy = join(mine.base, "copy");
  cpSync(mine.folder, copy, { recursive: true });
  epoch = 2;
  now += HOUR;
  log = open();
  fill(log, 20, 10, noon, 100);
  log.close();
  const kept = [join(theirs, "gw-a.checkpoints")];
  const key = join(theirs, "gw-a.pub");
  t.match(verified(mine.folder, kept, key), { code: 0, out: "checkpoints were given" }, "before");

  // Somebody puts the copy in its place.
  renameSync(mine.folder, join(mine.base, "gone"));
  renameSync(copy, mine.folder);
  const without = verified(mine.folder, []);
  t.match(without, { code: 0, out: "whether the log was rolled back can't be seen" }, "it can't tell alone");
  t.match(verified(mine.folder, kept, key), {
    code: 1,
    out: /WRONG: .*gw-a\.checkpoints.*the log was rolled back/,
  });

  // The filter goes on with it, until the log is longer than it ever was.
  epoch = 3;
  now += HOUR;
  outcomes.length = 0;
  log = open();
  fill(log, 40, 10, noon, 500);
  log.close();
  t.equal(outcomes[0], "shrunk", "the other node tells at once");
  t.equal(verified(mine.folder, []).code, 0);
  t.match(verified(mine.folder, kept, key), {
    code: 1,
    out: /WRONG: .*the log does not contain this checkpoint of \d+ leaves: the log was changed or rolled back since/,
  });
  t.end();
});

void t.test("sharing: its own entries and those of other kinds are not taken", (t) => {
  const taken: string[] = [];
  const records = {
    onCheckpoint: () => undefined,
    keepCheckpoint: ({ node, epoch }: HeardCheckpoint) => void taken.push(`${node} ${epoch}`),
  };
  const { kept } = shareCheckpoints(records, { keep: () => undefined }, "gw-a");
  const bytes = Buffer.from("x");
  kept({ node: "gw-b", epoch: 1 }, "checkpoint", "evidence", bytes, noon);
  kept({ node: "gw-a", epoch: 1 }, "checkpoint", "evidence", bytes, noon);
  kept({ node: "gw-b", epoch: 2 }, "line", "evidence", bytes, noon);
  kept({ node: "gw-b", epoch: 3 }, "checkpoint", "evidence", undefined, noon);
  kept({ node: "gw-b", epoch: 4 }, "checkpoint", "another log", bytes, noon);
  t.same(taken, ["gw-b 1"]);
  t.end();
});
