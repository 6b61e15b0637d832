import "./records/evidence-kills.ts";
import "./records/kill-rounds.ts";
