// Sets the priority of a thread: that of the call thread, or below it.
import { getPriority, setPriority } from "node:os";

/** Nice value of the calling thread: the call thread goes first where both want the same core. */
const NICE = 10;

/** Nice value that this thread was started with: that of the call thread. */
const AS_CALLS = getPriority();

/**
 * Lowers the priority of the calling thread, by setpriority(2). On Linux the nice value belongs to the thread;
 * elsewhere to the process, so that nothing is done there.
 */
export function yieldToCalls(): void {
  setNice(NICE);
}

/**
 * Gives the calling thread the priority of the call thread again.
 *
 * @returns false when the system does not allow it: a process without privileges needs RLIMIT_NICE (getrlimit(2))
 */
export function keepUpWithCalls(): boolean {
  return setNice(AS_CALLS);
}

function setNice(nice: number): boolean {
  if (process.platform !== "linux") return true;
  try {
    setPriority(nice);
    return true;
  } catch {
    // Not allowed here: the thread keeps its priority.
    return false;
  }
}
