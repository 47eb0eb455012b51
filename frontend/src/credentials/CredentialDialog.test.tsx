import "@testing-library/jest-dom/vitest";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { api } from "../api/api";
import { ApiError } from "../api/client";
import type { CredentialType, OpenCredential } from "../api/types";
import english from "../i18n/en.json";
import { CredentialDialog } from "./CredentialDialog";

beforeAll(() => i18next.init({ lng: "en", resources: { en: { translation: english } }, keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false } }));
beforeAll(() => {
  // jsdom has no dialogs
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) { this.open = true; };
  HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) { this.open = false; };
});
afterEach(cleanup);

it("asks for secrets again where the credential would go to another place", async () => {
  const kind = {
    type: "exampleApi",
    display_name: "Example",
    description: "",
    fields: [
      { name: "server", type: "string", display_name: "Server" },
      { name: "token", type: "string", display_name: "Token", secret: true },
    ],
  } as unknown as CredentialType;
  const stored = { id: "c1", name: "Mine", type: "exampleApi", data: { server: "https://a.test" }, secret_fields: ["token"] } as unknown as OpenCredential;
  vi.spyOn(api, "credentialTypes").mockResolvedValue([kind]);
  vi.spyOn(api, "credential").mockResolvedValue(stored);
  const details = { path: "data", reason: "SECRETS_REQUIRED", changed: ["server"], secret_fields: ["token"] };
  const update = vi.spyOn(api, "updateCredential").mockRejectedValueOnce(new ApiError(400, "VALIDATION_ERROR", "Give token again", details)).mockResolvedValueOnce(stored);
  const closed = vi.fn();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <CredentialDialog credential={stored} onClose={closed} />
    </QueryClientProvider>,
  );
  const user = userEvent.setup();
  const server = await screen.findByLabelText("Server");
  await user.clear(server);
  await user.type(server, "https://b.test");
  expect(screen.getByLabelText("Token")).toHaveAttribute("readonly");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Enter again: Token.");
  expect(screen.getByLabelText("Token")).not.toHaveAttribute("readonly");
  expect(closed).not.toHaveBeenCalled();
  await user.type(screen.getByLabelText("Token"), "t");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await vi.waitFor(() => expect(closed).toHaveBeenCalled());
  expect(update).toHaveBeenLastCalledWith("c1", { name: "Mine", data: { server: "https://b.test", token: "t" } });
}, 30_000);
