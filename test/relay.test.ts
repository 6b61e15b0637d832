import "./relay/calls.ts";
import "./relay/dialogs.ts";
import "./relay/torture.ts";
import "./relay/fuzz.ts";
