import "./change/policy-changes.ts";
import "./change/diff.ts";
