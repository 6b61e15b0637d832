// Writes text where HTML is read: nothing that came from outside becomes markup.

/** Escapes what has a meaning in HTML, in content and in attributes. */
export function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
