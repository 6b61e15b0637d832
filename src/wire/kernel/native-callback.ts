/**
 * Node runs `process.nextTick` and promises when a callback of its own ends, which ours is not. `_tickCallback` does that at once
 * (it is deprecated in the documentation only, DEP0134); without it a turn of the loop does the same for more.
 */
const tickCallback: unknown = Reflect.get(process, "_tickCallback");

/** To be called at the end of every callback that does not come from Node itself. */
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

/** An exception can't leave the native callback it would come to: it is thrown where Node sees it, as an uncaught one. */
export function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
