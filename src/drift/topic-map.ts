import { assert } from '../base/assert'
import { seededFraction } from '../base/seeded-fraction'
import type { Counts } from './feature'
import { nearestOf, sphericalKMeans, type Direction } from './spherical-k-means'

/** Of one baseline. Below the least there are no topics, but a few texts by chance. */
export const TOPIC_TEXTS_MIN = 100
export const TOPIC_TEXTS_MAX = 600
const TOPICS_MAX = 12
/** So many texts make a topic of their own at least, on the mean. */
const TEXTS_PER_TOPIC = 10
/** Of the training texts so many are far from all topics, by which `far` is measured. */
const FAR_SHARE = 0.05

/**
 * Where the texts of a training set lie among all texts. Derived from content, so it is kept sealed and never shown: whoever has it
 * may tell what the texts were about.
 */
export interface TopicMap {
  /** Counts by another map say nothing beside this one's. */
  readonly id: string
  /** The tenant's alias whose embeddings it is made of. */
  readonly alias: string
  readonly centroids: readonly Direction[]
  /** The cosine below which a text is far from every topic. */
  readonly farBelow: number
}

export const FAR = 'far'

/**
 * Topics of half of the points, and the shares of the other half among them: points lie closer to topics that were made of
 * themselves, so that by one half alone every later text would seem farther away than the training set.
 */
export async function makeTopicMap(
  points: readonly Direction[],
  { id, alias, seed }: Pick<TopicMap, 'id' | 'alias'> & { readonly seed: number },
): Promise<{ readonly map: TopicMap; readonly counts: Counts } | undefined> {
  if (points.length < TOPIC_TEXTS_MIN) return undefined
  const making = points.filter((_, at) => at % 2 === 0)
  const counting = points.filter((_, at) => at % 2 === 1)
  const topics = Math.min(TOPICS_MAX, Math.floor(making.length / TEXTS_PER_TOPIC))
  const centroids = await sphericalKMeans(making, topics, seededFraction(seed))
  const cosines = counting.map((point) => nearestOf(centroids, point).cosine).toSorted((a, b) => a - b)
  const farBelow = cosines[Math.floor(FAR_SHARE * cosines.length)] ?? -1
  const map: TopicMap = { id, alias, centroids, farBelow }
  const counts: Record<string, number> = {}
  for (const topic of counting.map((point) => topicOf(map, point))) counts[topic] = (counts[topic] ?? 0) + 1
  return { map, counts }
}

/** A number, which names a topic to nobody, or `far`. */
export function topicOf({ centroids, farBelow }: TopicMap, point: Direction): string {
  const { cluster, cosine } = nearestOf(centroids, point)
  return cosine < farBelow ? FAR : `topic ${cluster + 1}`
}

/** As a sealed record keeps it. */
export interface WrittenTopicMap extends Omit<TopicMap, 'centroids'> {
  readonly components: number
  /** 32-bit floats, the least significant byte first, in base 64. */
  readonly centroids: string
}

export function writeTopicMap({ centroids, ...map }: TopicMap): WrittenTopicMap {
  const components = centroids[0]?.length ?? 0
  const bytes = Buffer.alloc(4 * components * centroids.length)
  let at = 0
  for (const centroid of centroids) for (const component of centroid) at = bytes.writeFloatLE(component, at)
  return { ...map, components, centroids: bytes.toString('base64') }
}

export function readTopicMap({ components, centroids, ...map }: WrittenTopicMap): TopicMap {
  const bytes = Buffer.from(centroids, 'base64')
  assert(components > 0 && bytes.length % (4 * components) === 0, 'a map of topics has whole centroids')
  const count = bytes.length / (4 * components)
  return {
    ...map,
    centroids: Array.from({ length: count }, (_, topic) =>
      Float32Array.from({ length: components }, (_component, at) => bytes.readFloatLE(4 * (topic * components + at))),
    ),
  }
}
