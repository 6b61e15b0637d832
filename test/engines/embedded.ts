import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import { runScenarios } from "./scenarios.ts";

runScenarios("embedded engine", createEmbeddedEngine, "127.0.0.1");
runScenarios("embedded engine", createEmbeddedEngine, "::1");
