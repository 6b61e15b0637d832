import "./cli/key-file.ts";
import "./cli/reloader.ts";
import "./cli/reports.ts";
import "./cli/usage.ts";
import "./cli/running.ts";
import "./cli/reloading.ts";
import "./cli/sample-call.ts";
import "./cli/certificates.ts";
