import "./routing/next-hops.ts";
import "./routing/retry-after.ts";
import "./routing/answers.ts";
