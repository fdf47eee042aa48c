import { repeat, type Clock } from '../base/clock'
import type { Chance } from '../base/chance'
import { parseModelId, type CallerId, type InstanceId, type ModelId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { createStaleCache } from '../base/stale-cache'
import type { ServedCall, WatchServed } from '../inference/served-call'
import type { Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { askedConversation } from './asked-conversation'
import { createAskTopics } from './ask-topics'
import { DayTallies, type TallyPlace } from './day-tallies'
import { dayOf, daysUntil, type DayCounts } from './drift-records'
import { watchingOf, type DriftWatching } from './drift-settings'
import type { DriftStore } from './drift-store'
import type { EmbedTexts } from './embed-texts'
import type { LanguageDetector } from './language-of'
import { PendingSamples } from './pending-samples'
import { SampleAllowances } from './sample-allowances'
import { samplingRate } from './sample-pace'
import { readTopicMap, type TopicMap } from './topic-map'

/**
 * Where calls to tuned models are measured. What a call costs here is decided before anything of it is read:
 * P1  A tenant that has not asked for it costs a look at its snapshot, and nothing is kept of its calls.
 * P2  `served` awaits nothing, reads a model's facts from memory only, and never throws into the call.
 * P3  Text is held in memory, in `PendingSamples` alone, until it is measured; it goes into no log and no storage.
 * P4  What cannot be held, asked or written in time is dropped: a sample more or less changes nothing.
 */
export interface DriftTap {
  readonly served: WatchServed
  /** Stops measuring, and writes what was counted. */
  close(): Promise<void>
}

export interface DriftTapDeps {
  readonly store: Pick<DriftStore, 'baseline' | 'dayCounts' | 'putDayCounts' | 'claimSamples'>
  readonly registry: Pick<Registry, 'get'>
  readonly embedTexts: EmbedTexts
  readonly languages: LanguageDetector | undefined
  readonly measure: string
  readonly tenantOf: (
    tenantId: TenantScope['tenantId'],
  ) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly flushMs: number
  readonly instanceId: InstanceId
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** What an instance knows of one model. */
type Watched =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'watched'
      readonly by: CallerId
      readonly callsYesterday: number
      readonly map: TopicMap | undefined
    }

interface WatchedKey {
  readonly scope: TenantScope
  readonly modelId: ModelId
}

const MEASURE_EVERY_MS = 1_000
/** With a map of topics of 74 KB each at most. */
const MODELS_MAX = 300
const KNOWN_FRESH_MS = 60_000
const KNOWN_STALE_MS = 3_600_000
const OPERATIONS: ReadonlySet<string> = new Set(['chat.completions', 'responses'])

export function createDriftTap(deps: DriftTapDeps): DriftTap {
  const { clock, chance, log, measure } = deps
  const known = createStaleCache<WatchedKey, Watched>({
    clock,
    load: (key) => loadWatched(deps, key),
    freshMs: KNOWN_FRESH_MS,
    staleMs: KNOWN_STALE_MS,
    entriesMax: MODELS_MAX,
    onError: (error) => log.warn('what is known of a model’s drift could not be read', { error: describeError(error) }),
    idOf: ({ scope, modelId }) => `${scope.tenantId}/${modelId}`,
  })
  const tallies = new DayTallies(deps.instanceId)
  const allowances = new SampleAllowances(deps)
  const askTopics = createAskTopics(deps)
  const pending = new PendingSamples()

  const take = (call: ServedCall, watching: DriftWatching): void => {
    const modelId = modelBehind(call)
    if (!modelId || !OPERATIONS.has(call.operation)) return
    const scope = TenantScope.ofCaller(call.caller)
    const watched = known.get({ scope, modelId })
    // Nobody waits for what is not in memory: the next call finds it there.
    if (watched instanceof Promise) return void watched.catch(() => {})
    if (watched.kind === 'none') return
    const place = { scope, modelId, day: dayOf(clock.now()) }
    const { by, callsYesterday } = watched
    // What its tenant asks for no more is not done until the next look, either.
    const map = watched.map?.alias === watching.topicsAlias ? watched.map : undefined
    const pace = { callsYesterday, perDayMax: watching.perDayMax }
    tallies.addCall(place, { measure, topicsId: map?.id })
    if (chance.fraction() >= samplingRate(pace)) return
    if (pending.isFull || !allowances.take(place, pace)) return
    const conversation = askedConversation(call.body)
    if (!conversation) return
    const { promptEstimate: promptTokens, outputTokens } = call
    pending.add({ ...place, by, map, request: { ...conversation, promptTokens, outputTokens } })
  }

  const flush = () => tallies.flush(dayOf(clock.now()), (place, counts) => writeCounts(deps, place, counts))

  const onError = (error: unknown) => log.warn('drift could not be measured', { error: describeError(error) })
  const measuring = repeat({ clock, onError }, MEASURE_EVERY_MS, () => pending.measure({ ...deps, askTopics, tallies }))
  const flushing = repeat({ clock, onError }, deps.flushMs, flush)

  return {
    served: (call) => {
      const watching = watchingOf(call.tenant.settings.drift)
      if (!watching) return
      try {
        take(call, watching)
      } catch (error) {
        onError(error)
      }
    },
    close: async () => {
      await Promise.all([measuring.stop(), flushing.stop()])
      await flush()
    },
  }
}

/** A tuned model's backend is its tenant's own and has the body of the model's id (`tunedBackendOf`); others of its own are none. */
const modelBehind = ({ backend, tenant }: ServedCall): ModelId | undefined =>
  backend.ownerTenantId === tenant.tenantId ? parseModelId(`mdl_${backend.id.slice('bke_'.length)}`) : undefined

async function loadWatched(
  { store, registry, measure, clock }: DriftTapDeps,
  { scope, modelId }: WatchedKey,
): Promise<Watched> {
  const model = await registry.get(scope, modelId)
  const baseline = await store.baseline(scope, modelId)
  if (!model || baseline?.state.kind !== 'made' || baseline.measure !== measure) return { kind: 'none' }
  const [, yesterday] = daysUntil(clock.now(), 2)
  const parts = yesterday === undefined ? [] : await store.dayCounts(scope, modelId, yesterday)
  const { topics } = baseline.state
  return {
    kind: 'watched',
    by: model.lineage.by,
    callsYesterday: parts.reduce((sum, { calls }) => sum + calls, 0),
    map: topics.kind === 'made' ? readTopicMap(topics.map) : undefined,
  }
}

async function writeCounts({ store, tenantOf, log }: DriftTapDeps, place: TallyPlace, counts: DayCounts) {
  const { scope, modelId, day } = place
  const tenant = await tenantOf(scope.tenantId)
  // Of one that goes, or has changed its mind, nothing is kept any more.
  if (tenant?.state !== 'active' || !watchingOf(tenant.settings.drift)) return 'unwanted'
  try {
    await store.putDayCounts(scope, modelId, day, counts)
    return 'written'
  } catch (error) {
    log.warn('counts of a model’s calls could not be written', { modelId, error: describeError(error) })
    return 'later'
  }
}
