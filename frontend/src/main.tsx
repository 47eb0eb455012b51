import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { api } from "./api/api";
import { ApiError } from "./api/client";
import { load } from "./i18n";
import { App } from "./shell/App";
import { restoreTheme } from "./theme/theme";
import "./theme/tokens.css";
import "./theme/base.css";
import "./theme/pages.css";
import "./theme/forms.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status >= 500), staleTime: 5_000 },
  },
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
restoreTheme();
// who is signed in is asked for while the texts come
queries.query({ queryKey: ["me"], queryFn: api.me, retry: false, staleTime: Infinity }).catch(() => null);
await load();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
