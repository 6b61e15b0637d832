// What became of a call, in Chinese and English, as its record lines say.
import type { Fields } from "../lines/line-fields.ts";
import type { Words } from "./export-words.ts";

/**
 * Says how a call ended. Text in lines is not made plain here.
 *
 * @param call its `decided` line
 * @param end its `ended` line; undefined: none was found
 */
export function endWords(call: Fields, end: Fields | undefined): Words {
  const { action } = call;
  if (action === "redirected")
    return ["已重定向至下一跳,呼叫未经过本系统", "redirected to the next hop: the call did not pass here"];
  if (action !== "forwarded") {
    const [chinese, english] = actionWords(call);
    return [`呼叫在此终止:${chinese}`, `the call ended here: ${english}`];
  }
  if (end === undefined)
    return [
      "无结束记录:呼叫仍在进行,或其结束在未查询的记录中",
      "no end is recorded: the call is in progress, or its end is in records that were not asked",
    ];
  const parts = [howWords(end), ...progressWords(end), ...codeWords(end)];
  return [parts.map(([chinese]) => chinese).join(","), parts.map(([, english]) => english).join(", ")];
}

/** What was done, with the status or the cause. */
export function actionWords({ action, status, cause }: Fields): Words {
  if (action === "answered") return [`应答 ${text(status)}`, `answered ${text(status)}`];
  if (action === "released") return [`释放,原因值 ${text(cause)}`, `released, cause ${text(cause)}`];
  return action === "silent" ? ["未应答", "no answer"] : [text(action), text(action)];
}

const parties: Readonly<Record<string, Words>> = {
  caller: ["主叫方", "the calling party"],
  called: ["被叫方", "the called party"],
  filter: ["本系统", "the filter"],
};

function howWords({ by, how, status, answeredMs }: Fields): Words {
  const [chinese, english] = parties[text(by)] ?? [text(by), text(by)];
  switch (how) {
    case "cancelled":
      return [`${chinese}在应答前放弃`, `${english} gave up before an answer`];
    case "refused":
      return status === undefined
        ? [`呼叫建立失败:${chinese}拒绝`, `the set-up failed: ${english} refused it`]
        : [
            `呼叫建立失败:${chinese}拒绝(${text(status)})`,
            `the set-up failed: ${english} refused it with ${text(status)}`,
          ];
    case "released":
      return [`由${chinese}结束`, `ended by ${english}`];
    case "timed-out":
      return answeredMs === undefined
        ? ["超时无人应答", "nobody answered in time"]
        : ["会话超时,无存活信号", "the session expired without a sign of life"];
    case "lost":
      return ["未见结束", "the end was never seen"];
    default:
      return [text(how), text(how)];
  }
}

function progressWords({ ringingMs, answeredMs, seconds }: Fields): readonly Words[] {
  const parts: Words[] = [];
  if (typeof ringingMs === "number")
    parts.push([`${ringingMs / 1000} 秒后振铃`, `ringing after ${ringingMs / 1000} s`]);
  if (typeof answeredMs === "number")
    parts.push([`${answeredMs / 1000} 秒后应答`, `answered after ${answeredMs / 1000} s`]);
  if (typeof seconds === "number") parts.push([`通话 ${seconds} 秒`, `${seconds} s long`]);
  return parts;
}

function codeWords({ cause, how, status }: Fields): readonly Words[] {
  const parts: Words[] = [];
  if (how === "cancelled" && status !== undefined)
    parts.push([`状态码 ${text(status)}`, `status ${text(status)}`]);
  if (cause !== undefined) parts.push([`原因值 ${text(cause)}`, `cause ${text(cause)}`]);
  return parts;
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
