import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { IsupMessage } from "./isup.ts";
import { readParties } from "./isup-identity.ts";
import type { Msu } from "./mtp3.ts";

/**
 * The call attempt that an IAM makes; in words, why it can't be judged (Q.763, Q.764). `message` is the IAM of `msu`, read without
 * fault. There is no Call-ID: the circuit is the call's name, for as long as the call lasts.
 */
export function readIsupAttempt(
  message: IsupMessage,
  msu: Msu,
  trunk: Trunk,
  at: Millis,
  origin: SignallingSource,
): CallAttempt | string {
  const parties = readParties(message, trunk.dialPlan);
  if (typeof parties === "string") return parties;
  const { calling, called, diversion, natureOfAddress, screening } = parties;
  if (called === undefined) return "not an IAM";
  return {
    at,
    trunk,
    origin,
    calling,
    called,
    emergencyUrn: false,
    diversion,
    privacy: 0,
    callId: "",
    requestUri: "",
    circuit: { opc: msu.opc, dpc: msu.dpc, cic: msu.cic, natureOfAddress, screening },
  };
}
