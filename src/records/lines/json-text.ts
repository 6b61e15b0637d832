// Writes a text as a string of JSON, much faster than JSON.stringify for the texts that need no escape.

/** By octet: 1 for ASCII that stands in a string of JSON as it is (RFC 8259 section 7). */
export const isPlain: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x20 && octet < 0x80 && octet !== 0x22 && octet !== 0x5c ? 1 : 0,
);

/** Writes what JSON.stringify writes. */
export function quoteText(text: string): string {
  for (let i = 0; i < text.length; i++) if (isPlain[text.charCodeAt(i)] !== 1) return JSON.stringify(text);
  return `"${text}"`;
}
