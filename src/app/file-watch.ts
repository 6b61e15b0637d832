// Watches files by their folders, and reports a change once the folders are quiet.
import { type FSWatcher, realpathSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Sees that something happened to files, however an editor or a deployment replaces them. */
export interface FileWatch {
  /** Watches these files from now on, in place of those before. */
  readonly follow: (files: readonly string[]) => void;
  readonly close: () => void;
}

/** Quiet that must follow the last event: editors and copies write in several steps. Milliseconds. */
const settleTime = 250;

/** Events that never end, as of a log in the same folder, delay no longer than this. Milliseconds. */
const mostDelay = 2000;

/**
 * Calls `changed` once things are quiet again. Watches folders, since a watched file goes deaf when another is renamed
 * over it; so events are many and say little, and the caller compares contents.
 */
export function watchFiles(
  files: readonly string[],
  changed: () => void,
  failed: (folder: string, error: unknown) => void,
): FileWatch {
  let watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let firstEvent: number | undefined;
  let isClosed = false;

  function settle(): void {
    const now = Date.now();
    firstEvent ??= now;
    clearTimeout(timer);
    timer = setTimeout(tell, Math.min(settleTime, Math.max(firstEvent + mostDelay - now, 0)));
  }

  function tell(): void {
    firstEvent = undefined;
    changed();
  }

  function unwatch(): void {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  }

  function follow(next: readonly string[]): void {
    // What has happened already is still told.
    unwatch();
    if (isClosed) return;
    for (const folder of new Set(next.flatMap(foldersOf))) {
      try {
        const watcher = watch(folder, settle);
        watcher.on("error", (error) => failed(folder, error));
        watchers.push(watcher);
      } catch (error) {
        failed(folder, error);
      }
    }
  }

  follow(files);
  return {
    follow,
    close() {
      isClosed = true;
      clearTimeout(timer);
      unwatch();
    },
  };
}

/** The folder of a file, and the folder that a symbolic link to it leads to. */
function foldersOf(file: string): readonly string[] {
  try {
    return [dirname(file), dirname(realpathSync(file))];
  } catch {
    return [dirname(file)];
  }
}
