import type { DialPlan } from "./number.ts";
import type { ReasonCode } from "./reason.ts";

export type TrunkId = string;
export type LesseeId = string;

/** Whom a trunk connects to. `core` is the carrier's own network: trusted, not screened. */
export type Side = "lessee" | "national" | "international" | "core";

/** What SIP messages of a peer travel on (RFC 3261 section 18). */
export type SipTransport = "udp" | "tcp" | "tls";

/** Where accepted calls of a trunk go. `address` is a literal IPv4 or IPv6 address without brackets. */
export interface NextHop {
  readonly id: string;
  readonly transport: SipTransport;
  readonly address: string;
  readonly port: number;
}

/** Which asserted identities must pass: every one, From only, or the first of PAI, RPID, PPI, From. */
export type IdentityMode = "all" | "presented" | "pai-first";

/** Fields whose numbers must be the same (`cli-conflict`). */
export type AgreementField = "pai" | "rpid" | "isup";

export interface TrunkLimits {
  readonly callsPerSecond?: number;
  readonly attemptsPerCallerPerMinute?: number;
  readonly channels?: number;
}

/** One configured peer and how its calls are judged. Frozen at load. */
export interface Trunk {
  readonly id: TrunkId;
  /** Dense position in the policy; changes from one policy to the next, so never a key of lasting state. */
  readonly index: number;
  readonly side: Side;
  readonly lessee: LesseeId | undefined;
  readonly dialPlan: DialPlan;
  readonly nextHops: readonly NextHop[];
  /** When no rule decided. */
  readonly fallback: "accept" | "reject";
  /** When our own code fails or a table is full. */
  readonly exception: "accept" | "reject" | "drop";
  /** SIP status by reason code, over the table's own. */
  readonly status: ReadonlyMap<ReasonCode, number>;
  readonly identity: IdentityMode;
  readonly mustAgree: readonly AgreementField[];
  readonly limits: TrunkLimits;
}
