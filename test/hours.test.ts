import "./hours/rest-hours.ts";
import "./hours/areas.ts";
