// Several nodes: what they tell each other of calls, and limits over all of them.
import "./cluster/batches.ts";
import "./cluster/moving-calls.ts";
import "./cluster/shared-limits.ts";
