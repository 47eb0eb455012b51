import { expect, it } from "vitest";
import { along, Faces, routed } from "./routing";

const face = (x: number, y: number) => ({ x, y, width: 200, height: 64 });

it("looks at each node a few times only, where no lane is free", () => {
  const boxes = Array.from({ length: 1000 }, (_, index) => face((index % 40) * 240, Math.floor(index / 40) * 68));
  const [from, to] = [boxes[480] ?? face(0, 0), boxes[519] ?? face(0, 0)];
  const begun = performance.now();
  routed({ sourceX: from.x + 206, sourceY: from.y + 32, targetX: to.x - 4, targetY: to.y + 32 }, from, to, new Faces(boxes));
  expect(performance.now() - begun).toBeLessThan(3000);
});

it("looks at so many points at most of a line to a node that lies as far away as numbers go", () => {
  const [from, between, to] = [face(0, 0), face(500, 0), face(1e12, 0)];
  const ends = { sourceX: 206, sourceY: 32, targetX: 1e12 - 4, targetY: 32 };
  expect(along(ends, undefined)).toHaveLength(2001);
  expect(routed(ends, from, to, new Faces([from, between, to]))).toBeUndefined();
});
