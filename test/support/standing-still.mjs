// Loaded into the filter by `node --import`: SIGUSR2 makes the call thread stand still for 3 s.
import { isMainThread } from "node:worker_threads";

if (isMainThread)
  process.on("SIGUSR2", () => {
    process.stderr.write("standing still\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
  });
