import "./verify/cases.ts";
import "./verify/captures.ts";
import "./verify/commands.ts";
import "./verify/summaries.ts";
import "./verify/replay-lines.ts";
