import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { createSignallingReader } from "../../src/replay/signalling.ts";

/** Messages to begin with: RFC 4475 and every message of the captures, whole or broken. */
export function readCorpus(): readonly Buffer[] {
  const corpus: Buffer[] = [];
  for (const name of readdirSync("test/sip/torture"))
    if (name.endsWith(".dat")) corpus.push(readFileSync(`test/sip/torture/${name}`));
  const keep = (bytes: Buffer): unknown => corpus.push(Buffer.from(bytes));
  for (const name of readdirSync("pcaps").filter((file) => /\.pcap(?:ng)?$/.test(file))) {
    const reader = createSignallingReader({ message: keep, broken: keep, msu: () => undefined });
    reader.push(readFileSync(`pcaps/${name}`));
    reader.end();
  }
  return corpus;
}
