/** The few fields of a SIP message that both ends of the soak need; the filter's bytes are not their concern. */

/** The value of the first field `name`, "" where there is none. */
export function field(text: string, name: string): string {
  const start = text.indexOf(`\r\n${name}: `);
  if (start < 0) return "";
  const from = start + name.length + 4;
  return text.slice(from, text.indexOf("\r\n", from));
}

/** The lines of every field `name`, line ends included. */
export function lines(text: string, name: string): readonly string[] {
  const found: string[] = [];
  for (let at = text.indexOf(`\r\n${name}: `); at >= 0;) {
    const end = text.indexOf("\r\n", at + 2);
    found.push(text.slice(at + 2, end + 2));
    at = text.indexOf(`\r\n${name}: `, end);
  }
  return found;
}

/** When the message left, by its sender's clock; 0 where it doesn't say. */
export function sentAt(text: string): number {
  return Number(field(text, "X-Sent") || 0);
}
