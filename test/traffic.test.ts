import "./traffic/day.ts";
import "./traffic/full-size.ts";
import "./traffic/own-folder.ts";
