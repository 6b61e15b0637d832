// What callbacks from native code must do for Node: run its ticks, and throw errors later.

/**
 * Node runs `process.nextTick` and promises after its own callbacks, not after native ones.
 * `_tickCallback` runs them at once; it is deprecated in the documentation only (DEP0134). Without
 * it an empty turn of the event loop does the same at a higher cost.
 */
const tickCallback: unknown = Reflect.get(process, "_tickCallback");

/**
 * Runs pending ticks. Must be called at the end of every callback that does not come from Node
 * itself.
 */
export function runTicks(): void {
  if (typeof tickCallback !== "function") {
    setImmediate(() => undefined);
    return;
  }
  try {
    Reflect.apply(tickCallback, process, []);
  } catch (error) {
    throwLater(error);
  }
}

/**
 * Throws an error in a later turn, as an uncaught exception. An exception must not leave a native
 * callback.
 */
export function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
