import { Buffer } from "node:buffer";
import { refuseVector, type Vector } from "./literate-vector.ts";

/** The text of one line: `\xHH` is an octet. Any other backslash is refused. */
function unescape(vector: Vector, line: string): string {
  let text = "";
  for (let at = 0; at < line.length; at++) {
    if (line[at] !== "\\") {
      text += line[at]!;
      continue;
    }
    const escape = /^\\x([0-9a-f]{2})/.exec(line.slice(at));
    if (escape === null) return refuseVector(vector, `a backslash that is no escape: ${line}`);
    text += String.fromCharCode(Number.parseInt(escape[1]!, 16));
    at += 3;
  }
  return text;
}

/** The octets of lines as latin1. Every line ends in CRLF, but for a backslash at its end, which takes the line end away. */
export function textOf(vector: Vector, lines: readonly string[] = vector.lines): string {
  return lines
    .map((line) =>
      line.endsWith("\\") ? unescape(vector, line.slice(0, -1)) : `${unescape(vector, line)}\r\n`,
    )
    .join("");
}

/** The message of a vector that is one line without a line end. */
export function valueOf(vector: Vector): string {
  const [line, second] = vector.lines;
  if (line === undefined || second !== undefined) return refuseVector(vector, "not one line");
  return unescape(vector, line);
}

const FIELDS = "{fields}";

/** The message of a vector inside the base of its page, and where it begins in there. */
export function insideBase(vector: Vector, end: string): { readonly bytes: Buffer; readonly offset: number } {
  const at = vector.base.indexOf(FIELDS);
  if (at < 0) return refuseVector(vector, `the page has no base with a line ${FIELDS}`);
  const before = textOf(vector, vector.base.slice(0, at));
  const behind = textOf(vector, vector.base.slice(at + 1));
  return { bytes: Buffer.from(before + textOf(vector) + behind + end, "latin1"), offset: before.length };
}

/** Octets as pairs of hexadecimal digits; `#` begins a comment. */
export function octetsOf(vector: Vector): Buffer {
  const pairs = vector.lines.flatMap((line) => line.split("#")[0]!.split(" ")).filter((pair) => pair !== "");
  const strange = pairs.find((pair) => !/^[0-9a-f]{2}$/.test(pair));
  if (strange !== undefined) return refuseVector(vector, `not an octet: ${strange}`);
  return Buffer.from(pairs.join(""), "hex");
}

/** Latin1 text in quotes; what a page can't show is an escape. */
export function quote(text: string): string {
  let quoted = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isPlain = code >= 0x20 && code <= 0x7e && code !== 0x5c;
    quoted += isPlain ? text[at]! : `\\x${code.toString(16).padStart(2, "0")}`;
  }
  return `"${quoted}"`;
}

/** The text between two positions, with them. `offset`: where the message of the vector begins in `text`. */
export function quoteSpan(text: string, start: number, end: number, offset = 0): string {
  return `${quote(text.slice(start, end))} @${start - offset}-${end - offset}`;
}

/** The octets between two positions, with them. */
export function quoteOctets(bytes: Buffer, start: number, end: number): string {
  return `${hexOf(bytes.subarray(start, end))} @${start}-${end}`;
}

/** Octets as pages write them: `[01 02]`. */
export function hexOf(bytes: Uint8Array): string {
  return `[${Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join(" ")}]`;
}
