import "./faults/flood.ts";
import "./faults/standstill.ts";
import "./faults/retention-clock.ts";
import "./faults/engines.ts";
import "./faults/unwritable-records.ts";
