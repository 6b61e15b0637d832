import "./day/day.ts";
