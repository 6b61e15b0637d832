import { formatEndpoint } from "../net/endpoint.ts";
import type { Decision } from "../domain/decision.ts";
import { redactNumber } from "./redact.ts";

/** What a log tells of a refused call. Numbers are redacted; nothing else of the message is repeated. */
export interface RefusalLine {
  readonly trunk: string;
  readonly verdict: string;
  readonly reason: string;
  readonly rule: string;
  /** Every different asserted caller, the first four. */
  readonly caller: readonly string[];
  readonly called: string;
  readonly source: string;
  readonly revision: string;
  /** SIP status that was answered in place of the verdict, where the engine could not obey it. */
  readonly enforcedAs?: number;
}

const mostCallers = 4;

/** True when a decision belongs in the log: calls that were let through don't. */
export function isRefusal({ verdict, enforcedAs }: Decision): boolean {
  return verdict.kind === "reject" || verdict.kind === "drop" || enforcedAs !== undefined;
}

/** Puts a refused call into the words of a log. Not in the path of calls. */
export function describeRefusal({ attempt, verdict, rule, revision, enforcedAs }: Decision): RefusalLine {
  const callers = new Set<string>();
  for (const { number } of attempt.calling) {
    if (callers.size < mostCallers) callers.add(redactNumber(number));
  }
  const { sourceAddress, sourcePort } = attempt.origin;
  return {
    trunk: attempt.trunk.id,
    verdict: verdict.kind,
    reason: verdict.reason,
    rule,
    caller: [...callers],
    called: redactNumber(attempt.called),
    source: formatEndpoint({ address: sourceAddress, port: sourcePort }),
    revision,
    ...(enforcedAs === undefined ? {} : { enforcedAs }),
  };
}
