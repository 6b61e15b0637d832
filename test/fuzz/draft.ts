import { Buffer } from "node:buffer";

/** A message taken apart where its structure is, so that a mutation can hit it. Everything is latin1: a character is a byte. */
export interface Draft {
  start: string;
  /** Whole fields, folded lines included, without their last line end. */
  fields: string[];
  body: string;
}

/** Takes any bytes apart; writing them again gives the same where line ends are CRLF. */
export function readDraft(bytes: Buffer): Draft {
  const text = bytes.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const head = end < 0 ? text : text.slice(0, end);
  const fields: string[] = [];
  const [start = "", ...lines] = head.split("\r\n");
  for (const line of lines) {
    const last = fields.length - 1;
    if (/^[ \t]/.test(line) && last >= 0) fields[last] += `\r\n${line}`;
    else fields.push(line);
  }
  return { start, fields, body: end < 0 ? "" : text.slice(end + 4) };
}

export function writeDraft({ start, fields, body }: Draft): Buffer {
  return Buffer.from(`${[start, ...fields].join("\r\n")}\r\n\r\n${body}`, "latin1");
}

const compactForms: Readonly<Record<string, string>> = {
  via: "v",
  from: "f",
  to: "t",
  "call-id": "i",
  contact: "m",
  "content-length": "l",
  "content-type": "c",
  "content-encoding": "e",
  supported: "k",
  subject: "s",
};
const longForms: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(compactForms).map(([long, short]) => [short, long]),
);

/** Name and value of a field; the name in lower case and in its long form. */
export function splitField(field: string): readonly [name: string, value: string] {
  const colon = field.indexOf(":");
  if (colon < 0) return ["", field];
  const name = field.slice(0, colon).trim().toLowerCase();
  return [longForms[name] ?? name, field.slice(colon + 1).trim()];
}

/** The other form of a name: compact for long, long for compact. */
export function otherForm(name: string): string {
  return compactForms[name] ?? longForms[name] ?? name;
}

/** The value of the first field of this name, or "". */
export function fieldOf({ fields }: Draft, wanted: string): string {
  const found = fields.find((field) => splitField(field)[0] === wanted);
  return found === undefined ? "" : splitField(found)[1];
}
