// Properties draw the same values in each run: a change is judged by itself, not by the luck of the day. Chance has its own
// commands (`npm run fuzz`, `npm run simulate`); BATON_SEED=N draws others here.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.BATON_SEED ?? 1) });
