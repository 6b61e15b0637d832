// Reads the figures of a running filter out of the text of a scrape (Prometheus exposition format 0.0.4).

/** One series of a scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the samples; lines that are none are passed over. */
export function readSamples(text: string): readonly Sample[] {
  return text.split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#")) return [];
    const open = line.indexOf("{");
    const space = line.lastIndexOf(" ");
    if (space < 0) return [];
    const value = Number(line.slice(space + 1));
    if (Number.isNaN(value)) return [];
    if (open < 0) return [{ name: line.slice(0, space), labels: {}, value }];
    return [{ name: line.slice(0, open), labels: readLabels(line.slice(open + 1, space - 1)), value }];
  });
}

/** `a="x",b="y"`; a value escapes backslash, quote and line feed by a backslash. */
function readLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (let at = 0; at < text.length;) {
    const equals = text.indexOf("=", at);
    if (equals < 0) break;
    let value = "";
    let next = equals + 2;
    for (; next < text.length && text[next] !== '"'; next++) {
      if (text[next] === "\\") next++;
      value += text[next] ?? "";
    }
    labels[text.slice(at, equals)] = value;
    at = next + 2;
  }
  return labels;
}
