/** What a call of the soak of two nodes is to do. The called side reads it out of the INVITE. */
import { field } from "../message.ts";

const trunks = ["load", "rate", "channels"] as const;
const kinds = ["answered", "changed", "cancelled", "busy"] as const;
export type TrunkName = (typeof trunks)[number];

export interface CallPlan {
  readonly trunk: TrunkName;
  /** `busy`: answered 486. `cancelled`: rings until the caller cancels. */
  readonly kind: (typeof kinds)[number];
  readonly endedBy: "caller" | "called";
  /** Milliseconds from the INVITE to its answer, or to its CANCEL; from the answer to the BYE. */
  readonly ring: number;
  readonly hold: number;
}

/** Call number `index` of a trunk. Every tenth call of the load lasts longer than a node lives. */
export function planOf(trunk: TrunkName, index: number): CallPlan {
  if (trunk === "rate") return { trunk, kind: "busy", endedBy: "caller", ring: 0, hold: 0 };
  if (trunk === "channels") return { trunk, kind: "answered", endedBy: "caller", ring: 100, hold: 3_000 };
  const kind = index % 8 === 3 ? "cancelled" : index % 8 === 5 ? "changed" : "answered";
  return {
    trunk,
    kind,
    endedBy: index % 2 === 0 ? "caller" : "called",
    ring: (index * 397) % 2_500,
    hold: index % 10 === 0 ? 70_000 : 500 + ((index * 677) % 6_000),
  };
}

export function writePlan({ trunk, kind, endedBy, ring, hold }: CallPlan): string {
  return `X-Plan: ${trunk} ${kind} ${endedBy} ${ring} ${hold}\r\n`;
}

export function readPlan(invite: string): CallPlan {
  const [trunk, kind, endedBy, ring, hold] = field(invite, "X-Plan").split(" ");
  return {
    trunk: trunks.find((name) => name === trunk) ?? "load",
    kind: kinds.find((name) => name === kind) ?? "answered",
    endedBy: endedBy === "called" ? "called" : "caller",
    ring: Number(ring),
    hold: Number(hold),
  };
}
