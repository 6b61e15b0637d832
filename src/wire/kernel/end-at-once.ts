// Ends the process at once, without waiting for threads that can't be stopped.

/** A variable in the import, so that the compiler does not need the optional package. */
const KOFFI: string = "koffi";

/** The part of koffi that is used. */
interface Koffi {
  load(path: null): { func(declaration: string): (code: number) => void };
}

/** Ends the process with an exit code. Nothing runs afterwards, no exit handler either. */
export type EndAtOnce = (code: number) => void;

/**
 * Binds `_exit(2)`. `process.exit` waits for every thread, and a thread that hangs in a system call never ends.
 *
 * @returns undefined when koffi is not installed or not built for this machine
 */
export async function loadEndAtOnce(): Promise<EndAtOnce | undefined> {
  try {
    const loaded: { readonly default: Koffi } = await import(KOFFI);
    return loaded.default.load(null).func("void _exit(int)");
  } catch {
    return undefined;
  }
}

/** Ends the process at once: with `code`, or by SIGKILL where {@link loadEndAtOnce} finds no way. */
export async function endAtOnce(code: number): Promise<void> {
  const end = await loadEndAtOnce();
  end?.(code);
  process.kill(process.pid, "SIGKILL");
}
