import type { Millis } from "./time.ts";
import type { TrunkId } from "./trunk.ts";

/** What happened to a call that was let through. */
export interface CallEvent {
  /** `failed`: it ended without having been answered. */
  readonly kind: "attempted" | "answered" | "released" | "failed";
  readonly at: Millis;
  /** The trunk of the calling side. */
  readonly trunk: TrunkId;
  readonly callId: string;
}
