import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname } from "node:path";

/** An archive as the kernel unpacks it at its start: cpio, format "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). */
export interface Archive {
  directory(path: string): void;
  file(path: string, content: Buffer, executable?: boolean): void;
  device(path: string, major: number, minor: number): void;
  /** A file of this machine, at the same path unless another is given; symbolic links are followed. */
  copy(source: string, path?: string): void;
  /** A folder with everything in it for which `wanted` is true. */
  copyTree(source: string, path: string, wanted?: (name: string) => boolean): void;
  /** A program of this machine with the libraries that it loads. */
  program(source: string): void;
  end(): Buffer;
}

export function createArchive(): Archive {
  const pieces: Buffer[] = [];
  const known = new Set<string>();
  let inode = 1;

  function entry(path: string, mode: number, content: Buffer, major = 0, minor = 0): void {
    const name = `${path}\0`;
    const fields = [inode++, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}`;
    pieces.push(Buffer.from(head), pad(head.length), content, pad(content.length));
  }

  function directory(path: string): void {
    if (path === "" || path === "." || path === "/" || known.has(path)) return;
    known.add(path);
    directory(dirname(path));
    entry(path, 0o40755, Buffer.alloc(0));
  }

  function file(path: string, content: Buffer, executable = false): void {
    if (known.has(path)) return;
    known.add(path);
    directory(dirname(path));
    entry(path, executable ? 0o100755 : 0o100644, content);
  }

  function copy(source: string, path = source): void {
    file(path.replace(/^\//, ""), readFileSync(realpathSync(source)), true);
  }

  return {
    directory,
    file,
    device(path, major, minor) {
      directory(dirname(path));
      entry(path, 0o20600, Buffer.alloc(0), major, minor);
    },
    copy,
    copyTree(source, path, wanted = () => true) {
      for (const name of readdirSync(source)) {
        if (!wanted(`${source}/${name}`)) continue;
        if (lstatSync(`${source}/${name}`).isDirectory())
          this.copyTree(`${source}/${name}`, `${path}/${name}`, wanted);
        else file(`${path}/${name}`, readFileSync(`${source}/${name}`));
      }
    },
    program(source) {
      copy(source);
      const { stdout } = spawnSync("ldd", [source], { encoding: "utf8" });
      for (const [library] of stdout.matchAll(/\/[^\s()]+/g)) if (existsSync(library)) copy(library);
    },
    end() {
      entry("TRAILER!!!", 0, Buffer.alloc(0));
      return Buffer.concat(pieces);
    },
  };
}

function pad(length: number): Buffer {
  return Buffer.alloc((4 - (length & 3)) & 3);
}
