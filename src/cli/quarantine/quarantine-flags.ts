// What the commands about the quarantine are called with, and where they write.
import type { Surroundings } from "../../config/sigwall/node-place.ts";

/** What the commands share. */
export interface QuarantineFlags {
  /** Path of sigwall.yaml. */
  readonly config: string;
  readonly json?: boolean;
}

/** Where the commands write, and what surrounds the process. */
export interface QuarantineOutput extends Surroundings {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}
