// A call attempt: its parties, its source and its circuit, in one form for every protocol.
import type { AssertedIdentity, ShownName } from "./identity.ts";
import type { PartyNumber } from "./number.ts";
import type { Millis } from "./time.ts";
import type { Trunk } from "./trunk.ts";

/** The privacy values as bits (RFC 3323, RFC 3325, RFC 7044). */
export const PrivacyFlag = {
  id: 1,
  user: 2,
  header: 4,
  session: 8,
  history: 16,
  critical: 32,
  none: 64,
} as const;

/** Where an attempt was seen. Addresses are literal, IPv6 without brackets. */
export interface SignallingSource {
  readonly signalling: "sip" | "sip-i" | "isup";
  readonly transport: "udp" | "tcp" | "tls" | "sctp" | "mtp";
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

/** The two ends of a message, and its transport. Addresses are empty on signalling links. */
export type SignallingPath = Omit<SignallingSource, "signalling">;

/** The circuit that an IAM seizes, by its routing label and CIC, and the indicators of its calling party number. */
export interface SeizedCircuit {
  readonly opc: number;
  readonly dpc: number;
  readonly cic: number;
  /** Nature of address and screening indicator (Q.763 section 3.10); undefined without a calling party number. */
  readonly natureOfAddress: number | undefined;
  readonly screening: number | undefined;
}

/** One call attempt, in the form in which the rules see it. */
export interface CallAttempt {
  /** When it was received, on the wall clock. Limits measure their intervals by `timeOf` (screening/state.ts). */
  readonly at: Millis;
  readonly trunk: Trunk;
  readonly origin: SignallingSource;
  /** Every asserted caller: each PAI, PPI and RPID value, From, ISUP calling party and generic number. */
  readonly calling: readonly AssertedIdentity[];
  /** Names of the calling party that stand by themselves, in ISUP; left out where there is none. */
  readonly names?: readonly ShownName[];
  readonly called: PartyNumber;
  /** True when the called party is an emergency service URN (RFC 5031: `urn:service:sos`). */
  readonly emergencyUrn: boolean;
  /** Diverting parties, the most recent one first (RFC 5806, RFC 7044, Q.763 redirecting number). */
  readonly diversion: readonly AssertedIdentity[];
  /** Bits of {@link PrivacyFlag} that the message asked for. */
  readonly privacy: number;
  /** Call-ID; empty where the signalling has none (ISUP). */
  readonly callId: string;
  /** The tag in From. With the Call-ID it names the call on the caller's side; empty where there is none (ISUP). */
  readonly fromTag: string;
  readonly requestUri: string;
  /** The circuit of an IAM; left out where there is none. */
  readonly circuit?: SeizedCircuit;
  /** The category that gives the caller a privilege (`operator`, `police`, `test` …); left out where none is claimed. */
  readonly privilege?: string;
  /** True for an IAM: the called side is shown the calling party number of the IAM or none. Left out otherwise. */
  readonly isIam?: true;
  /**
   * The media type of a body that may name a caller and that nobody reads, or in words why the body can't be read; left
   * out where there is none.
   */
  readonly unreadBody?: string;
  /** Why the ISUP message can't be judged, in words; left out when it can be judged. */
  readonly undecodable?: string;
}
