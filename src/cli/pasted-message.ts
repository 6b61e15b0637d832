// Restores a SIP message that a person copied from a ticket or a log: line ends, and the length of its body.
const CRLF = "\r\n";

/**
 * Gives a pasted message the line ends of the wire, and the Content-Length of what was pasted: editors take away the
 * last line end of a body, and tickets cut it. A message with CRLF anywhere is returned as it is.
 */
export function asReceived(bytes: Buffer): Buffer {
  if (bytes.includes(CRLF)) return bytes;
  const lines = bytes.toString("latin1").trimStart().split("\n");
  const blank = lines.indexOf("");
  const head = blank < 0 ? lines : lines.slice(0, blank);
  const body = blank < 0 ? "" : lines.slice(blank + 1).join(CRLF);
  const length = head.findIndex((line) => isContentLength(line));
  const wanted = length < 0 ? 0 : Number(head[length]!.slice(head[length]!.indexOf(":") + 1));
  const whole = body.length === wanted - CRLF.length ? body + CRLF : body;
  if (whole.length < wanted) head[length] = `Content-Length: ${whole.length}`;
  return Buffer.from([...head, "", whole].join(CRLF), "latin1");
}

/** True for the field Content-Length, whose compact name is "l" (RFC 3261 section 7.3.3). */
function isContentLength(line: string): boolean {
  const name = line
    .slice(0, Math.max(0, line.indexOf(":")))
    .trim()
    .toLowerCase();
  return name === "content-length" || name === "l";
}
