// The error of an evidence folder that can't be used, in words for operators.

/** The folder of the evidence is damaged, or belongs to another log. The message says what to do. */
export class EvidenceFault extends Error {
  override readonly name = "EvidenceFault";
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
