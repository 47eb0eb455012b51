import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.WEFT_SERVER ?? "http://127.0.0.1:8080";

/** Writes each script and style compressed beside itself, for the gateway to send. */
const zipped: Plugin = {
  name: "zipped",
  apply: "build",
  writeBundle({ dir = "" }, files) {
    for (const name of Object.keys(files).filter((each) => /\.(js|css)$/.test(each))) {
      const path = join(dir, name);
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
    }
  },
};

export default defineConfig({
  plugins: [react(), zipped],
  server: { proxy: { "/api": { target: server, ws: true }, "/webhook": server } },
  // those that know light-dark(): what it is put into for older ones follows the system, not the theme that was chosen
  build: { target: "es2023", cssTarget: ["chrome123", "firefox120", "safari17.5"], sourcemap: false },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
