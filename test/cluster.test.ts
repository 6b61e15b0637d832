import "./cluster/two-nodes.ts";
