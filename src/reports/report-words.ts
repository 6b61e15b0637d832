// The words of the monthly report, in Chinese and in English.
import { createCalendar } from "../config/lists/calendar.ts";
import type { Dimension, Network } from "./month-report.ts";
import type { Head } from "./report-head.ts";
import type { ReportGap } from "./completeness.ts";

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

export const networkWords: Readonly<Record<Network, Words>> = {
  own: { zh: "本网", en: "Own network" },
  other: { zh: "他网", en: "Other networks" },
  international: { zh: "国际来话", en: "From abroad" },
};

export const affectedWords: Readonly<Record<ReportGap["affects"], Words>> = {
  records: { zh: "呼叫记录", en: "call records" },
  evidence: { zh: "固定证据(不影响数字)", en: "evidence (no figure changes)" },
  policies: { zh: "策略存档(不影响数字)", en: "kept policies (no figure changes)" },
};

export const words = {
  title: { zh: "诈骗电话治理月报", en: "Monthly report on fraudulent calls" },
  month: { zh: "月份", en: "Month" },
  zone: { zh: "时区", en: "Time zone" },
  attempts: { zh: "呼叫次数", en: "Call attempts" },
  refused: { zh: "拦截次数", en: "Refused" },
  passed: { zh: "其余呼叫", en: "Other attempts" },
  rate: { zh: "拦截占比", en: "Refused share" },
  ofRefused: { zh: "占全部拦截", en: "Of all refused" },
  name: { zh: "名称", en: "Name" },
  count: { zh: "数量", en: "Count" },
  share: { zh: "占比", en: "Share" },
  before: { zh: "上月", en: "Month before" },
  change: { zh: "环比", en: "Change" },
  ids: { zh: "记录编号", en: "Record ids" },
  item: { zh: "项目", en: "Item" },
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
  unit: { zh: "填报单位", en: "Reported by" },
  madeAt: { zh: "制表时间", en: "Made at" },
  until: { zh: "数据截至", en: "Data up to" },
  notOver: { zh: "本月未结束", en: "the month is not over" },
  noFigures: {
    zh: "本月没有任何记录:前两项无数字,不等于 0",
    en: "There are no records of this month: the first two heads have no figures, which is not 0",
  },
  period: { zh: "统计期间", en: "Period" },
  nodes: { zh: "节点", en: "Nodes" },
  noNode: { zh: "无", en: "none" },
  records: { zh: "记录完整性", en: "Records" },
  whole: { zh: "完整", en: "complete" },
  notKnown: {
    zh: "未发现缺失,但有空白时段",
    en: "no gap is known, but there are hours without a record",
  },
  notWhole: {
    zh: "不完整,部分记录缺失,本报告数字可能偏低,见“缺失的记录”",
    en: 'not complete, figures may be too low; see "Records that are missing"',
  },
  beforeNotWhole: {
    zh: "上月记录不完整或有空白时段,环比仅供参考",
    en: "The month before has gaps or hours without a record: changes may mislead",
  },
  gaps: { zh: "缺失的记录", en: "Records that are missing" },
  silent: { zh: "没有任何记录的时段", en: "hours without a record" },
  silentFor: {
    zh: "没有任何记录的小时数(请核对,见“缺失的记录”)",
    en: "Hours without a record, to be checked",
  },
  silentWhy: {
    zh: "节点未运行、没有呼叫或文件缺失",
    en: "the node did not run, had no call, or its files are gone",
  },
  allNodes: { zh: "全部节点", en: "all nodes" },
  node: { zh: "节点", en: "Node" },
  from: { zh: "起", en: "From" },
  to: { zh: "止", en: "To" },
  hours: { zh: "小时数", en: "Hours" },
  gap: { zh: "系统记下的缺口", en: "gaps that the filter noted" },
  times: { zh: "次数", en: "Times" },
  lost: { zh: "已知缺失条数", en: "Known to be lost" },
  affects: { zh: "涉及", en: "Concerns" },
  why: { zh: "原因", en: "Cause" },
  unread: { zh: "无法读取的记录", en: "records that can't be read" },
  file: { zh: "文件(UTC 日期/小时-节点)", en: "File (UTC day/hour-node)" },
  lines: { zh: "条数", en: "Lines" },
  all: { zh: "全部", en: "all" },
  more: { zh: "其余时段", en: "further spans" },
  idsOf: { zh: "附:可查询的记录编号", en: "Appendix: record ids to look up" },
  linesOf: { zh: "附:线路与命令文号", en: "Appendix: lines and orders" },
  line: { zh: "线路", en: "Lines" },
  order: { zh: "命令文号", en: "Orders" },
  ordersAt: {
    zh: "查看命令:sigwall search --record order;查看线索:sigwall search --record finding,加上 --from 和 --to",
    en: "Look up orders: sigwall search --record order; findings: sigwall search --record finding; both with --from and --to",
  },
  page: { zh: "第", en: "Page" },
  preparedBy: { zh: "填报人", en: "Prepared by" },
  checkedBy: { zh: "审核人", en: "Checked by" },
  approvedBy: { zh: "负责人(签章)", en: "Approved by" },
  signedOn: { zh: "日期", en: "Date" },
  drill: {
    zh: "用 sigwall search --id 记录编号 查看每次呼叫。",
    en: "Look up a call: sigwall search --id RECORD-ID",
  },
} as const satisfies Readonly<Record<string, Words>>;

/** What gaps are called, by the words that the cause begins with. */
const causes: readonly (Words & { readonly begin: string })[] = [
  {
    begin: "the process before this one was killed",
    zh: "前一进程被强行终止后重启,未写入的记录丢失",
    en: "the filter was killed and started again; what it had not written is lost",
  },
  {
    begin: "the records thread did not keep up",
    zh: "记录来不及写入",
    en: "lines could not be written in time",
  },
  { begin: "nothing could be written", zh: "记录无法写入磁盘", en: "nothing could be written to the disk" },
  {
    begin: "evidence: the process before this one was killed",
    zh: "前一进程被强行终止后重启",
    en: "the filter was killed and started again",
  },
  { begin: "evidence-budget", zh: "超出中继的证据配额", en: "more than the evidence budget of a trunk" },
  { begin: "evidence", zh: "证据无法写入", en: "evidence could not be written" },
  { begin: "policy ", zh: "策略未能存档", en: "a policy could not be kept" },
];

/** The cause of a gap, as a page says it; JSON has the words of the filter. */
export function describeCause(why: string, language: Language): string {
  return causes.find(({ begin }) => why.startsWith(begin))?.[language] ?? why;
}

/** "+12.5%"; empty where there is nothing to compare with. */
export function describeChange(change: number | undefined): string {
  if (change === undefined) return "";
  return `${change > 0 ? "+" : ""}${(change * 100).toFixed(1)}%`;
}

/** "12.5%". */
export function describeShare(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** A moment for people, in a zone: `2026-10-09 08:00:00 +08:00`. */
export function createMoments(timeZone: string): (iso: string) => string {
  const calendar = createCalendar(timeZone);
  return (iso) => {
    const at = Date.parse(iso);
    if (Number.isNaN(at)) return iso;
    const text = calendar.formatTime(at);
    return `${text.slice(0, 10)} ${text.slice(11, 19)} ${text.slice(23)}`;
  };
}

/** `1,234,567`. */
export function grouped(count: number): string {
  const text = String(count);
  let out = "";
  for (let at = 0; at < text.length; at++)
    out += (at > 0 && (text.length - at) % 3 === 0 ? "," : "") + (text[at] ?? "");
  return out;
}
