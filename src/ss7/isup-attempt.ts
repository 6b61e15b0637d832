// Makes the call attempt of an IAM, which the rules then judge.
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { IsupMessage } from "./isup.ts";
import { countsDoubtful, readParties } from "./isup-identity.ts";
import type { Msu } from "./mtp3.ts";

/**
 * Makes the call attempt of an IAM (Q.763, Q.764). There is no Call-ID: the circuit names the call
 * for as long as the call lasts.
 * @param message the IAM of `msu`, read without fault
 * @param msu the unit that carries the IAM, for its circuit
 * @param trunk the trunk that the IAM came from
 * @param at when it was received
 * @param origin where it came from, for evidence
 * @returns the attempt, or in words why it cannot be judged
 */
export function readIsupAttempt(
  message: IsupMessage,
  msu: Msu,
  trunk: Trunk,
  at: Millis,
  origin: SignallingSource,
): CallAttempt | string {
  const parties = readParties(message, trunk.dialPlan, countsDoubtful(trunk));
  if (typeof parties === "string") return parties;
  const { calling, names, called, diversion, privilege, natureOfAddress, screening } = parties;
  if (called === undefined) return "not an IAM";
  return {
    at,
    trunk,
    origin,
    calling,
    ...(names.length === 0 ? {} : { names }),
    called,
    emergencyUrn: false,
    diversion,
    privacy: 0,
    callId: "",
    fromTag: "",
    requestUri: "",
    isIam: true,
    ...(privilege === undefined ? {} : { privilege }),
    circuit: { opc: msu.opc, dpc: msu.dpc, cic: msu.cic, natureOfAddress, screening },
  };
}
