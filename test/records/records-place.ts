// A folder for records and evidence of one node, a log, and events that leave evidence.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import type { EvidenceConfig } from "../../src/config/sigwall/evidence-schema.ts";
import type { RecordsConfig } from "../../src/config/sigwall/records-schema.ts";

import type { CallDecided } from "../../src/domain/call.ts";
import { type KeptThings, openRecords } from "../../src/app/records/open-records.ts";
import { createLog } from "../../src/observe/log.ts";
import { readLines } from "../../src/records/lines/read-lines.ts";
import type { Records } from "../../src/records/lines/recording.ts";
import { decisionOn, forwardedCall, NODE } from "./line-maker.ts";

export const NOW = Date.UTC(2026, 10, 30, 12);

export interface Place {
  readonly folder: string;
  readonly said: string[];
  readonly open: (more?: Partial<RecordsConfig>, ringOctets?: number, evidence?: EvidenceConfig) => Records;
  /** Keeps evidence alone. */
  readonly prove: (evidence: EvidenceConfig) => Records;
  readonly lines: () => readonly Readonly<Record<string, unknown>>[];
}

/** A folder that is removed after the threads have ended, unlike that of `t.testdir`. */
export function place(t: Test, files: Readonly<Record<string, string>> = {}): Place {
  const root = mkdtempSync(join(tmpdir(), "sigwall-records-"));
  const folder = join(root, "records");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const said: string[] = [];
  const opened: Records[] = [];
  const log = createLog(
    "info",
    () => NOW,
    (entry) => {
      if (entry.kind === "message") said.push(`${entry.level} ${entry.message}`);
    },
  );
  const alive = setInterval(() => undefined, 1000);
  t.teardown(async () => {
    await Promise.all(opened.map((records) => records.close()));
    rmSync(root, { recursive: true });
    clearInterval(alive);
  });
  const keep = (kept: KeptThings, more: { readonly ringOctets?: number } = {}): Records => {
    const records = openRecords(kept, { node: NODE, log, ...more });
    if (typeof records === "string") throw new Error(records);
    opened.push(records);
    return records;
  };
  return {
    folder,
    said,
    open(more = {}, ringOctets, evidence) {
      const config = { folder, keepDays: 36_500, onFull: "count", policies: undefined, ...more } as const;
      return keep({ records: config, evidence }, ringOctets === undefined ? {} : { ringOctets });
    },
    prove: (evidence) => keep({ records: undefined, evidence }),
    lines: () => [...readLines([folder])].flatMap(({ line }) => (line === undefined ? [] : [line])),
  };
}

export const refusal = (count: number, at: number = NOW): CallDecided => ({
  ...forwardedCall(count, {}, at),
  decision: decisionOn(
    {},
    { verdict: { kind: "reject", reason: "cli-not-listed" }, rule: "caller-authentication" },
  ),
  action: { kind: "answered", status: 403 },
});

/** Evidence beside the records, for which every refusal waits. */
export const evidenceIn = (folder: string): EvidenceConfig => ({
  folder: join(folder, "../evidence"),
  keyFile: join(folder, "../evidence.key"),
  durability: "before-reject",
  checkpointSeconds: 10,
  keepDays: 1100,
  onFull: "count",
  perTrunk: { blocksPerSecond: 5, megabytesPerDay: 1 },
  publish: undefined,
  origin: undefined,
  timeStamp: undefined,
});
