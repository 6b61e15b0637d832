import "./judging/callers-in-fields.ts";
import "./judging/diverted-calls.ts";
import "./judging/overload.ts";
import "./judging/sip-i-attempt.ts";
import "./judging/told-share.ts";
import "./judging/held-refusals.ts";
import "./judging/unrecordable.ts";
