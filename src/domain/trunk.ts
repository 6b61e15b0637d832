// A trunk: one configured peer, its next hops, and how its calls are judged.
import type { MethodTable } from "./method.ts";
import type { DialPlan } from "./number.ts";
import type { ReasonCode } from "./reason.ts";
import type { Millis } from "./time.ts";
import type { HostPort } from "../net/host.ts";

/** The name of a source that is no trunk, only a next hop. It may continue dialogs of ours, and may begin nothing. */
export const NEXT_HOP = "next-hop";

/** The name of a peer of which no trunk is known: nobody, or nobody before its certificate is seen. No trunk has it. */
export const STRANGER = "";

export type TrunkId = string;
export type LesseeId = string;

/** What a trunk connects to. `core` is the carrier's own network: trusted, not screened. */
export type Side = "lessee" | "national" | "international" | "core";

/** The transport of SIP messages (RFC 3261 section 18). */
export type SipTransport = "udp" | "tcp" | "tls";

/** Where accepted calls of a trunk go. */
export interface NextHop {
  /** Unique on its trunk, and a metric label: "192.0.2.1:5060", "sbc.example.com;transport=tls". */
  readonly id: string;
  readonly transport: SipTransport;
  /** A literal address without brackets, or a host name in lower case. */
  readonly host: string;
  /** `host` where it is a literal address; undefined for a name, whose addresses come from DNS. */
  readonly address: string | undefined;
  /** 0 for a name without port: SRV records say it, or the transport does (RFC 3263 section 4.2). */
  readonly port: number;
  /** Next hops of a lower priority are used first. */
  readonly priority: number;
  /** Share of the calls among those of one priority. */
  readonly weight: number;
}

/** Which asserted identities count: every one, From only, or the first of PAI, RPID, PPI, From that has a number. */
export type IdentityMode = "all" | "presented" | "pai-first";

/** Fields whose numbers must be the same (`cli-conflict`). */
export type AgreementField = "pai" | "rpid" | "isup";

/** The limit of emergency calls. It is their only one. */
export interface EmergencyLimits {
  /** Calls of the trunk in a second. */
  readonly perSecond: number;
  /** Calls of one asserted number in a second. */
  readonly perCallerPerSecond: number;
  /** What happens above the limit: `alarm` passes the call as a finding that is only counted, `reject` refuses it. */
  readonly above: "alarm" | "reject";
}

/** What a limit by contract counts the calls of. `callerBlock`: a hundred numbers that differ in the last two digits. */
export type FrequencySubject = "trunk" | "lessee" | "caller" | "callerBlock" | "called";

/** A limit by contract: at most so many calls of a subject within any time of this length. */
export interface FrequencyLimit {
  /** "lessee bank caller 1h": what the calls are counted under. Invariant: one window for each name. */
  readonly name: string;
  readonly per: FrequencySubject;
  readonly calls: number;
  readonly within: Millis;
  /** As it was written: "1h". */
  readonly written: string;
  /** True: only calls that nobody answered count, and those that stand unanswered. */
  readonly onlyUnanswered: boolean;
}

/** Limits of a lessee over all of its trunks. */
export interface LesseeLimits {
  readonly callsPerSecond?: number;
  readonly channels?: number;
  /** The trunks of the lessee that hold channels, the own one included. */
  readonly trunks: readonly TrunkId[];
}

export interface TrunkLimits {
  /** Those of the trunk, then those of its lessee. */
  readonly frequency?: readonly FrequencyLimit[];
  readonly emergency?: EmergencyLimits;
  readonly callsPerSecond?: number;
  readonly attemptsPerCallerPerMinute?: number;
  readonly channels?: number;
  /** Left out: the lessee has none but frequencies. */
  readonly lessee?: LesseeLimits;
  readonly messagesPerSecond?: number;
  /** New calls judged in a second, whatever their verdict. */
  readonly attemptsPerSecond?: number;
  /** Weight of the trunk when an overloaded filter divides its capacity; 1 when left out. */
  readonly share?: number;
}

