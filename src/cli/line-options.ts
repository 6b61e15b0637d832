// The words and options of `sigwall line`.
import type { LineState } from "../domain/line-state.ts";

export const lineActions = ["suspend", "close", "observe", "open"] as const;

/** What `sigwall line` does with a line. */
export type LineAction = (typeof lineActions)[number];

/** The state that each word asks for; `open` takes the command's order away. */
export const stateOfAction: Readonly<Record<LineAction, LineState>> = {
  suspend: "suspended",
  close: "closed",
  observe: "observe",
  open: "active",
};

/** Options of `sigwall line`. */
export interface LineFlags {
  readonly order: string;
  readonly reason: string;
  readonly authority?: string;
  readonly until?: string;
  readonly calls?: "keep" | "release";
  /** Path of sigwall.yaml. */
  readonly config: string;
  readonly json?: boolean;
}
