import { seededFraction } from '../../src/base/seeded-fraction'
import { cosineOf, directionOf, nearestOf, sphericalKMeans, type Direction } from '../../src/drift/spherical-k-means'
import { FAR, makeTopicMap, readTopicMap, topicOf, writeTopicMap } from '../../src/drift/topic-map'
import { normal } from './seeded-samples'

const COMPONENTS = 64

function directions(vector: readonly number[]): Direction {
  const direction = directionOf(vector)
  if (!direction) throw new Error('the vector has no direction')
  return direction
}

/** Texts of one subject lie around its direction. */
const around = (fraction: () => number, subject: Direction): Direction =>
  directions(Array.from(subject, (component) => component + 0.06 * normal(fraction)))

const anywhere = (fraction: () => number): Direction =>
  directions(Array.from({ length: COMPONENTS }, () => normal(fraction)))

describe('clusters', () => {
  it('are the subjects that the points lie around', async () => {
    const fraction = seededFraction(11)
    const subjects = Array.from({ length: 5 }, () => anywhere(fraction))
    const points = Array.from({ length: 300 }, (_, n) => around(fraction, subjects[n % 5] ?? anywhere(fraction)))
    const centroids = await sphericalKMeans(points, 5, seededFraction(1))
    for (const subject of subjects) expect(nearestOf(centroids, subject).cosine).toBeGreaterThan(0.95)
    const owners = points.map((point) => nearestOf(centroids, point).cluster)
    // Points of one subject are in one cluster, those of two are not.
    for (const [at, owner] of owners.entries()) expect(owner === owners[at % 5]).toBe(true)
    expect(new Set(owners).size).toBe(5)
  })

  it('are the same for the same points and seed', async () => {
    const fraction = seededFraction(5)
    const points = Array.from({ length: 60 }, () => anywhere(fraction))
    const made = await Promise.all([1, 1].map((seed) => sphericalKMeans(points, 6, seededFraction(seed))))
    expect(made[0]).toEqual(made[1])
  })

  it('are fewer than asked for where there are fewer different points', async () => {
    const fraction = seededFraction(2)
    const [one, other] = [anywhere(fraction), anywhere(fraction)]
    const points = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? one : other))
    expect(await sphericalKMeans(points, 10, fraction)).toHaveLength(2)
  })

  it('are not made of vectors without a direction', () => {
    expect(directionOf([0, 0])).toBeUndefined()
    expect(directionOf([])).toBeUndefined()
    expect(directionOf([Infinity, 1])).toBeUndefined()
    expect(cosineOf(directions([3, 4]), directions([3, 4]))).toBeCloseTo(1, 6)
  })
})

describe('a map of topics', () => {
  const fraction = seededFraction(17)
  const subjects = Array.from({ length: 4 }, () => anywhere(fraction))
  const subject = (n: number) => subjects[n % 4] ?? anywhere(fraction)
  const points = Array.from({ length: 400 }, (_, n) => around(fraction, subject(Math.floor(n / 2))))
  const make = () => makeTopicMap(points, { id: 'map-1', alias: 'embed', seed: 1 })

  it('calls far about as many texts of the same subjects as of the training set, and nearly all of others', async () => {
    const made = await make()
    if (!made) throw new Error('400 points make a map')
    const farOf = (draw: () => Direction) => {
      const topics = Array.from({ length: 1_000 }, () => topicOf(made.map, draw()))
      return topics.filter((topic) => topic === FAR).length / 1_000
    }
    expect((made.counts[FAR] ?? 0) / 200).toBeLessThan(0.06)
    expect(farOf(() => around(fraction, subject(Math.floor(4 * fraction()))))).toBeLessThan(0.12)
    expect(farOf(() => anywhere(fraction))).toBeGreaterThan(0.95)
  })

  it('is the same when it has been kept', async () => {
    const made = await make()
    if (!made) throw new Error('400 points make a map')
    expect(readTopicMap(writeTopicMap(made.map))).toEqual(made.map)
  })

  it('is not made of a few texts', async () => {
    expect(await makeTopicMap(points.slice(0, 99), { id: 'map-1', alias: 'embed', seed: 1 })).toBeUndefined()
  })
})
