// The page becomes a few static files under dist/web. Relative addresses, so that it also works behind a path prefix.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  build: { outDir: "../dist/web", emptyOutDir: true, target: "es2022", sourcemap: false },
});
