// Watches the folders of files, and reports once they are quiet.
import { type FSWatcher, readlinkSync, watch } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";

/** Watches folders. */
export interface FolderWatch {
  /** Watches the folders of these files from now on, in place of those before. */
  readonly follow: (files: readonly string[]) => void;
}

/** Quiet time that must follow the last event, since editors and copies write in several steps. Milliseconds. */
const settleTime = 250;

/** Longest delay when events never end, as those of a log in the same folder. Milliseconds. */
const mostDelay = 2000;

/**
 * Calls `changed` when no event has come for a while. Watches folders: a watch on a file ends when another file is
 * renamed over it. An event of a folder says little, so the caller compares contents.
 */
export function watchFolders(
  changed: () => void,
  failed: (folder: string, error: unknown) => void,
): FolderWatch {
  let watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let firstEvent: number | undefined;

  function settle(): void {
    const now = performance.now();
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

  return {
    follow(files) {
      // A change that has happened already is still reported.
      unwatch();
      for (const folder of new Set(files.flatMap(foldersOf))) {
        try {
          const watcher = watch(folder, settle);
          watcher.on("error", (error) => failed(folder, error));
          watchers.push(watcher);
        } catch (error) {
          failed(folder, error);
        }
      }
    },
  };
}

/** At most this many symbolic links are followed for one file, as Linux does (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * The folder of a file, and every folder with a symbolic link on the way to the file: a deployment replaces such a link
 * and touches neither the file nor its folder.
 */
function foldersOf(file: string): readonly string[] {
  const folders = [dirname(file)];
  let path = resolve(file);
  for (let links = 0; links < MOST_LINKS; links++) {
    const link = findLink(path);
    if (link === undefined) break;
    folders.push(dirname(link.path));
    path = join(resolve(dirname(link.path), link.target), path.slice(link.path.length));
  }
  return [...folders, dirname(path)];
}

/** The first symbolic link on the way from the root to a file. */
function findLink(file: string): { readonly path: string; readonly target: string } | undefined {
  for (let end = file.indexOf("/", 1); end !== 0; end = file.indexOf("/", end + 1)) {
    const path = end < 0 ? file : file.slice(0, end);
    try {
      return { path, target: readlinkSync(path) };
    } catch {
      // No symbolic link, or nothing there yet.
    }
    if (end < 0) break;
  }
  return undefined;
}
