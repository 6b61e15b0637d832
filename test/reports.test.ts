import "./reports/goldens.ts";
import "./reports/months.ts";
import "./reports/nodes.ts";
