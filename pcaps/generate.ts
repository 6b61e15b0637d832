import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeCapture, makePackets, writeCapture } from "./capture-file.ts";
import { readCaptureSource } from "./capture-source.ts";

const SUFFIXES = [".sip.txt", ".ss7.txt"];

/** One capture with the page that describes it. */
export interface GeneratedCapture {
  readonly name: string;
  /** File names in `pcaps/`, and what they hold. */
  readonly files: readonly { readonly name: string; readonly bytes: Buffer }[];
}

/** Makes every capture of the sources in `folder`, in memory. */
export function generateCaptures(folder: string): readonly GeneratedCapture[] {
  const sources = readdirSync(folder).filter((file) => SUFFIXES.some((suffix) => file.endsWith(suffix)));
  return sources.toSorted().map((file) => {
    const name = file.slice(0, file.indexOf("."));
    const source = readCaptureSource(readFileSync(join(folder, file), "utf8"));
    const packets = makePackets(source, name);
    const capture = `${name}.${source.format.pcapng ? "pcapng" : "pcap"}`;
    return {
      name: capture,
      files: [
        { name: capture, bytes: writeCapture(source, packets) },
        { name: `${capture}.md`, bytes: Buffer.from(describeCapture(source, packets, file)) },
      ],
    };
  });
}

/** Writes every capture of `pcaps/src` to `pcaps/`. */
export function writeCaptures(): void {
  for (const { files } of generateCaptures(join("pcaps", "src"))) {
    for (const { name, bytes } of files) writeFileSync(join("pcaps", name), bytes);
  }
}
