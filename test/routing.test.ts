import "./routing/next-hops.ts";
import "./routing/own-places.ts";
import "./routing/sides.ts";
import "./routing/retry-after.ts";
import "./routing/answers.ts";
