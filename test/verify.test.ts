import "./verify/cases.ts";
import "./verify/captures.ts";
import "./verify/commands.ts";
import "./verify/replay-lines.ts";
