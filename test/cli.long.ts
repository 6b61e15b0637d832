import "./cli/stopped-process.ts";
