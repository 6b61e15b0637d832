import "./cluster/sealing.ts";
import "./cluster/order.ts";
import "./cluster/who-is-there.ts";
import "./cluster/two-nodes.ts";
import "./cluster/lost-by-redis.ts";
import "./cluster/strange-entries.ts";
import "./cluster/access.ts";
import "./cluster/clocks.ts";
