// The words of the monthly report, in Chinese and in English.
import type { Dimension, Head } from "./month-report.ts";

export type Language = "zh" | "en";

type Words = Readonly<Record<Language, string>>;

/** The wording of the notices. */
export const headWords: Readonly<Record<Head, Words>> = {
  "leased-lines": { zh: "违规出租语音专线", en: "Leased voice lines that were re-let" },
  "refused-callers": { zh: "拦截非法主叫", en: "Illegal callers refused" },
  unregistered: { zh: "非实名", en: "Without real-name registration" },
  "shut-down": { zh: "关停涉案号码", en: "Numbers shut down in cases" },
  persons: { zh: "查处人员", en: "Persons dealt with" },
};

export const dimensionWords: Readonly<Record<Dimension, Words>> = {
  trunk: { zh: "按中继", en: "By trunk" },
  lessee: { zh: "按租户", en: "By lessee" },
  province: { zh: "按省", en: "By province" },
  city: { zh: "按市", en: "By city" },
  county: { zh: "按区县", en: "By county" },
  branch: { zh: "按分公司", en: "By branch" },
  owner: { zh: "按责任人", en: "By owner" },
};

export const words = {
  title: { zh: "诈骗电话治理月报", en: "Monthly report on fraudulent calls" },
  month: { zh: "月份", en: "Month" },
  zone: { zh: "时区", en: "Time zone" },
  attempts: { zh: "呼叫次数", en: "Call attempts" },
  refused: { zh: "拦截次数", en: "Refused" },
  rate: { zh: "拦截占比", en: "Refused share" },
  count: { zh: "数量", en: "Count" },
  share: { zh: "占比", en: "Share" },
  before: { zh: "上月", en: "Month before" },
  change: { zh: "环比", en: "Change" },
  ids: { zh: "记录编号", en: "Record ids" },
  item: { zh: "项目", en: "Item" },
  own: { zh: "本网", en: "Own network" },
  other: { zh: "他网", en: "Other networks" },
  networks: { zh: "按网络", en: "By network" },
  days: { zh: "每日呼叫与拦截", en: "Attempts and refusals a day" },
  byReason: { zh: "按原因", en: "By reason" },
  none: { zh: "未导入", en: "not imported" },
  unknown: { zh: "未填写", en: "not given" },
  noRecords: { zh: "无记录", en: "no records" },
  notCounted: {
    zh: "因过载或协议原因未接通、不计入拦截的呼叫",
    en: "Calls refused for load or by the protocol, which are not counted as refused callers",
  },
  gaps: { zh: "缺失的记录", en: "Records that are missing" },
  gap: { zh: "条缺失", en: "lines missing" },
  drill: {
    zh: "用 sigwall search 或 sigwall why 按记录编号查看每次呼叫。",
    en: "Look up a call by its record id with sigwall search or sigwall why.",
  },
} as const satisfies Readonly<Record<string, Words>>;

/** "+12.5%"; empty where there is nothing to compare with. */
export function describeChange(count: number | undefined, before: number | undefined): string {
  if (count === undefined || before === undefined || before === 0) return "";
  const change = ((count - before) / before) * 100;
  return `${change > 0 ? "+" : ""}${change.toFixed(1)}%`;
}

/** "12.5%". */
export function describeShare(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
