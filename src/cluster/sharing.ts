// What the running filter asks of its share in a cluster, whatever is shared and however.
import type { CallEvent } from "../domain/call.ts";
import type { ClusterFigures } from "../observe/cluster/cluster-figures.ts";
import type { Policy } from "../policy/policy.ts";
import type { SharedMemory } from "../proxy/memory/shared-memory.ts";
import type { CallSharingParts } from "./call-sharing.ts";
import type { SharedKinds } from "./shared-entries.ts";

/** What the sharing of calls needs of the running filter. */
export type SharedCallsParts = Pick<CallSharingParts, "naming" | "state" | "heard" | "countedUntil">;

/** The share of this node. All of it runs in the call thread; nothing waits for another node. */
export interface Sharing {
  /** From now on calls are told, and those of other nodes are heard. At most once. @returns what the engine is given */
  readonly calls: (parts: SharedCallsParts) => SharedMemory;
  /** Hears each event of a call. */
  readonly happened: (event: CallEvent) => void;
  /**
   * From now on the other nodes are heard, and orders and findings are those of all nodes. What the others keep is in force
   * before this returns. After `calls`, and at most once.
   */
  readonly orders: (kinds: SharedKinds) => void;
  /** Another policy is in force. */
  readonly policyChanged: (policy: Policy) => void;
  /**
   * Asked several times a second.
   *
   * @param isReady whether the engine takes new calls
   * @returns `lags`: it does, and the policy of this node is not that of the others
   */
  readonly readiness: (isReady: boolean) => boolean | "lags";
  readonly figures: () => ClusterFigures;
}
