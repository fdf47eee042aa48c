import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert } from '../base/assert'

/** A direction: the components of a vector of length 1. */
export type Direction = Float32Array

/** More rounds than it takes to come to rest, nearly always. */
const ROUNDS_MAX = 25
/** Of these the one whose clusters are closest; a poor start is a matter of chance. */
const STARTS = 3

/** The vector's direction; undefined where it has none, or is no vector of numbers. */
export function directionOf(vector: ArrayLike<number>): Direction | undefined {
  let squares = 0
  for (let at = 0; at < vector.length; at++) squares += (vector[at] ?? 0) ** 2
  if (!(squares > 0) || !Number.isFinite(squares)) return undefined
  const length = Math.sqrt(squares)
  return Float32Array.from(vector, (component) => component / length)
}

/** The cosine of the angle between two directions; they have the same number of components. */
export function cosineOf(one: Direction, other: Direction): number {
  let sum = 0
  for (let at = 0; at < one.length; at++) sum += (one[at] ?? 0) * (other[at] ?? 0)
  return sum
}

export interface Nearest {
  readonly cluster: number
  readonly cosine: number
}

export function nearestOf(centroids: readonly Direction[], point: Direction): Nearest {
  let nearest: Nearest = { cluster: 0, cosine: -Infinity }
  for (const [cluster, centroid] of centroids.entries()) {
    const cosine = cosineOf(centroid, point)
    if (cosine > nearest.cosine) nearest = { cluster, cosine }
  }
  return nearest
}

/**
 * Up to `k` directions around which the points lie. Spherical k-means (Dhillon and Modha, 2001), begun as k-means++ does (Arthur and
 * Vassilvitskii, 2007). The same for the same points and fractions. Others have their turn between rounds: one takes
 * points × k × components multiplications, some 5 ms at this module's sizes.
 */
export async function sphericalKMeans(
  points: readonly Direction[],
  k: number,
  fraction: () => number,
): Promise<readonly Direction[]> {
  assert(points.length > 0 && k > 0, 'clusters are made of points')
  let best: { centroids: readonly Direction[]; closeness: number } | undefined
  for (let start = 0; start < STARTS; start++) {
    const found = await clustersFrom(firstCentroids(points, k, fraction), points)
    if (!best || found.closeness > best.closeness) best = found
  }
  return best?.centroids ?? []
}

async function clustersFrom(first: readonly Direction[], points: readonly Direction[]) {
  let centroids = first
  let closeness = -Infinity
  for (let round = 0; round < ROUNDS_MAX; round++) {
    await nextTurn()
    const nearest = points.map((point) => nearestOf(centroids, point))
    const next = nearest.reduce((sum, { cosine }) => sum + cosine, 0)
    if (next <= closeness + ROUNDING) break
    closeness = next
    centroids = centroids.map((centroid, cluster) =>
      meanDirection(
        points.filter((_, at) => nearest[at]?.cluster === cluster),
        centroid,
      ),
    )
  }
  return { centroids, closeness }
}

const ROUNDING = 1e-6

/** A cluster that has lost all of its points stays where it was. */
function meanDirection(points: readonly Direction[], before: Direction): Direction {
  const sum = new Float64Array(before.length)
  for (const point of points) for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) + (point[at] ?? 0)
  return directionOf(sum) ?? before
}

/** The first by chance, each further one the likelier the farther it is from those that are chosen. */
function firstCentroids(points: readonly Direction[], k: number, fraction: () => number): readonly Direction[] {
  const first = points[Math.floor(fraction() * points.length)]
  assert(first, 'a fraction of the points is one of them')
  const chosen = [first]
  const distances = points.map((point) => distance(point, first))
  while (chosen.length < k) {
    const total = distances.reduce((sum, one) => sum + one, 0)
    // All points lie where one has been chosen already: there are fewer different ones than were asked for.
    if (total <= ROUNDING) break
    const next = points[indexAt(distances, fraction() * total)]
    assert(next, 'what is drawn is one of the points')
    chosen.push(next)
    for (const [at, point] of points.entries()) distances[at] = Math.min(distances[at] ?? 0, distance(point, next))
  }
  return chosen
}

const distance = (one: Direction, other: Direction): number => Math.max(0, 1 - cosineOf(one, other)) ** 2

function indexAt(weights: readonly number[], drawn: number): number {
  let left = drawn
  for (const [at, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return at
  }
  return weights.length - 1
}
