import { fireEvent, render, screen } from "@testing-library/react";
import { ReactFlowProvider } from "@xyflow/react";
import { expect, it, vi } from "vitest";
import { useHandle } from "./handle";

function Handle({ pull, lost }: { pull: () => void; lost: () => void }) {
  return <button {...useHandle(pull, undefined, lost)}>handle</button>;
}

it("tells that it was taken away while it pulled, and not when it was let go before", () => {
  Element.prototype.setPointerCapture = vi.fn();
  for (const dropped of [false, true]) {
    const [pull, lost] = [vi.fn(), vi.fn()];
    const { unmount } = render(<ReactFlowProvider><Handle pull={pull} lost={lost} /></ReactFlowProvider>);
    const handle = screen.getByText("handle");
    fireEvent.pointerDown(handle, { button: 0, clientX: 0, clientY: 0 });
    fireEvent.pointerMove(handle, { clientX: 40, clientY: 0 });
    expect(pull).toHaveBeenCalled();
    if (dropped) fireEvent.pointerUp(handle, { clientX: 40, clientY: 0 });
    unmount();
    expect(lost).toHaveBeenCalledTimes(dropped ? 0 : 1);
  }
});
