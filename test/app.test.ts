import "./app/key-file.ts";
import "./app/reloader.ts";
import "./app/policy-thread.ts";
import "./app/log-reports.ts";
