import "./records/tree-vectors.ts";
import "./records/evidence-log.ts";
import "./records/evidence-packets.ts";
