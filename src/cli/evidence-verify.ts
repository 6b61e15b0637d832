// `sigwall evidence verify`: verifies the evidence of a folder, offline and with the public key alone.
import { readFileSync, statSync } from "node:fs";
import { messageOf } from "../records/evidence/evidence-fault.ts";
import { logFiles, nodesIn } from "../records/evidence/log-files.ts";
import { type GivenCheckpoint, type Verification, verifyLog } from "../records/evidence/log-verification.ts";
import { readNotes } from "../records/tree/checkpoint-file.ts";
import { type NoteKey, openCheckpoint, readKeyLine, readTreeHead } from "../records/tree/signed-note.ts";

/** Where a command writes. */
interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Options of `sigwall evidence verify`. */
export interface EvidenceVerifyOptions extends Output {
  /** Files with checkpoints of the log that were kept elsewhere; each may hold several. */
  readonly checkpoints: readonly string[];
  /** File of the public key; undefined: that of the folder. */
  readonly key: string | undefined;
}

/** A checkpoint as given, not opened yet. */
interface GivenNote {
  readonly name: string;
  readonly note: string;
  /** The log that it names; undefined when it is no checkpoint. */
  readonly origin: string | undefined;
}

/**
 * Runs `sigwall evidence verify`: every log in the folder.
 * @returns exit code: 0 when everything holds; 1 when something was changed; 2 when nothing can be verified
 */
export function verifyEvidence(folder: string, options: EvidenceVerifyOptions): number {
  const { stderr } = options;
  const stdout = createPrintable(options.stdout);
  try {
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is no folder`);
    const nodes = nodesIn(folder);
    if (nodes.length === 0) throw new Error(`${folder} holds no evidence log: no file NODE.pub is there`);
    const notes = options.checkpoints.flatMap(readGiven);
    const logs = nodes.map((node) => ({ node, key: keyOf(folder, node, options.key) }));
    let isRight = true;
    for (const { name, origin } of notes) {
      if (logs.some(({ key }) => key.name === origin)) continue;
      stdout.write(
        `${name}: ${origin === undefined ? "is no checkpoint" : `the log ${origin} is not in ${folder}`}\n`,
      );
      isRight = false;
    }
    for (const { node, key } of logs)
      isRight =
        verifyNode(
          folder,
          node,
          key,
          notes.filter(({ origin }) => origin === key.name),
          { ...options, stdout },
        ) && isRight;
    stdout.write(isRight ? "result: everything holds\n" : "result: NOT everything holds\n");
    return isRight ? 0 : 1;
  } catch (error) {
    stderr.write(`sigwall evidence verify: ${messageOf(error)}\n`);
    return 2;
  }
}

/** Control characters that a changed file or a foreign checkpoint may hold are shown, and steer no terminal. */
function createPrintable(stdout: Output["stdout"]): Output["stdout"] {
  return { write: (text) => stdout.write(text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}]/gu, showOctet)) };
}

function showOctet(one: string): string {
  return `\\x${(one.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
}

/** Reads the public key that verifies the log of a node. Throws when it can't be read. */
function keyOf(folder: string, node: string, path: string | undefined): NoteKey {
  const from = path ?? logFiles(folder, node).publicKey;
  const key = readKeyLine(readFileSync(from, "utf8"));
  if (typeof key === "string") throw new Error(`${from}: ${key}`);
  return key;
}

function readGiven(path: string): readonly GivenNote[] {
  statSync(path);
  const notes = [...readNotes(path)].map(({ note }, i): GivenNote => {
    const head = readTreeHead(note.slice(0, note.indexOf("\n\n") + 1));
    return {
      name: i === 0 ? path : `${path} (${i + 1})`,
      note,
      origin: typeof head === "string" ? undefined : head.origin,
    };
  });
  if (notes.length === 0) throw new Error(`${path} holds no checkpoint`);
  return notes;
}

function verifyNode(
  folder: string,
  node: string,
  key: NoteKey,
  notes: readonly GivenNote[],
  { stdout, key: keyFile }: EvidenceVerifyOptions,
): boolean {
  const source =
    keyFile === undefined
      ? "from this folder: compare it with one that you got elsewhere"
      : `from ${keyFile}`;
  stdout.write(`log ${key.name} of node ${node}\n  key ${key.line} (${source})\n`);
  const given: GivenCheckpoint[] = [];
  const faults: string[] = [];
  for (const { name, note } of notes) {
    const checkpoint = openCheckpoint(note, key);
    if (typeof checkpoint === "string") faults.push(`${name}: ${checkpoint}`);
    else given.push({ name, checkpoint });
  }
  const found = verifyLog(folder, node, key, given);
  for (const line of describe(found, given.length, notes.length)) stdout.write(`  ${line}\n`);
  const all = [...faults, ...found.faults];
  for (const fault of all) stdout.write(`  WRONG: ${fault}\n`);
  return all.length === 0;
}

function describe(found: Verification, given: number, notes: number): readonly string[] {
  const { leaves, octets, segments, checkpoints, newest, stamps, deleted } = found;
  const signed = newest?.size ?? 0;
  const days = new Map<string, number>();
  for (const { from, to, on, why } of deleted) {
    const key = `blocks deleted on ${on} by ${why}`;
    days.set(key, (days.get(key) ?? 0) + to - from);
  }
  return [
    `${leaves} leaves in ${segments} segments, ${(octets / 2 ** 20).toFixed(1)} MiB`,
    newest === undefined
      ? "no checkpoint: nothing of this is signed"
      : `${checkpoints} checkpoints; the newest: ${newest.size} leaves, root ${newest.root.toString("base64")}`,
    ...(leaves > signed && newest !== undefined
      ? [`${leaves - signed} leaves behind the newest checkpoint are not signed yet`]
      : []),
    ...(stamps === 0
      ? []
      : [`${stamps} time stamps fit their checkpoint (openssl ts -verify checks who signed them)`]),
    ...[...days].map(([what, count]) => `${count} leaves proved by hash, ${what}`),
    notes === 0
      ? "no --checkpoint was given: whether the log was rolled back can't be seen"
      : `${given} checkpoints were given`,
  ];
}
