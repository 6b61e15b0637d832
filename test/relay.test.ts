import "./relay/calls.ts";
import "./relay/torture.ts";
import "./relay/fuzz.ts";
