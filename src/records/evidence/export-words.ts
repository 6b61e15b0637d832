// The words of an export in Chinese and English: fields, verdicts, reason codes.
import { reasons, type ReasonCode } from "../../domain/reason.ts";
import type { VerdictKind } from "../../domain/decision.ts";

/** A text in both languages. */
export type Words = readonly [chinese: string, english: string];

/** The verdicts in both languages. */
export const verdictWords: Readonly<Record<VerdictKind, Words>> = {
  accept: ["放行", "accepted"],
  reject: ["拦截", "refused"],
  drop: ["丢弃(不应答)", "dropped without an answer"],
  withhold: ["不送主叫显示", "passed, the calling number withheld"],
  label: ["风险提示", "passed with a warning"],
  strip: ["删除字段后放行", "passed, header fields removed"],
  observe: ["重点监测,照常放行", "passed, on an observed line"],
};

const chineseReasons: Readonly<Record<ReasonCode, string>> = {
  "source-unknown": "来源不属于任何中继",
  "line-stopped": "专线已按指令暂停或关停",
  "line-observed": "专线已按指令重点监测",
  "message-malformed": "信令格式错误,无法安全判定",
  "isup-undecodable": "ISUP 内容无法解码",
  "method-not-allowed": "该中继不允许此方法",
  "dialog-unknown": "不存在的会话",
  "routing-refused": "不允许指定的路由或目标",
  "cli-hidden": "隐藏号码(禁显)",
  "cli-absent": "空主叫",
  "cli-malformed": "主叫号码不符合编号计划",
  "body-names-caller": "消息体可能携带主叫号码且无法识别",
  "cli-conflict": "主叫号码各字段不一致",
  "display-name-misleading": "显示名误导",
  "cli-not-listed": "主叫鉴权不通过:不在白名单",
  "cli-expired": "主叫鉴权不通过:白名单已过期或逾期未核验",
  "cli-wrong-line": "呼叫源和号码源不一致:号码不属于该线路",
  "number-class": "该类号码不得作主叫",
  "home-cli-from-abroad": '国际来话"+86"不规范主叫',
  "diversion-unlicensed": "未经许可的转接类信令",
  "police-listed": "公安通报黑名单",
  denylisted: "黑名单",
  "score-listed": "风险评分名单",
  "do-not-call": "禁呼名单",
  "marketing-hours": "营销呼叫未避开休息时段",
  "marketing-number": "营销呼叫未使用平台号码",
  quarantined: "临时拦截",
  "frequency-exceeded": "超出频次限制",
  "call-rate-exceeded": "超出中继每秒呼叫数",
  "message-rate-exceeded": "超出中继每秒消息数",
  "channels-exceeded": "超出中继并发数",
  overload: "系统过载保护",
  protocol: "按 RFC 3261 直接应答",
  "rule-fault": "系统内部错误",
  emergency: "紧急呼叫",
  listed: "在白名单内",
  default: "无规则命中",
};

/** A reason code in both languages; the code itself when it is none of this version. */
export function reasonWords(code: string): Words {
  return isReason(code) ? [chineseReasons[code], reasons[code].when] : [code, code];
}

function isReason(code: string): code is ReasonCode {
  return Object.hasOwn(chineseReasons, code);
}
