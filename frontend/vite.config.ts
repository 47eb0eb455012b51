import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.WEFT_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/api": { target: server, ws: true }, "/webhook": server } },
  build: { target: "es2023", sourcemap: false },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
