import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { encodeBase32 } from '../base/ids'
import { seededFraction, seedOf } from '../base/seeded-fraction'
import { LineSplitter } from '../datasets/split-lines'
import type { Files } from '../files/files'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { DriftBaseline, BaselineTopics } from './drift-records'
import { TEXTS_PER_CALL_MAX, type EmbedTexts } from './embed-texts'
import type { FeatureCounts } from './feature'
import { counted } from './histogram'
import type { LanguageDetector } from './language-of'
import { measureRequest } from './measure-request'
import type { Direction } from './spherical-k-means'
import { makeTopicMap, TOPIC_TEXTS_MAX, TOPIC_TEXTS_MIN, writeTopicMap } from './topic-map'
import { loadTrainingRequests } from './training-requests'

export interface MakeBaselineDeps {
  readonly files: Pick<Files, 'read'>
  readonly embedTexts: EmbedTexts
  readonly languages: LanguageDetector | undefined
  readonly measure: string
  readonly clock: Clock
  readonly chance: Chance
}

/** Of a larger file a share of the lines is measured: shares over so many are known to a percent or two. */
const EXAMPLES_MEASURED_MAX = 5_000
/** Lines that are measured before others have their turn; some 10 ms. */
const LINES_AT_ONCE = 20

/**
 * What a model was trained on, as numbers: its training file is read once, line by line, of which one is in memory and files have their bound. Texts for topics
 * are a sample of bounded size, embedded on the tenant's own alias and then forgotten. Rejects where storage does.
 */
export async function makeBaseline(
  deps: MakeBaselineDeps,
  scope: TenantScope,
  { model, topicsAlias }: { readonly model: ModelVersion; readonly topicsAlias: string | undefined },
): Promise<DriftBaseline> {
  const { files, measure, clock, chance } = deps
  const base = { madeAt: clock.now(), madeBy: randomName(chance), measure }
  const file = await files.read(scope, model.lineage.training.fileId)
  if (!file) return { ...base, state: { kind: 'impossible', why: 'file-gone' } }
  const measured = await measureFile(deps, model, file.content)
  const { requests } = measured
  if (requests === 0) return { ...base, state: { kind: 'impossible', why: 'nothing-to-measure' } }
  if (topicsAlias === undefined) {
    return { ...base, state: { kind: 'made', requests, counts: measured.counts, topics: { kind: 'off' } } }
  }
  const { texts } = measured
  const made = await baselineTopics(deps, scope, { model, id: base.madeBy, alias: topicsAlias, texts })
  const counts = { ...measured.counts, ...(made.counts ? { topics: made.counts } : {}) }
  return { ...base, state: { kind: 'made', requests, counts, topics: made.topics } }
}

const NAME_BYTES = 10
const randomName = (chance: Chance) => encodeBase32(chance.bytes(NAME_BYTES))

interface MeasuredFile {
  readonly requests: number
  readonly counts: FeatureCounts
  /** Any request's text was as likely to be among them. */
  readonly texts: readonly string[]
}

async function measureFile(
  { languages }: MakeBaselineDeps,
  { id, lineage }: ModelVersion,
  content: AsyncIterable<Uint8Array>,
): Promise<MeasuredFile> {
  const readRequests = await loadTrainingRequests(lineage.method)
  const fraction = seededFraction(seedOf(id))
  const share = Math.min(1, EXAMPLES_MEASURED_MAX / Math.max(1, lineage.training.examples))
  const texts: string[] = []
  let counts: FeatureCounts = {}
  let [requests, withText, lines] = [0, 0, 0]
  for await (const line of linesOf(content)) {
    lines += 1
    if (lines % LINES_AT_ONCE === 0) await nextTurn()
    // Decided before the line is read.
    if (fraction() >= share) continue
    for (const request of readRequests(line)) {
      requests += 1
      counts = counted(counts, measureRequest(request, languages))
      if (request.text.trim() === '') continue
      withText += 1
      // Each of the texts so far is among those that are kept with the same chance: Vitter's algorithm R (1985).
      const place = texts.length < TOPIC_TEXTS_MAX ? texts.length : Math.floor(fraction() * withText)
      if (place < TOPIC_TEXTS_MAX) texts[place] = request.text
    }
  }
  return { requests, counts, texts }
}

async function* linesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const splitter = new LineSplitter()
  for await (const piece of content) for (const { bytes } of splitter.push(piece)) yield bytes
  const last = splitter.last()
  if (last) yield last.bytes
}

async function baselineTopics(
  { embedTexts }: MakeBaselineDeps,
  scope: TenantScope,
  { model, id, alias, texts }: { model: ModelVersion; id: string; alias: string; texts: readonly string[] },
): Promise<{ readonly topics: BaselineTopics; readonly counts?: Readonly<Record<string, number>> }> {
  const failed = (why: string) => ({ topics: { kind: 'failed', alias, why } as const })
  if (texts.length < TOPIC_TEXTS_MIN) return failed(`there are fewer than ${TOPIC_TEXTS_MIN} texts`)
  const directions: Direction[] = []
  for (let at = 0; at < texts.length; at += TEXTS_PER_CALL_MAX) {
    const some = texts.slice(at, at + TEXTS_PER_CALL_MAX)
    const embedded = await embedTexts({ scope, alias, by: model.lineage.by, texts: some })
    if (embedded.kind === 'refused') return failed(embedded.why)
    if (embedded.kind === 'busy') return failed('the alias was busy')
    directions.push(...embedded.directions)
    if (embedded.isNearLimit && at + TEXTS_PER_CALL_MAX < texts.length) return failed('the tenant’s limits are near')
  }
  const [first] = directions
  if (directions.some(({ length }) => length !== first?.length)) return failed('the alias leads to different models')
  const made = await makeTopicMap(directions, { id, alias, seed: seedOf(model.id) })
  if (!made) return failed(`there are fewer than ${TOPIC_TEXTS_MIN} texts`)
  return { topics: { kind: 'made', map: writeTopicMap(made.map) }, counts: made.counts }
}

const DAY_MS = 86_400_000

/** Whether it has to be made, again or at all. What failed is tried again after a day. Pure. */
export function isBaselineDue(
  baseline: DriftBaseline | undefined,
  {
    measure,
    topicsAlias,
    nowMs,
  }: { readonly measure: string; readonly topicsAlias: string | undefined; readonly nowMs: number },
): boolean {
  if (!baseline || baseline.measure !== measure) return true
  const isOld = nowMs - baseline.madeAt >= DAY_MS
  const { state } = baseline
  if (state.kind === 'impossible') return isOld
  switch (state.topics.kind) {
    case 'off':
      return topicsAlias !== undefined
    case 'made':
      return state.topics.map.alias !== topicsAlias
    case 'failed':
      return state.topics.alias !== topicsAlias || isOld
  }
}
