import "./cluster/two-nodes.ts";
import "./cluster/lost-by-redis.ts";
import "./cluster/strange-entries.ts";
import "./cluster/access.ts";
import "./cluster/clocks.ts";
