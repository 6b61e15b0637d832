import "./docs/commands.ts";
import "./docs/containers.ts";
import "./docs/written.ts";
import "./docs/drachtio.ts";
import "./docs/cluster-deployment.ts";
import "./docs/bench-report.ts";
import "./docs/bench-results.ts";
