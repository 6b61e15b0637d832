// Makes a call attempt that holds only its source, for decisions where no attempt can be read.
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { PartyNumber } from "../domain/number.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";

const nobody: PartyNumber = { kind: "unusable", why: "empty", detail: "not told", raw: "" };

export function bareAttempt(trunk: Trunk, at: Millis, origin: SignallingSource, callId = ""): CallAttempt {
  return {
    at,
    trunk,
    origin,
    calling: [],
    called: nobody,
    emergencyUrn: false,
    diversion: [],
    privacy: 0,
    callId,
    fromTag: "",
    requestUri: "",
  };
}
