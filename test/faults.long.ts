import "./faults/clock-jumps.ts";
import "./faults/foreign-folders.ts";
import "./faults/full-evidence-disk.ts";
