import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{libs,services,deploy,test}/**/*.spec.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
  },
});
