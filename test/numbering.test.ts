import "./numbering/plan-tables.ts";
import "./numbering/normalisation-cases.ts";
import "./numbering/near-misses.ts";
import "./numbering/called-number.ts";
import "./numbering/list-number.ts";
import "./numbering/number-properties.ts";
import "./numbering/number-set.ts";
import "./numbering/overlap.ts";
