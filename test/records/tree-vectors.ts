import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { emptyRoot, growTree, hashLeaf, hashPair } from "../../src/records/tree/merkle-tree.ts";
import {
  nameKey,
  openCheckpoint,
  openNote,
  readKeyLine,
  signCheckpoint,
  signNote,
} from "../../src/records/tree/signed-note.ts";
import { hashesAt, readPeaks, readTiles, tilePath, writeTiles } from "../../src/records/tree/tiles.ts";
import { checkProof, writeProof } from "../../src/records/tree/tlog-proof.ts";
import {
  isConsistent,
  proveConsistency,
  proveInclusion,
  rootByInclusion,
} from "../../src/records/tree/tree-proofs.ts";

/** The eight leaves of the tests of the reference implementation of RFC 6962 (certificate-transparency, merkletree). */
const leaves = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];

/** The roots of the trees of the first 1 to 8 of them, from the same source. */
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/** Audit paths of the same source: leaf (from 0), tree size, hashes. */
const paths: readonly (readonly [number, number, readonly string[]])[] = [
  [0, 1, []],
  [
    0,
    8,
    [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  ],
  [
    5,
    8,
    [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  ],
  [2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]],
];

/** Consistency proofs of the same source: former size, later size, hashes. */
const consistencies: readonly (readonly [number, number, readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  ],
  [
    6,
    8,
    [
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  ],
  [
    2,
    5,
    [
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  ],
];

const hashes = leaves.map((leaf) => hashLeaf(Buffer.from(leaf, "hex")));
const hex = (list: readonly Buffer[]): readonly string[] => list.map((one) => one.toString("hex"));

/** Reads nodes of a tree of leaf hashes; complete subtrees only. */
function nodeOf(all: readonly Buffer[]) {
  return function node(level: number, index: number): Buffer {
    return level === 0 ? all[index]! : hashPair(node(level - 1, 2 * index), node(level - 1, 2 * index + 1));
  };
}

void t.test("RFC 6962: roots, audit paths and consistency proofs of the reference implementation", (t) => {
  t.equal(emptyRoot.toString("hex"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const tree = growTree();
  for (const [i, leaf] of hashes.entries()) {
    tree.append(leaf);
    t.equal(tree.root().toString("hex"), roots[i]);
  }
  const node = nodeOf(hashes);
  for (const [leaf, size, path] of paths)
    t.same(hex(proveInclusion(node, leaf, size)), path, `leaf ${leaf} of ${size}`);
  for (const [former, size, proof] of consistencies)
    t.same(hex(proveConsistency(node, former, size)), proof, `${former} in ${size}`);
  t.end();
});

void t.test("every leaf and every former tree is proved, and nothing else", (t) => {
  const many = Array.from({ length: 70 }, (_, i) => hashLeaf(Buffer.from([i])));
  const node = nodeOf(many);
  const tree = growTree();
  const rootOf = [tree.root(), ...many.map((leaf) => (tree.append(leaf), tree.root()))];
  let wrong = 0;
  for (let size = 1; size <= many.length; size += 1) {
    const root = rootOf[size]!;
    for (let leaf = 0; leaf < size; leaf += 1) {
      const path = proveInclusion(node, leaf, size);
      if (rootByInclusion(many[leaf]!, leaf, size, path)?.equals(root) !== true) wrong += 1;
      // Near misses: another leaf, another place, a path that is cut or too long.
      const next = (leaf + 1) % size;
      if (next !== leaf && rootByInclusion(many[next]!, leaf, size, path)?.equals(root) === true) wrong += 1;
      if (next !== leaf && rootByInclusion(many[leaf]!, next, size, path)?.equals(root) === true) wrong += 1;
      if (rootByInclusion(many[leaf]!, leaf, size, path.slice(1))?.equals(root) === true && path.length > 0)
        wrong += 1;
      if (rootByInclusion(many[leaf]!, leaf, size, [...path, root])?.equals(root) === true) wrong += 1;
      if (rootByInclusion(many[leaf]!, leaf + size, size, path) !== undefined) wrong += 1;
    }
    for (let former = 1; former <= size; former += 1) {
      const proof = proveConsistency(node, former, size);
      const [earlier, later] = [
        { size: former, root: rootOf[former]! },
        { size, root },
      ];
      if (!isConsistent(earlier, later, proof)) wrong += 1;
      if (isConsistent({ size: former, root: rootOf[former - 1]! }, later, proof)) wrong += 1;
      if (former < size && isConsistent(earlier, { size, root: rootOf[size - 1]! }, proof)) wrong += 1;
      if (isConsistent(earlier, later, [...proof, root])) wrong += 1;
      if (proof.length > 0 && isConsistent(earlier, later, proof.slice(1))) wrong += 1;
    }
  }
  t.equal(wrong, 0);
  t.end();
});

/** Full tiles and the width of the partial one, for three levels. */
function widths(size: number): unknown {
  return [0, 1, 2].map((level) => [Math.floor(hashesAt(level, size) / 256), hashesAt(level, size) % 256]);
}

void t.test("C2SP tlog-tiles: paths and widths of the specification", (t) => {
  t.equal(tilePath(3, 1_234_067), "tile/3/x001/x234/067");
  t.equal(tilePath(0, 0), "tile/0/000");
  t.equal(tilePath(0, 999, 12), "tile/0/999.p/12");
  t.equal(tilePath(0, 1000), "tile/0/x001/000");
  t.same(widths(70_000), [
    [273, 112],
    [1, 17],
    [0, 1],
  ]);
  t.same(widths(256), [
    [1, 0],
    [0, 1],
    [0, 0],
  ]);
  t.end();
});

void t.test("tiles give back the tree at every size, and the hashes of every level", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-tiles-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const many = Array.from({ length: 1030 }, (_, i) => hashLeaf(Buffer.from(String(i))));
  let written = 0;
  for (const size of [1, 2, 255, 256, 257, 511, 700, 1030]) {
    const tiles = writeTiles(folder, written);
    const tree = growTree(written, readPeaks(readTiles(folder, written), written), tiles.node);
    for (const leaf of many.slice(written, size)) tree.append(leaf);
    tiles.writeAll();
    written = size;
    const reader = readTiles(folder, size);
    t.ok(growTree(size, readPeaks(reader, size)).root().equals(tree.root()), `${size} leaves`);
    for (const leaf of [0, Math.floor(size / 2), size - 1]) {
      const root = rootByInclusion(many[leaf]!, leaf, size, proveInclusion(reader.node, leaf, size));
      t.ok(root?.equals(tree.root()), `leaf ${leaf} of ${size}`);
    }
  }
  t.throws(() => readTiles(folder, 5000).node(0, 4000), { message: /tile\/0\/015 is missing/ });
  t.end();
});

// The key and the note of the examples of golang.org/x/mod/sumdb/note.
const gopher = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const gopherNote =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

void t.test("C2SP signed-note: a published note opens; one that was touched does not", (t) => {
  const key = readKeyLine(gopher);
  if (typeof key === "string") throw new Error(key);
  t.equal(key.name, "PeterNeumann");
  t.equal(key.id.toString("hex"), "c74f20a3");
  t.match(openNote(gopherNote, key), { text: /^If you think[^]*problem is\.\n$/ });
  const misses: readonly (readonly [note: string, why: RegExp])[] = [
    [gopherNote.replace("answer", "Answer"), /^the signature of PeterNeumann is wrong/],
    [gopherNote.replace("x08go/Z", "x08go/Y"), /^the signature of PeterNeumann is wrong/],
    [gopherNote.replace("x08go", "x08gp"), /^no signature of the key PeterNeumann\+c74f20a3/],
    [gopherNote.replace("— PeterNeumann", "— Other"), /^no signature of the key/],
    [gopherNote.replace("\n\n", "\n"), /^no signed note/],
    [gopherNote.slice(0, -1), /^no signed note/],
    [gopherNote.replace("JnAM=", "JnAM"), /^a signature line is malformed/],
    ["", /^no signed note/],
  ];
  for (const [note, why] of misses) t.match(openNote(note, key), why, why.source);
  t.match(readKeyLine(gopher.replace("c74f20a3", "c74f20a4")), /does not fit its key id/);
  t.match(readKeyLine("PeterNeumann"), /no public key/);
  t.match(readKeyLine("PeterNeumann+c74f20a3+AQ=="), /not an Ed25519 key/);
  // Signatures of others are ignored, before and after ours.
  const other = gopherNote.replace("— Peter", "— other AAAAAAAA\n— Peter");
  t.match(openNote(other, key), { text: /problem/ });
  t.end();
});

void t.test("C2SP tlog-checkpoint and tlog-proof: what is written is read, near misses are refused", (t) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = nameKey("sigwall/gw-a", privateKey);
  t.same(readKeyLine(`${key.line}\n`), key);
  const node = nodeOf(hashes);
  const root = Buffer.from(roots[6]!, "hex");
  const checkpoint = signCheckpoint({ origin: "sigwall/gw-a", size: 7, root }, key, privateKey);
  t.match(checkpoint.note, /^sigwall\/gw-a\n7\n3bib5AOAnjJX[^\n]*=\n\n— sigwall\/gw-a [^\n]*=\n$/);
  t.same(openCheckpoint(checkpoint.note, key), checkpoint);
  for (const text of [
    "a\n07\nAAAA\n",
    "\n7\nAAAA\n",
    `a\n7\n${root.toString("base64")}\nextension\n`,
    `a\n-1\n${root.toString("base64")}\n`,
  ])
    t.match(openCheckpoint(signNote(text, key, privateKey), key), /^no checkpoint/, text);
  const proof = writeProof(5, proveInclusion(node, 5, 7), checkpoint, "9f2c");
  t.match(
    proof,
    /^c2sp\.org\/tlog-proof@v1\nextra OWYyYw==\nindex 5\n(?:[A-Za-z0-9+/]{43}=\n){3}\nsigwall\/gw-a\n7\n/,
  );
  t.match(checkProof(proof, hashes[5]!, key), { leaf: 5, extra: "9f2c", checkpoint: { size: 7 } });
  const short = writeProof(5, proveInclusion(node, 5, 7), checkpoint, "");
  t.notMatch(short, "extra");
  t.match(checkProof(short, hashes[5]!, key), { leaf: 5, extra: "" });
  for (const [text, leaf, why] of [
    [proof, 4, /does not lead to the root/],
    [proof.replace("index 5", "index 4"), 5, /does not lead to the root/],
    [proof.replace("index 5", "index 05"), 5, /index of the leaf is missing/],
    [proof.replace("index 5", "index 9"), 5, /does not lead to the root/],
    [proof.replace("@v1", "@v2"), 5, /^no proof/],
    [proof.replace("\n7\n", "\n8\n"), 5, /signature of sigwall\/gw-a is wrong/],
    ["", 5, /^no proof/],
  ] as const)
    t.match(checkProof(text, hashes[leaf]!, key), why, why.source);
  t.end();
});
