type Point = readonly [number, number, number];

const GOLDEN = (1 + Math.sqrt(5)) / 2;
/** Distance of the vertices from the centre, and squared length of an edge, in the coordinates below. */
const RADIUS = Math.hypot(1, GOLDEN);
const EDGE_SQUARED = 4;

function vertices(): Point[] {
  return [-1, 1].flatMap((a) =>
    [-GOLDEN, GOLDEN].flatMap((b): Point[] => [
      [0, a, b],
      [a, b, 0],
      [b, 0, a],
    ]),
  );
}

function adjacent(p: Point, q: Point): boolean {
  const squared = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2;
  return squared < EDGE_SQUARED * 1.01;
}

/**
 * Mackay icosahedron (Acta Cryst. 15 (1962) 916): 13, 55, 147, … particles in shells around a central one; the lowest known
 * structure of Lennard-Jones clusters of these sizes.
 *
 * @param shells shells around the centre: 1 for 13 particles, 2 for 55
 * @param spacing distance between shells along a vertex; neighbours within a shell are 5 % further apart
 * @returns coordinates [N, 3], flat, mean-free
 */
export function mackayIcosahedron(shells: number, spacing: number): number[] {
  const corners = vertices();
  const points: Point[] = [[0, 0, 0]];
  const add = (...parts: readonly (readonly [number, Point])[]) => {
    const along = (axis: 0 | 1 | 2) => parts.reduce((sum, [weight, corner]) => sum + weight * corner[axis], 0);
    points.push([along(0), along(1), along(2)]);
  };
  for (let shell = 1; shell <= shells; shell++) {
    corners.forEach((a, i) => {
      add([shell, a]);
      corners.slice(i + 1).forEach((b, j) => {
        if (!adjacent(a, b)) return;
        for (let m = 1; m < shell; m++) add([m, a], [shell - m, b]);
        for (const c of corners.slice(i + 1).slice(j + 1)) {
          if (!adjacent(a, c) || !adjacent(b, c)) continue;
          for (let m = 1; m < shell; m++) {
            for (let k = 1; m + k < shell; k++) add([m, a], [k, b], [shell - m - k, c]);
          }
        }
      });
    });
  }
  return points.flat().map((coordinate) => (coordinate * spacing) / RADIUS);
}
