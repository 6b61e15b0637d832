import "./sipp/calls.ts";
import "./sipp/release.ts";
