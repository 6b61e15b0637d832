import "./records/tree-vectors.ts";
import "./records/evidence-log.ts";
import "./records/evidence-packets.ts";
import "./records/evidence-commands.ts";
import "./records/evidence-budget.ts";
import "./records/evidence-full-disk.ts";
import "./records/time-stamps.ts";
