import "./cluster/slow-and-hung.ts";
import "./cluster/failover.ts";
import "./cluster/one-name.ts";
import "./cluster/filters.ts";
import "./cluster/orders/filters.ts";
import "./cluster/hostile-server.ts";
import "./cluster/thread-restart.ts";
import "./cluster/many-entries.ts";
