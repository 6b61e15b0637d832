// What a dialog token of ours says, and which side of the dialog proved it.
import type { ReasonCode } from "../../domain/reason.ts";

/**
 * How the calling side of a dialog was accepted. `emergency`: unjudged, so its presentation does not matter later
 * either. `withheld`: its number is shown in no request of the dialog. `labelled`: each of its requests bears the label.
 */
export type Acceptance = "judged" | "emergency" | "withheld" | "labelled";

/** What a token says. The fields are the pieces of its text, see `dialog-token.ts`. */
export interface DialogToken {
  /** The call's tag, as the token writes it. Undefined: the token was written by 0.1.0. "": the call has no name. */
  readonly call: string | undefined;
  readonly ingress: string;
  readonly egress: string;
  /** Parties of the called side, as `named-parties.ts` lists them. */
  readonly called: string;
  readonly accepted: Acceptance;
  /** The reason in the label of a labelled call. */
  readonly label: ReasonCode | undefined;
  /** Calling and diverting parties of the calling side, as `named-parties.ts` lists them. */
  readonly calling: string;
  /** Where the INVITE came from and where it went, to be read with `readTarget`. */
  readonly source: string;
  readonly target: string;
  readonly mac: string;
  readonly confirmation: string | undefined;
  /** Everything in front of the MAC, as the MAC covers it. */
  readonly claims: string;
}

/** A dialog that was proved, and the side of it that the request comes from. */
export interface Proof {
  readonly token: DialogToken;
  readonly side: "caller" | "called";
}
