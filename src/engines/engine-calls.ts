// The memory of calls for engines whose calls the SIP proxy does not carry.
import { createCalls } from "../calls/call-memory.ts";
import type { Calls, CallSlot } from "../calls/calls.ts";
import { createTeller } from "../judging/tell.ts";
import { longestCallOf } from "../policy/policy.ts";
import type { EngineParts } from "./engine.ts";

/** Makes the memory of calls of an engine. From then on `limits.channels` counts its calls. */
export function createEngineCalls(
  parts: Pick<EngineParts, "policy" | "state" | "counters" | "naming" | "happened" | "sharing">,
): Calls<undefined> {
  const { sharing } = parts;
  const calls = createCalls<undefined>({
    ...parts.naming,
    capacity: parts.policy().tables.calls,
    longestCall: (trunk) => longestCallOf(parts.policy(), trunk),
    wall: parts.state.wall,
    tell: createTeller(parts.counters, parts.happened),
    ...(sharing === undefined ? {} : { changed: (slot: CallSlot) => sharing.changed(slot) }),
  });
  sharing?.opened(calls.elsewhere);
  parts.state.channels.of = (trunk) => calls.channels(trunk);
  return calls;
}
