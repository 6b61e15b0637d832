import "./cluster/slow-and-hung.ts";
import "./cluster/failover.ts";
import "./cluster/one-name.ts";
