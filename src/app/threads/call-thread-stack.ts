// Reads from another thread where the call thread stands.
import { readFileSync } from "node:fs";
import type { Session } from "node:inspector";
import type { Millis } from "../../domain/time.ts";

/** At most this many frames of the stack are told. */
const MOST_FRAMES = 30;

/** How long a thread that runs JavaScript may take to stop for the debugger. Milliseconds. */
const MOST_WAIT: Millis = 500;

/** The call thread, stopped where it stood. */
export interface StoppedThread {
  /** One line a frame, the innermost first. */
  readonly stack: string;
  /** Ends the process by `process.reallyExit` in the call thread; without effect where the thread could not be stopped. */
  readonly exit: (code: number) => void;
  /** Lets the thread go on. */
  readonly release: () => void;
}

/** Stops the call thread and reads its stack. A thread that hangs in a system call can't be stopped, only described. */
export async function stopCallThread(): Promise<StoppedThread> {
  try {
    const { Session } = await import("node:inspector");
    const session = new Session();
    session.connectToMainThread();
    const stack = await pause(session);
    return {
      stack: stack ?? describeWait(),
      exit(code) {
        if (stack !== undefined)
          session.post("Runtime.evaluate", { expression: `process.reallyExit(${code})` });
      },
      release: () => session.disconnect(),
    };
  } catch {
    // A Node.js without inspector.
    return { stack: describeWait(), exit: () => undefined, release: () => undefined };
  }
}

/** Resolves with undefined when the thread does not stop. */
function pause(session: Session): Promise<string | undefined> {
  return new Promise((resolve) => {
    const urls = new Map<string, string>();
    session.on("Debugger.scriptParsed", ({ params: { scriptId, url } }) => urls.set(scriptId, url));
    session.once("Debugger.paused", ({ params: { callFrames } }) => {
      const frames = callFrames.slice(0, MOST_FRAMES).map(({ functionName, location }) => {
        const { scriptId, lineNumber, columnNumber = 0 } = location;
        const place = `${urls.get(scriptId) ?? "unknown"}:${lineNumber + 1}:${columnNumber + 1}`;
        return functionName === "" ? `at ${place}` : `at ${functionName} (${place})`;
      });
      resolve(frames.join("\n"));
    });
    session.post("Debugger.enable");
    session.post("Debugger.pause");
    setTimeout(resolve, MOST_WAIT, undefined);
  });
}

/** `in a system call (pipe_read)`: what the kernel says of the thread. */
function describeWait(): string {
  try {
    const place = readFileSync(`/proc/self/task/${process.pid}/wchan`, "latin1").trim();
    return place === "" || place === "0" ? "in a system call" : `in a system call (${place})`;
  } catch {
    return "in a system call";
  }
}
