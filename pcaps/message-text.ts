import type { SourceMessage } from "./capture-source.ts";
import { encodeIsup, writeM3ua } from "./isup-text.ts";

/** Header names with their compact forms (IANA registry), lower case. */
const compact: ReadonlyMap<string, string> = new Map([
  ["v", "via"],
  ["f", "from"],
  ["t", "to"],
  ["i", "call-id"],
  ["m", "contact"],
  ["l", "content-length"],
]);

/**
 * The bytes of a message's text: `\xHH` stands for a byte, everything else is UTF-8. A line `@isup IAM …` is those octets, and
 * `@isup64 IAM …` the same in base64.
 */
function encode(text: string): Buffer {
  const isup = /^@isup(64)? (.*?)(\r?\n)$/.exec(text);
  if (isup !== null) {
    const octets = encodeIsup(isup[2] ?? "");
    const lineEnd = Buffer.from(isup[3] ?? "");
    return Buffer.concat([isup[1] === undefined ? octets : Buffer.from(octets.toString("base64")), lineEnd]);
  }
  const pieces = text.split(/\\x([0-9a-fA-F]{2})/);
  return Buffer.concat(pieces.map((piece, i) => Buffer.from(piece, i % 2 === 0 ? "utf8" : "hex")));
}

function namesOf(lines: readonly string[]): ReadonlySet<string> {
  const names = lines.map((line) => (line.split(":")[0] ?? "").trim().toLowerCase());
  return new Set(names.map((name) => compact.get(name) ?? name));
}

/**
 * What an ordinary message has besides the lines that matter. A From that is not written is a number that the lessee of
 * the example policy may use, so that a message shows only what makes it different.
 */
function completeHeaders(
  start: string,
  given: readonly string[],
  bodyLength: number,
  id: string,
  host: string,
): readonly string[] {
  const [first = "", uri = ""] = start.split(" ");
  const method = first.startsWith("SIP/") ? "INVITE" : first;
  const defaults: readonly (readonly [name: string, value: string])[] = [
    ["Via", `SIP/2.0/UDP ${host};branch=z9hG4bK-${id}`],
    ["Max-Forwards", "70"],
    ["From", `<sip:+861087654321@${host}>;tag=f-${id}`],
    ["To", `<${uri}>`],
    ["Call-ID", id],
    ["CSeq", `1 ${method}`],
    ["Contact", `<sip:${host}>`],
    ["Content-Length", String(bodyLength)],
  ];
  const names = namesOf(given);
  const missing = defaults
    .filter(([name]) => !names.has(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
  return [...missing.slice(0, -1), ...given, ...missing.slice(-1)];
}

/** The bytes of a message. `id` makes branch, tag and Call-ID; `host` is the sender, as SIP writes it. */
export function writeMessage(message: SourceMessage, id: string, host: string): Buffer {
  if (message.transport === "isup") return writeM3ua(message.circuit, encodeIsup(message.text));
  const lineEnd = message.lineFeeds ? "\n" : "\r\n";
  const lines = message.text.split("\n");
  const empty = lines.indexOf("");
  const head = empty < 0 ? lines : lines.slice(0, empty);
  const bodyLines = empty < 0 ? [] : lines.slice(empty + 1);
  const body = Buffer.concat(bodyLines.map((line) => encode(line + lineEnd)));
  const [start = "", ...given] = head;
  const headers = message.verbatim ? given : completeHeaders(start, given, body.length, id, host);
  return Buffer.concat([encode([start, ...headers, "", ""].join(lineEnd)), body]);
}
