// A call attempt: its parties, its source and its circuit, in one form for every protocol.
import type { AssertedIdentity } from "./identity.ts";
import type { PartyNumber } from "./number.ts";
import type { Millis } from "./time.ts";
import type { Trunk } from "./trunk.ts";

/** RFC 3323, 3325 and 7044 privacy values as bits. */
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

/** Between whom a message went, and by what transport; addresses are empty on signalling links. */
export type SignallingPath = Omit<SignallingSource, "signalling">;

/** The circuit that an IAM seizes, as its routing label and CIC name it, and what its calling party number says of itself. */
export interface SeizedCircuit {
  readonly opc: number;
  readonly dpc: number;
  readonly cic: number;
  /** Nature of address and screening indicator (Q.763 section 3.10); undefined without a calling party number. */
  readonly natureOfAddress: number | undefined;
  readonly screening: number | undefined;
}

/** One call attempt as the rules see it, whatever protocol it came in. */
export interface CallAttempt {
  readonly at: Millis;
  readonly trunk: Trunk;
  readonly origin: SignallingSource;
  /** Every asserted caller: each PAI, PPI and RPID value, From, ISUP calling party and generic number. */
  readonly calling: readonly AssertedIdentity[];
  readonly called: PartyNumber;
  /** True when the called party is an emergency service URN (RFC 5031: `urn:service:sos`). */
  readonly emergencyUrn: boolean;
  /** Diverting parties, the most recent one first (RFC 5806, RFC 7044, Q.763 redirecting number). */
  readonly diversion: readonly AssertedIdentity[];
  /** Bits of {@link PrivacyFlag} that the message asked for. */
  readonly privacy: number;
  /** Empty where the signalling has none (ISUP). */
  readonly callId: string;
  readonly requestUri: string;
  /** Of an IAM that came on a circuit. */
  readonly circuit?: SeizedCircuit;
  /** Why an ISUP body of a SIP request can't be judged, in words; only there when it can't. */
  readonly undecodable?: string;
}
