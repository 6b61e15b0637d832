import "./records/evidence-kills.ts";
