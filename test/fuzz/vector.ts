import { Buffer } from "node:buffer";
import type { Datagram } from "./conversation.ts";
import type { Session } from "./session.ts";

/**
 * A session as a literate vector: prose, then each datagram as text. Line ends are CRLF; every other byte that can't be
 * read is written as `\xNN`, and a backslash twice. {@link readVector} reads it back.
 */
export function writeVector(title: string, { datagrams, complaint }: Session): string {
  const parts = [`## ${title}`, "", complaint?.detail ?? "Nothing is wrong.", ""];
  for (const { after, from, bytes } of datagrams)
    parts.push(`From ${from}, ${after} ms later:`, "```sip", escape(bytes), "```");
  return `${parts.join("\n")}\n`;
}

function escape(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replaceAll("\\", "\\\\")
    .replaceAll(
      /[^\n\r -~]|\r(?!\n)|(?<!\r)\n|`/g,
      (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
    )
    .replaceAll("\r\n", "\n");
}

/** The datagrams of a vector. */
export function readVector(text: string): readonly Datagram[] {
  return [...text.matchAll(/^From (\S+), (\d+) ms later:\n```sip\n(.*?)\n```$/gms)].map(
    ([, from = "", after = "0", message = ""]) => ({
      from,
      after: Number(after),
      bytes: Buffer.from(
        message
          .replaceAll("\n", "\r\n")
          .replaceAll(/\\(\\|x[0-9a-f]{2})/g, (_, code: string) =>
            code === "\\" ? code : String.fromCharCode(Number.parseInt(code.slice(1), 16)),
          ),
        "latin1",
      ),
    }),
  );
}
