// Whether Wireshark's reader is installed: some tests compare with it.
import { execFileSync } from "node:child_process";

export function hasTshark(): boolean {
  try {
    execFileSync("tshark", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
