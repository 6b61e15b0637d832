// The page of an export, for people: what was decided, by what, and how to check it, in Chinese and English.
import type { FoundBlock } from "./call-search.ts";
import { reasonWords, verdictWords, type Words } from "./export-words.ts";
import type { DecidingPolicy } from "./policy-lines.ts";

/** What the page says of one block. */
export interface ShownBlock {
  readonly block: FoundBlock;
  readonly leafHash: string;
  readonly proofFile: string;
  readonly policy: DecidingPolicy;
  /** What became of the call. */
  readonly end: Words;
}

/** What the page says of the log. */
export interface ShownLog {
  readonly node: string;
  readonly origin: string;
  readonly keyLine: string;
  readonly size: number;
  readonly root: string;
  /** The time of the RFC 3161 stamp and its file; undefined without one. */
  readonly stamp: { readonly time: string; readonly file: string } | undefined;
}

/** Control characters, as `\\x1b`. */
const controls = /\p{Cc}/gu;
/** What steers a display and is no text: bidi marks, zero-width characters, line separators, halves of characters. */
const invisible = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text of a peer for a page: control characters, bidi marks and markup are shown, not obeyed. */
export function escapeText(text: string): string {
  return text
    .replaceAll(controls, (one) => `\\x${hexOf(one).padStart(2, "0")}`)
    .replaceAll(invisible, (one) => `\\u${hexOf(one).padStart(4, "0")}`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}

/** A time in a time zone with its offset; in UTC where none is known. */
export function timeInZone(text: string, timeZone: string | undefined): string {
  const at = Date.parse(text);
  if (Number.isNaN(at)) return text;
  try {
    const parts = new Intl.DateTimeFormat("sv-SE", {
      timeZone: timeZone ?? "UTC",
      dateStyle: "short",
      timeStyle: "medium",
    }).format(at);
    const offset = new Intl.DateTimeFormat("en-US", {
      timeZone: timeZone ?? "UTC",
      timeZoneName: "longOffset",
    })
      .formatToParts(at)
      .find(({ type }) => type === "timeZoneName")?.value;
    return `${parts} ${(offset ?? "GMT").replace("GMT", "UTC")}`;
  } catch {
    return text;
  }
}

function row([chinese, english]: Words, value: string): string {
  return `<tr><th>${escapeText(chinese)} · ${escapeText(english)}</th><td>${value}</td></tr>`;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The numbers of a field such as `calling` or `called`. */
function numbersOf(value: unknown): string {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list
    .filter((one): one is Readonly<Record<string, unknown>> => typeof one === "object" && one !== null)
    .map((one) => {
      const source = textOf(one["source"]);
      const [number, raw] = [textOf(one["number"]), textOf(one["raw"])];
      const shown = number === "" || number === raw ? raw : `${number} (${raw})`;
      return escapeText(source === "" ? shown : `${shown} — ${source}`);
    })
    .join("<br>");
}

function describeBlock({ block, leafHash, proofFile, policy, end }: ShownBlock): string {
  const { decision, leaf, segment, number } = block;
  const verdict = textOf(decision["verdict"]);
  const words: Words = isVerdict(verdict) ? verdictWords[verdict] : [verdict, verdict];
  const reason = reasonWords(textOf(decision["reason"]));
  const plain = (name: Words, field: string): string => {
    const text = textOf(decision[field]);
    return text === "" ? "" : row(name, escapeText(text));
  };
  const { line } = policy;
  return [
    `<h2>${escapeText(words[0])} · ${escapeText(words[1])}</h2><table>`,
    row(["时间", "time"], escapeText(timeInZone(textOf(decision["time"]), policy.timeZone))),
    row(["主叫号码", "calling numbers"], numbersOf(decision["calling"])),
    row(["被叫号码", "called number"], numbersOf(decision["called"])),
    plain(["中继", "trunk"], "trunk"),
    plain(["专线租用单位", "lessee"], "lessee"),
    row(["原因", "reason"], escapeText(`${reason[0]} · ${reason[1]} (${textOf(decision["reason"])})`)),
    plain(["规则", "rule"], "rule"),
    plain(["应答", "SIP status"], "status"),
    plain(["释放原因值", "release cause"], "cause"),
    row(["呼叫结果", "what became of the call"], end.map(escapeText).join("<br>")),
    plain(["来源地址", "source"], "source"),
    plain(["呼叫标识", "Call-ID"], "callId"),
    plain(["记录编号", "id of the call"], "id"),
    plain(["通报文号", "notice"], "notice"),
    plain(["合同", "contract"], "contract"),
    row(["策略版本", "policy revision"], escapeText(policy.revision)),
    line === undefined
      ? row(["命中名单行", "row of the list that decided"], escapeText(policy.why === "" ? "—" : policy.why))
      : row(
          ["命中名单行", "row of the list that decided"],
          `${escapeText(line.place)}<pre>${escapeText(line.head)}\n${escapeText(line.text)}</pre>`,
        ),
    row(["存证位置", "place in the log"], escapeText(`leaf ${leaf}; ${segment}, block ${number}`)),
    row(["存证哈希", "leaf hash (SHA-256)"], `<code>${escapeText(leafHash)}</code>`),
    row(["证明文件", "proof"], `<code>${escapeText(proofFile)}</code>`),
    "</table>",
  ].join("\n");
}

function isVerdict(text: string): text is keyof typeof verdictWords {
  return Object.hasOwn(verdictWords, text);
}

const style =
  "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%}" +
  "th,td{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}th{width:16em;font-weight:normal;color:#444}" +
  "td,pre,code{overflow-wrap:anywhere;white-space:pre-wrap;unicode-bidi:isolate}";

const steps: readonly Words[] = [
  [
    "用 Wireshark 打开 evidence.pcapng:每个分组是收到的原始信令,注释是当时的判定。",
    "Open evidence.pcapng in Wireshark: each packet is the message as received, its comment is the decision.",
  ],
  [
    "文件中每个增强分组块(EPB)按 RFC 6962 第 2.1 节计算叶哈希:SHA-256(0x00 || 整个块)。",
    "Hash each Enhanced Packet Block of the file as a leaf (RFC 6962 section 2.1): SHA-256(0x00 || the whole block).",
  ],
  [
    "按 .tlog-proof 文件(C2SP tlog-proof)的路径算出根哈希,应与其中签名校验点的根相同。",
    "Follow the path in the .tlog-proof file (C2SP tlog-proof): it leads to the root in the checkpoint.",
  ],
  [
    "用 public.key 验证校验点的 Ed25519 签名(C2SP signed-note)。公钥应与此前另行取得的一致。",
    "Verify the Ed25519 signature of the checkpoint with public.key (C2SP signed-note). Compare the key with one that you got elsewhere.",
  ],
  [
    "如有 .tsr 文件:openssl ts -verify -data CHECKPOINT -in FILE.tsr -CAfile CA.pem 证明该校验点在该时间已存在。",
    "With a .tsr file: openssl ts -verify -data CHECKPOINT -in FILE.tsr -CAfile CA.pem proves when the checkpoint existed.",
  ],
];

/** Writes the page: HTML without scripts. */
export function writePage(log: ShownLog, blocks: readonly ShownBlock[]): string {
  const { node, origin, keyLine, size, root, stamp } = log;
  return [
    '<!doctype html><html lang="zh"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>固定证据 · Evidence</title><style>${style}</style></head><body>`,
    "<h1>固定证据 · Evidence</h1>",
    ...blocks.map(describeBlock),
    "<h2>签名校验点 · Checkpoint</h2><table>",
    row(["节点", "node"], escapeText(node)),
    row(["日志名称", "log"], escapeText(origin)),
    row(["公钥", "public key"], `<code>${escapeText(keyLine)}</code>`),
    row(["叶数", "leaves"], escapeText(String(size))),
    row(["根哈希", "root hash"], `<code>${escapeText(root)}</code>`),
    row(
      ["时间戳 (RFC 3161)", "time stamp"],
      escapeText(stamp === undefined ? "—" : `${stamp.time} (${stamp.file})`),
    ),
    "</table><h2>如何核验 · How to verify</h2><ol>",
    ...steps.map(([chinese, english]) => `<li>${escapeText(chinese)}<br>${escapeText(english)}</li>`),
    "</ol></body></html>",
    "",
  ].join("\n");
}
