// Lowers the priority of a thread below that of the call thread.
import { setPriority } from "node:os";

/** Nice value of the calling thread: the call thread goes first where both want the same core. */
const NICE = 10;

/**
 * Lowers the priority of the calling thread, by setpriority(2). On Linux the nice value belongs to the thread;
 * elsewhere to the process, so that nothing is done there.
 */
export function yieldToCalls(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(NICE);
  } catch {
    // Not allowed here: the thread keeps its priority.
  }
}
