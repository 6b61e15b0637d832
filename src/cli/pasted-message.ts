// Restores a SIP message that a person copied: its line ends, what stands around its lines, the length of its body.
const CRLF = "\r\n";

const lineEnd = /\r\n|\n|\r/u;

/** Longest line of what is read as pasted. The search for the start line takes time by its square. */
const MOST_CHARACTERS = 4096;

/** The start line of a request, and what a ticket or a tool wrote on each line before and behind it. */
const startLine = /^(.*?)([A-Z]+ [a-z]+:.*? SIP\/\d\.\d)(.*)$/m;

/**
 * Gives a pasted message the line ends of the wire, and the Content-Length of what was pasted: editors take away the
 * last line end of a body, and tickets cut it. Lines before the request go (ngrep, sngrep), and so does what stands
 * before and behind its first line wherever it stands on others: indentation, ">", the dot of ngrep. A message with
 * CRLF anywhere and nothing around its first line is returned as it is, and so is one with a line of more than
 * {@link MOST_CHARACTERS}.
 */
export function asReceived(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  if (text.split(lineEnd).some((line) => line.length > MOST_CHARACTERS)) return bytes;
  const found = startLine.exec(text);
  const start = found?.index ?? 0;
  const [, before = "", , behind = ""] = found ?? [];
  // A head before the request is that of another message, whose body the request is.
  if (text.slice(0, start).includes("SIP/2.0")) return bytes;
  const pasted = text.slice(start);
  if (before === "" && behind === "" && pasted.includes(CRLF)) return bytes.subarray(start);
  const lines = pasted.split(lineEnd).map((line) => withoutMargins(line, before, behind));
  const blank = lines.findIndex((line) => line.trim() === "");
  const head = blank < 0 ? lines : lines.slice(0, blank);
  const body = blank < 0 ? "" : lines.slice(blank + 1).join(CRLF);
  const length = head.findIndex((line) => isContentLength(line));
  const wanted = length < 0 ? 0 : Number(head[length]!.slice(head[length]!.indexOf(":") + 1));
  const whole = body.length === wanted - CRLF.length ? body + CRLF : body;
  if (whole.length < wanted) head[length] = `Content-Length: ${whole.length}`;
  return Buffer.from([...head, "", whole].join(CRLF), "latin1");
}

function withoutMargins(line: string, before: string, behind: string): string {
  if (line === before.trimEnd()) return "";
  const inner = line.startsWith(before) ? line.slice(before.length) : line;
  return behind !== "" && inner.endsWith(behind) ? inner.slice(0, -behind.length) : inner;
}

/** True for the field Content-Length, whose compact name is "l" (RFC 3261 section 7.3.3). */
function isContentLength(line: string): boolean {
  const name = line
    .slice(0, Math.max(0, line.indexOf(":")))
    .trim()
    .toLowerCase();
  return name === "content-length" || name === "l";
}
