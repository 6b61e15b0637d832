import "./cli/stopped-process.ts";
import "./cli/clock-steps.ts";
import "./cli/list-snapshots.ts";
import "./cli/custody.ts";
