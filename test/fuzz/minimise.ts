import { Buffer } from "node:buffer";
import type { Datagram } from "./conversation.ts";
import { replaySession, type Session } from "./session.ts";

/** Sessions that are played at most on the way to the smallest. */
const MOST_TRIALS = 4_000;

/** The smallest session found that still shows a complaint of the same kind: fewer datagrams, then fewer bytes in each. */
export function minimise(session: Session): Session {
  const kind = session.complaint?.kind;
  let best = session;
  let trials = 0;
  const accept = (datagrams: readonly Datagram[]): boolean => {
    if (++trials > MOST_TRIALS) return false;
    const trial = replaySession(datagrams, session.memory);
    if (trial.complaint === undefined || trial.complaint.kind !== kind) return false;
    best = trial;
    return true;
  };
  removeParts(
    () => best.datagrams,
    (kept) => accept(kept),
  );
  for (let index = best.datagrams.length - 1; index >= 0; index--) {
    for (const unit of [splitLines, splitBytes]) {
      removeParts(
        () => unit(best.datagrams[index]?.bytes ?? Buffer.alloc(0)),
        (kept) =>
          accept(
            best.datagrams.map((datagram, at) =>
              at === index ? { ...datagram, bytes: Buffer.concat(kept) } : datagram,
            ),
          ),
      );
    }
  }
  return best;
}

/** Delta debugging (Zeller 1999) by halves: takes out pieces as long as `accept` still sees the fault. */
function removeParts<Part>(parts: () => readonly Part[], accept: (kept: readonly Part[]) => boolean): void {
  for (let size = Math.ceil(parts().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < parts().length;) {
      const all = parts();
      if (!accept([...all.slice(0, at), ...all.slice(at + size)])) at += size;
    }
  }
}

function splitLines(bytes: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf("\r\n", at);
    const next = end < 0 ? bytes.length : end + 2;
    lines.push(bytes.subarray(at, next));
    at = next;
  }
  return lines;
}

/** Single bytes of what is short; chunks of what isn't, since each costs a session. */
function splitBytes(bytes: Buffer): readonly Buffer[] {
  const size = Math.ceil(bytes.length / 400);
  return Array.from({ length: Math.ceil(bytes.length / (size || 1)) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
