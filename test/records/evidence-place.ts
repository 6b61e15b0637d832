import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import type { SignallingSource } from "../../src/domain/attempt.ts";
import type { MessageBlock } from "../../src/records/evidence/evidence-block.ts";
import {
  type EvidenceLog,
  type EvidenceLogOptions,
  openEvidenceLog,
} from "../../src/records/evidence/evidence-log.ts";
import { logFiles } from "../../src/records/evidence/log-files.ts";
import {
  type GivenCheckpoint,
  type Verification,
  verifyLog,
} from "../../src/records/evidence/log-verification.ts";
import { type NoteKey, openCheckpoint, readKeyLine } from "../../src/records/tree/signed-note.ts";

/** 2026-11-30T12:00:00Z. */
export const noon = Date.UTC(2026, 10, 30, 12);
export const day = 86_400_000;

export const udp4: SignallingSource = {
  signalling: "sip",
  transport: "udp",
  sourceAddress: "192.0.2.9",
  sourcePort: 5061,
  destinationAddress: "198.51.100.1",
  destinationPort: 5060,
};

/** An INVITE with a Call-ID of its own. */
export function invite(callId: string, rest = ""): Buffer {
  return Buffer.from(
    [
      "INVITE sip:02787654321@198.51.100.1 SIP/2.0",
      `Via: SIP/2.0/UDP 192.0.2.9:5061;branch=z9hG4bK${callId}`,
      "Max-Forwards: 70",
      "From: <sip:01087654400@192.0.2.9>;tag=a1",
      "To: <sip:02787654321@198.51.100.1>",
      `Call-ID: ${callId}`,
      "CSeq: 1 INVITE",
      `Content-Length: ${rest.length}`,
      "",
      rest,
    ].join("\r\n"),
  );
}

/** The block of a refused call. */
export function block(callId: string, at = noon, origin = udp4): MessageBlock {
  const bytes = invite(callId);
  const line = JSON.stringify({
    record: "decided",
    id: `gw-a-t3k9x1-${callId}`,
    node: "gw-a",
    time: new Date(at).toISOString(),
    callId,
    trunk: "bj-lease-01",
    verdict: "reject",
    reason: "police-listed",
    rule: "deny-lists",
    listLine: "lists/police.csv:2",
    action: "answered",
    status: 603,
    revision: "9f2c",
  });
  return { at, origin, bytes, originalLength: bytes.length, line };
}

/** A folder for one test. It is removed with the test. */
export function createPlace(t: Test): {
  readonly folder: string;
  readonly keyFile: string;
  readonly base: string;
} {
  const base = mkdtempSync(join(tmpdir(), "sigwall-evidence-"));
  t.teardown(async () => (await import("node:fs/promises")).rm(base, { recursive: true, force: true }));
  mkdirSync(join(base, "evidence"));
  return { base, folder: join(base, "evidence"), keyFile: join(base, "evidence.key") };
}

/** Opens the log of the node gw-a. */
export function openLog(
  { folder, keyFile }: { readonly folder: string; readonly keyFile: string },
  more: Partial<EvidenceLogOptions> = {},
): EvidenceLog {
  return openEvidenceLog({ folder, keyFile, node: "gw-a", ...more });
}

export function publicKey(folder: string, node = "gw-a"): NoteKey {
  const key = readKeyLine(readFileSync(logFiles(folder, node).publicKey, "utf8"));
  if (typeof key === "string") throw new Error(key);
  return key;
}

/** Verifies the log of gw-a. */
export function verify(folder: string, notes: readonly string[] = [], key = publicKey(folder)): Verification {
  const given = notes.map((note, i): GivenCheckpoint => {
    const checkpoint = openCheckpoint(note, key);
    if (typeof checkpoint === "string") throw new Error(checkpoint);
    return { name: `given ${i + 1}`, checkpoint };
  });
  return verifyLog(folder, "gw-a", key, given);
}

/** Every file below a folder, in order. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .toSorted();
}

export function segmentsBelow(folder: string): readonly string[] {
  return filesBelow(folder).filter((path) => path.endsWith(".pcapng"));
}

/** Fills a log: `count` blocks, with a commit and a checkpoint after every `each`. */
export function fill(log: EvidenceLog, count: number, each = 10, at = noon, from = 0): void {
  for (let i = 0; i < count; i += 1) {
    log.append(block(`call-${from + i}`, at + i));
    if ((i + 1) % each === 0) log.checkpoint(at + i);
  }
  log.checkpoint(at + count);
}
