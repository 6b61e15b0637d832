// What the monthly report calls the reasons of refusals. Reasons that are no judgement of a caller have no kind.

/** A kind of refused callers, and the reason codes that it gathers. */
export interface RefusalKind {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly reasons: readonly string[];
}

const kind = (id: string, zh: string, en: string, ...reasons: readonly string[]): RefusalKind => ({
  id,
  zh,
  en,
  reasons,
});

/** In the order of the report; the first eight in the wording of the notices. */
export const refusalKinds: readonly RefusalKind[] = [
  kind(
    "not-listed",
    "非白名单",
    "not on the lessee's list",
    "cli-not-listed",
    "cli-expired",
    "cli-wrong-line",
  ),
  kind("hidden", "隐藏号码", "hidden number", "cli-hidden"),
  kind("empty", "空号", "empty or invalid number", "cli-absent", "cli-malformed"),
  kind("home-from-abroad", '"+86"不规范主叫', "home number from abroad (+86)", "home-cli-from-abroad"),
  kind("number-class", "400", "400 and other classes that never call", "number-class"),
  kind("police", "公安通报黑名单", "police list", "police-listed"),
  kind("diversion", "转接类信令", "forwarding signalling", "diversion-unlicensed"),
  kind(
    "frequency",
    "频次",
    "frequency, rate and channels",
    "frequency-exceeded",
    "call-rate-exceeded",
    "channels-exceeded",
  ),
  kind("deny", "其他黑名单", "other deny lists and scores", "denylisted", "score-listed"),
  kind(
    "conflict",
    "主叫信息不一致",
    "callers that contradict each other",
    "cli-conflict",
    "display-name-misleading",
    "body-names-caller",
  ),
  kind(
    "marketing",
    "营销外呼与禁呼名单",
    "marketing rules and do-not-call",
    "do-not-call",
    "marketing-hours",
    "marketing-number",
  ),
  kind("quarantine", "临时拦截", "quarantine", "quarantined"),
  kind("line", "线路暂停或关停", "stopped line", "line-stopped"),
  kind(
    "unreadable",
    "信令不可判读",
    "signalling that can't be judged",
    "message-malformed",
    "isup-undecodable",
  ),
];

const kindByReason: ReadonlyMap<string, RefusalKind> = new Map(
  refusalKinds.flatMap((each) => each.reasons.map((reason) => [reason, each] as const)),
);

/** @returns undefined for reasons that say nothing of a caller: overload, faults of our own, RFC 3261's own answers */
export function kindOfRefusal(reason: string): RefusalKind | undefined {
  return kindByReason.get(reason);
}
