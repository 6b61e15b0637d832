import "./change/policy-changes.ts";
import "./change/diff.ts";
import "./change/rehearsing.ts";
import "./change/sealed-attempts.ts";
import "./change/record-gaps.ts";
import "./change/rehearsing-captures.ts";
import "./change/auditing.ts";
