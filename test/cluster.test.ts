// Several nodes: what they tell each other of calls, limits over all of them, and the way through Redis.
import "./cluster/batches.ts";
import "./cluster/moving-calls.ts";
import "./cluster/orders/findings.ts";
import "./cluster/shared-limits.ts";
import "./cluster/orders/convergence.ts";
import "./cluster/orders/lines.ts";
import "./cluster/orders/quarantine.ts";
import "./cluster/sealing.ts";
import "./cluster/order.ts";
import "./cluster/who-is-there.ts";
import "./cluster/two-nodes.ts";
import "./cluster/lost-by-redis.ts";
import "./cluster/strange-entries.ts";
import "./cluster/access.ts";
import "./cluster/clocks.ts";
import "./cluster/soak-limits.ts";
