import "./sipp/calls.ts";
