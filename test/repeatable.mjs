// What makes a run repeatable, whatever the day and the machine.
import fc from "fast-check";
import { vi } from "vitest";

// Properties draw the same values in each run: a change is judged by itself, not by luck. Chance has its own commands
// (`npm run fuzz`, `npm run simulate`); BATON_SEED=N draws others here.
fc.configureGlobal({ seed: Number(process.env.BATON_SEED ?? 1) });

// vi.waitFor gives up after one second unless it is told otherwise; a busy machine may stand still for as long.
const { waitFor } = vi;
vi.waitFor = (condition, options) => waitFor(condition, options ?? { timeout: 20_000, interval: 20 });
