import "./observe/log.ts";
import "./observe/metrics.ts";
import "./observe/redaction.ts";
import "./observe/refusals.ts";
import "./observe/strangers.ts";
