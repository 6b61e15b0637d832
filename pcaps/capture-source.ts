import type { CircuitOptions } from "./isup-text.ts";

/** One message of a capture source, and how it travelled. */
export interface SourceMessage {
  readonly line: number;
  readonly from: string;
  readonly to: string;
  /** Milliseconds since the message before. */
  readonly after: number;
  readonly transport: "udp" | "tcp" | "isup";
  /** Of ISUP: point codes and circuit. */
  readonly circuit: CircuitOptions;
  /** The same message again, byte for byte; `text` is empty then. */
  readonly again: boolean;
  /** How often the message is made, each with a branch and Call-ID of its own, `every` milliseconds apart. */
  readonly times: number;
  readonly every: number;
  /** Nothing is added to the text. */
  readonly verbatim: boolean;
  /** Lines end with LF alone. */
  readonly lineFeeds: boolean;
  /** Only quoted in an ICMP error that the receiver sends back. */
  readonly quoted: boolean;
  /** Offsets at which the message is cut: IP fragments over UDP, segments over TCP, DATA chunks over SCTP. */
  readonly cuts: readonly number[];
  /** In which order the pieces were captured, from 1; a piece that is not named was not captured. */
  readonly order: readonly number[];
  readonly vlans: readonly number[];
  readonly text: string;
}

/** A capture in words: what it shows, how the file is written, and the messages. */
export interface CaptureSource {
  readonly title: string;
  readonly prose: readonly string[];
  readonly format: { readonly pcapng: boolean; readonly bigEndian: boolean; readonly nanoseconds: boolean };
  readonly messages: readonly SourceMessage[];
}

function readNumbers(value: string): readonly number[] {
  return value.split(",").map(Number);
}

function readMilliseconds(value: string): number {
  return Number(value.replace(/ms$/, ""));
}

/** Reads `=== lease > filter tcp cut=100,200`; throws with the line number, because sources are our own. */
function readDirective(directive: string, line: number): SourceMessage {
  const [from = "", arrow, to = "", ...options] = directive.slice(3).trim().split(/\s+/);
  if (arrow !== ">" || to === "") throw new Error(`line ${line}: "=== from > to" expected`);
  const message = {
    line,
    from,
    to,
    after: 100,
    transport: "udp" as "udp" | "tcp" | "isup",
    circuit: { opc: 1, dpc: 2, cic: 1 },
    again: false,
    times: 1,
    every: 100,
    verbatim: false,
    lineFeeds: false,
    quoted: false,
    cuts: [] as readonly number[],
    order: [] as readonly number[],
    vlans: [] as readonly number[],
    text: "",
  };
  for (const option of options) {
    const [name = "", value = ""] = option.split("=");
    if (name.startsWith("+")) message.after = readMilliseconds(name.slice(1));
    else if (name === "tcp") message.transport = "tcp";
    else if (name === "isup") message.transport = "isup";
    else if (name === "opc" || name === "dpc" || name === "cic") message.circuit[name] = Number(value);
    else if (name === "again") message.again = true;
    else if (name === "times") message.times = Number(value);
    else if (name === "every") message.every = readMilliseconds(value);
    else if (name === "verbatim") message.verbatim = true;
    else if (name === "lf") message.lineFeeds = true;
    else if (name === "quoted") message.quoted = true;
    else if (name === "cut") message.cuts = readNumbers(value);
    else if (name === "order") message.order = readNumbers(value);
    else if (name === "vlan") message.vlans = readNumbers(value);
    else throw new Error(`line ${line}: unknown option "${option}"`);
  }
  return message;
}

function readFormat(words: readonly string[]): CaptureSource["format"] {
  return {
    pcapng: words.includes("pcapng"),
    bigEndian: words.includes("big-endian"),
    nanoseconds: words.includes("nanoseconds"),
  };
}

/**
 * Reads a capture source: lines that begin with "#" are its title and prose, "!" names the file format, "===" begins a
 * message, whose lines follow; empty lines at its end do not count.
 */
export function readCaptureSource(source: string): CaptureSource {
  const prose: string[] = [];
  let format = readFormat([]);
  const messages: SourceMessage[] = [];
  let lines: string[] = [];
  const finish = (): void => {
    const last = messages.at(-1);
    if (last === undefined) return;
    while (lines.at(-1) === "") lines.pop();
    messages[messages.length - 1] = { ...last, text: lines.join("\n") };
    lines = [];
  };
  for (const [i, line] of source.split("\n").entries()) {
    if (line.startsWith("===")) {
      finish();
      messages.push(readDirective(line, i + 1));
    } else if (messages.length > 0) {
      lines.push(line);
    } else if (line.startsWith("#")) {
      prose.push(line.slice(1).trim());
    } else if (line.startsWith("!")) {
      format = readFormat(line.slice(1).trim().split(/\s+/));
    } else if (line !== "") {
      throw new Error(`line ${i + 1}: text before the first message`);
    }
  }
  finish();
  const [title = "", ...rest] = prose;
  return { title, prose: rest, format, messages };
}
