import "./records/evidence-log.ts";
