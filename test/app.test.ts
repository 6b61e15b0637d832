import "./app/key-file.ts";
import "./app/reloader.ts";
import "./app/policy-thread.ts";
import "./app/log-reports.ts";
import "./app/call-thread-turns.ts";
import "./app/figures.ts";
import "./app/log-handover.ts";
import "./app/admin-thread.ts";
