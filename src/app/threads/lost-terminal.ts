// Lets the process end without an abort after its terminal has gone away.
import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";

const STANDARD = [0, 1, 2] as const;

/**
 * At its end Node sets the terminals of its start back, and aborts where that fails. A terminal that is gone by then is
 * replaced with the null device.
 */
export function survivesLostTerminal(): void {
  const terminals = STANDARD.filter((fd) => isatty(fd));
  process.once("exit", () => {
    for (const fd of terminals) {
      if (isatty(fd)) continue;
      closeSync(fd);
      // The lowest free number is the one that was closed.
      openSync("/dev/null", "r+");
    }
  });
}
