// The secret key of the evidence log: read from its file, or made.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, writeFileThrough } from "../tree/durable-writing.ts";
import { messageOf } from "./evidence-fault.ts";

/** The secret key, and what an operator should know about its file. */
export interface EvidenceKey {
  readonly secret: KeyObject;
  readonly warning?: string;
}

/**
 * Reads the Ed25519 key in `path`, PEM (PKCS #8) without a password. A missing file is made, with mode 0600.
 * @returns in words what is wrong with the file
 */
export function obtainEvidenceKey(path: string): EvidenceKey | string {
  try {
    const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileThrough(path, Buffer.from(pem), "wx");
  } catch (error) {
    if (codeOf(error) !== "EEXIST") return `${path}: can't make the key of the evidence: ${messageOf(error)}`;
  }
  return readEvidenceKey(path);
}

function readEvidenceKey(path: string): EvidenceKey | string {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (error) {
    return `${path}: can't read the key of the evidence: ${messageOf(error)}`;
  }
  const secret = readSecret(pem);
  if (secret?.asymmetricKeyType !== "ed25519")
    return `${path}: not an Ed25519 key in PEM without a password; move the file away and the filter makes one`;
  const isOpen = (statSync(path).mode & 0o077) !== 0;
  return isOpen ? { secret, warning: `${path} can be read by others; chmod 600 it` } : { secret };
}

function readSecret(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/**
 * What `check` says of the key file. Makes no file.
 * @returns undefined when there is nothing to say
 */
export function findEvidenceKeyIssue(path: string): string | undefined {
  try {
    statSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") return `${path}: can't read the key of the evidence: ${messageOf(error)}`;
    try {
      accessSync(dirname(path), constants.W_OK | constants.X_OK);
      return undefined;
    } catch (reason) {
      return `${path}: can't make the key of the evidence: ${messageOf(reason)}`;
    }
  }
  const key = readEvidenceKey(path);
  return typeof key === "string" ? key : key.warning;
}
