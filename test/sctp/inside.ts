/** Runs as the only process of a machine whose kernel has SCTP. Prints one line for every check, and a last one with their count. */
import { leaveMachine, prepareMachine } from "./first-process.ts";

let failed = 0;
let passed = 0;

/** One check, as a line of the console. */
export function check(isTrue: boolean, what: string): void {
  if (isTrue) passed++;
  else failed++;
  console.log(`check ${isTrue ? "ok" : "not ok"} ${what} (${process.uptime().toFixed(1)} s)`);
}

try {
  prepareMachine();
  const { runLoadshare, runScenarios } = await import("./scenarios.ts");
  await (process.argv[2] === "loadshare" ? runLoadshare : runScenarios)(check);
} catch (error) {
  failed++;
  console.log(
    `check not ok ${error instanceof Error ? error.stack?.replaceAll("\n", " | ") : String(error)}`,
  );
}
console.log(`checks ${passed} ${failed}`);
setTimeout(leaveMachine, 200);
