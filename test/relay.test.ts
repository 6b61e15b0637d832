import "./relay/calls.ts";
import "./relay/dialogs.ts";
import "./relay/torture.ts";
import "./relay/next-hops.ts";
import "./relay/failover.ts";
import "./relay/fuzz.ts";
