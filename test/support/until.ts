import { setTimeout as pause } from "node:timers/promises";

/** How long a test waits for what must come, however busy the machine is. Only a failure takes so long. Milliseconds. */
export const PATIENCE = 120_000;

/** Resolves with true once `isTrue`; with false when it is not after {@link PATIENCE}. */
export async function comesTrue(isTrue: () => boolean): Promise<boolean> {
  for (const end = Date.now() + PATIENCE; !isTrue();) {
    if (Date.now() > end) return false;
    await pause(2);
  }
  return true;
}

/** Resolves once `isTrue`; rejects with the text of the condition when it is not after {@link PATIENCE}. */
export async function until(isTrue: () => boolean): Promise<void> {
  if (!(await comesTrue(isTrue))) throw new Error(`not true after ${PATIENCE / 1000} s: ${String(isTrue)}`);
}

/** Settles as `promise` does; rejects with what `missing` says when it has not after {@link PATIENCE}. */
export async function inTime<T>(promise: Promise<T>, missing: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${PATIENCE / 1000} s: ${missing()}`)), PATIENCE);
    // A wait that nobody awaits keeps no process alive.
    timer.unref();
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}
