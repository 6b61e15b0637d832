// An IAM of a capture with what followed it, and the call attempt that it makes.
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import { join } from "../judging/isup-calls.ts";
import { readIsupAttempt } from "../ss7/isup-attempt.ts";
import { countsDoubtful, readParties } from "../ss7/isup-identity.ts";
import type { Arrival } from "../pcap/tcp-stream.ts";
import type { CaptureTime } from "../pcap/timestamp.ts";
import type { IsupMessage } from "../ss7/isup.ts";
import type { Msu } from "../ss7/mtp3.ts";

/**
 * An IAM of a capture, with the digits of the SAMs that followed it. Frame and time are those of the IAM. Valid only during
 * the call that passes it.
 */
export interface SeenIam extends Arrival {
  readonly message: IsupMessage;
  /** The segmentation message that followed. Undefined: none. */
  readonly segment: IsupMessage | undefined;
  /** When nothing more was waited for. */
  readonly completed: CaptureTime;
  /** When its last part came: the IAM, a SAM or the segment. Unix milliseconds. */
  readonly lastPart: Millis;
  readonly msu: Msu;
  readonly origin: SignallingSource;
  /**
   * Number of the frame with the IAM that this one repeats; the circuit was not released in
   * between. Undefined: none.
   */
  readonly retransmissionOf: number | undefined;
}

/**
 * Makes the attempt of an IAM as a call of `trunk`.
 *
 * @returns the attempt, or in words why it can't be read
 */
export function readSeenIam(
  { message, msu, origin, segment }: SeenIam,
  trunk: Trunk,
  at: Millis,
): CallAttempt | string {
  const attempt = readIsupAttempt(message, msu, trunk, at, origin);
  if (typeof attempt === "string" || segment === undefined) return attempt;
  const parties = segment.fault ?? readParties(segment, trunk.dialPlan, countsDoubtful(trunk));
  return typeof parties === "string" ? `segment: ${parties}` : join(attempt, parties, at);
}
