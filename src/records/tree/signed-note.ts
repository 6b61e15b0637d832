// Signed notes and tree heads: the text of a checkpoint, its Ed25519 signature, and the public key in one line (C2SP).
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { HASH_OCTETS } from "./merkle-tree.ts";

// Sources: c2sp.org/signed-note (text, blank line, signature lines; signature type 1 is Ed25519), c2sp.org/tlog-checkpoint
// (origin, tree size, root) and, for the public key in one line, golang.org/x/mod/sumdb/note: NAME+KEYID+BASE64.

const ED25519 = 1;
const PUBLIC_OCTETS = 32;
const SIGNATURE_OCTETS = 64;
/** What stands before the 32 octets of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410 section 4). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/** A public key of a log, under its name. */
export interface NoteKey {
  readonly name: string;
  /** The first 4 octets of the hash of name, type and key. */
  readonly id: Buffer;
  readonly publicKey: KeyObject;
  /** The key in one line: NAME+KEYID+BASE64. */
  readonly line: string;
}

/** Names an Ed25519 key, public or private. */
export function nameKey(name: string, key: KeyObject): NoteKey {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(spkiHead.length);
  const typed = Buffer.concat([Buffer.from([ED25519]), raw]);
  const id = createHash("sha256").update(`${name}\n`).update(typed).digest().subarray(0, 4);
  return { name, id, publicKey, line: `${name}+${id.toString("hex")}+${typed.toString("base64")}` };
}

/** Reads a public key in one line. @returns in words what is wrong */
export function readKeyLine(text: string): NoteKey | string {
  const line = text.trim();
  const second = line.indexOf("+");
  const third = line.indexOf("+", second + 1);
  if (second < 1 || third < 0) return "no public key: expected NAME+KEYID+BASE64 in one line";
  const typed = Buffer.from(line.slice(third + 1), "base64");
  if (typed.length !== 1 + PUBLIC_OCTETS || typed[0] !== ED25519)
    return "not an Ed25519 key of a signed note";
  const spki = Buffer.concat([spkiHead, typed.subarray(1)]);
  const key = nameKey(line.slice(0, second), createPublicKey({ key: spki, format: "der", type: "spki" }));
  return key.line === line ? key : "the public key does not fit its key id";
}

/** Signs a text that ends with a newline. @returns the note */
export function signNote(text: string, key: NoteKey, secret: KeyObject): string {
  const signature = Buffer.concat([key.id, sign(null, Buffer.from(text), secret)]);
  return `${text}\n— ${key.name} ${signature.toString("base64")}\n`;
}

/** Opens a note. @returns its text with the last newline, or in words why the note proves nothing */
export function openNote(note: string, key: NoteKey): { readonly text: string } | string {
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n"))
    return "no signed note: a text, an empty line and signatures were expected";
  const text = note.slice(0, split + 1);
  let isSigned = false;
  for (const line of note.slice(split + 2, -1).split("\n")) {
    const [dash, name, encoded = "", ...rest] = line.split(" ");
    const bytes = Buffer.from(encoded, "base64");
    if (dash !== "—" || rest.length > 0 || bytes.length < 5 || bytes.toString("base64") !== encoded)
      return "a signature line is malformed";
    // Signatures of others say nothing here (signed-note: "Verifiers MUST ignore signatures from unknown keys").
    if (name !== key.name || !bytes.subarray(0, 4).equals(key.id)) continue;
    const isRight =
      bytes.length === 4 + SIGNATURE_OCTETS &&
      verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4));
    if (!isRight) return `the signature of ${key.name} is wrong`;
    isSigned = true;
  }
  return isSigned ? { text } : `no signature of the key ${key.name}+${key.id.toString("hex")}`;
}

/** A tree head: so many leaves have this root. */
export interface TreeHead {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** A tree head with the note that signs it. */
export interface Checkpoint extends TreeHead {
  readonly note: string;
}

/** Writes and signs a tree head. */
export function signCheckpoint(head: TreeHead, key: NoteKey, secret: KeyObject): Checkpoint {
  const text = `${head.origin}\n${head.size}\n${head.root.toString("base64")}\n`;
  return { ...head, note: signNote(text, key, secret) };
}

/** Reads the text of a checkpoint. @returns in words what is wrong */
export function readTreeHead(text: string): TreeHead | string {
  const [origin = "", count = "", encoded = "", ...rest] = text.split("\n");
  const size = Number(count);
  const root = Buffer.from(encoded, "base64");
  const isRight =
    origin !== "" &&
    Number.isSafeInteger(size) &&
    String(size) === count &&
    size >= 0 &&
    root.length === HASH_OCTETS &&
    root.toString("base64") === encoded &&
    rest.length === 1 &&
    rest[0] === "";
  return isRight ? { origin, size, root } : "no checkpoint: origin, tree size and root were expected";
}

/** Opens a checkpoint of the log that `key` names. @returns in words why the note proves nothing */
export function openCheckpoint(note: string, key: NoteKey): Checkpoint | string {
  const opened = openNote(note, key);
  if (typeof opened === "string") return opened;
  const head = readTreeHead(opened.text);
  return typeof head === "string" ? head : { ...head, note };
}