/** What is removed from a request after it was judged. */
export interface CleanUp {
  /** Long names of header fields, lower case. */
  readonly fields: ReadonlySet<string>;
  /**
   * True: the parameter `verstat` is removed too. An untrusted peer has no right to set it (3GPP TS 24.229 section
   * 7.2A.20).
   */
  readonly verstat: boolean;
}

/** What the contract of a lessee permits beside its own calls: calls of a call centre, or calls of other businesses. */
export type Licence = "own-use" | "call-centre" | "hosting";

/** How the called party learns that a call was let through with a reservation (verdict `label`). */
export interface LabelForm {
  /** Text for people, beside the reason code in the header field of the label; may be empty. */
  readonly text: string;
  /** Text in front of the caller's display name; may be empty. */
  readonly displayName: string;
}

/**
 * How evidence of refused calls is kept. `before-reject`: a refusal is answered when its evidence is on the disk.
 * `off`: none is kept.
 */
export type EvidenceMode = "async" | "before-reject" | "off";

/** Which SS7 messages a trunk may send, whatever they carry (gateway screening). */
export interface Ss7Screening {
  /** Undefined: every point code. */
  readonly originatingPointCodes: ReadonlySet<number> | undefined;
  /** Users of MTP3, 0 to 15 (Q.704 section 14.2.1). */
  readonly serviceIndicators: ReadonlySet<number>;
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
  /** Hosts by which this trunk names the filter, beside those of `sigwall.yaml`. Port 0: any of ours. */
  readonly ownNames: readonly HostPort[];
  /** True: a call that a next hop answers with 503 goes to another one. */
  readonly failoverOn503: boolean;
  /**
   * True: when no next hop is left, the caller gets the last 503 as it is. False: the caller gets 500 (RFC 3261 section
   * 16.7 step 6).
   */
  readonly passThrough503: boolean;
  /** The verdict when no rule decided. */
  readonly fallback: "accept" | "reject";
  /** The verdict when code of the filter fails or a table is full. */
  readonly exception: "accept" | "reject" | "drop";
  /** SIP status by reason code, in place of the table's own. */
  readonly status: ReadonlyMap<ReasonCode, number>;
  readonly identity: IdentityMode;
  readonly mustAgree: readonly AgreementField[];
  readonly limits: TrunkLimits;
  /** `redirect`: an accepted call is answered 302 with its next hop. The call itself does not pass the filter. */
  readonly mode: "proxy" | "redirect";
  readonly methods: MethodTable;
  /** Undefined: nothing is removed. */
  readonly cleanUp: CleanUp | undefined;
  readonly label: LabelForm;
  /** Layouts of ISUP bodies whose `version` (lower case) no standard knows. */
  readonly isupVersions: ReadonlyMap<string, "itu" | "ansi">;
  /** Media types (lower case) of bodies that may pass unread, beside those that name no caller. */
  readonly bodies: ReadonlySet<string>;
  readonly ss7: Ss7Screening;
  /**
   * Octets above which a request to a UDP next hop goes by TCP instead (RFC 3261 section 18.1.1); never when left out.
   */
  readonly tcpAbove?: number;
  /** Longest time that an answered call is kept when its end is not seen. Milliseconds. */
  readonly longestCall: Millis;
  /** Left out: `own-use`, and on trunks without lessee. */
  readonly licence?: Licence;
  /** Reference of the lessee's contract, for records. */
  readonly contract?: string;
  /** The name that the certificate of a TLS peer of this trunk must prove, in lower case. */
  readonly tlsName?: string;
  /** Left out: as `evidence.durability` of sigwall.yaml says. */
  readonly evidence?: EvidenceMode;
  /** SIP status of a drop where an engine can't be silent. */
  readonly dropAs?: number | undefined;
}
