import type { StartedOrchestration } from '../base/durable-steps'
import type { BackendId } from '../base/ids'
import type { Problem } from '../base/problem'

import type { Backend } from '../routing/backend'
import type { Backends } from '../routing/backends'
import { placeOf, subjectOf, type CapacityStore, type Versioned } from './capacity-store'
import { limitsOfDeployment, outputWeightOf, type DeploymentSetting } from './deployment-limits'
import { headroom, sharedDeployment, wantedBy, type Headroom, type SharedDeployment } from './headroom'
import type { ObservedHours } from './observed-hours'
import type { CapacitySubject, Outlook } from './outlook'
import { advise, type Advice, type Pool } from './provisioned/advise'
import type { ProvisionedTerms, Reach } from './provisioned/terms'
import { isShared } from './look-at-shared'
import { rankedGenerationOf, type CapacityRun } from './run'
import { advanceRun, type RunForecastsDeps } from './run-forecasts'

/** Forecasts of use and limits: made by a timer or when asked for, and shown. */
export interface Capacity {
  /** For the timer: a run a day, and what is left of one that was broken off. */
  readonly look: () => Promise<CapacityRun>
  /** A run that begins now, or the rest of the one that is under way; where it stands after REFRESH_MS at the latest. */
  readonly refresh: () => Promise<CapacityRun>
  readonly lastRun: () => Promise<CapacityRun | undefined>
  /** Whose limits are nearest first. */
  readonly page: (page: RankedPage) => Promise<{ readonly shown: readonly Ranked[]; readonly next: string | undefined }>
  readonly outlook: (subject: CapacitySubject) => Promise<Outlook | undefined>
  readonly headroom: (wanted: ModelInRegion, running: readonly StartedOrchestration[]) => Promise<Headroom>
  /** Of every model and region whose shared deployments served anything, in the order of their names. */
  readonly advice: (wanted: AnyModelInRegion, reach: Reach) => Promise<readonly PoolAdvice[]>
  readonly terms: () => Promise<Versioned<ProvisionedTerms> | undefined>
  readonly putTerms: (terms: ProvisionedTerms, expects: Expects) => Promise<Versioned<ProvisionedTerms> | Problem>
  readonly setting: (backendId: BackendId) => Promise<Versioned<DeploymentSetting> | undefined>
  readonly putSetting: (
    backendId: BackendId,
    setting: DeploymentSetting,
    expects: Expects,
  ) => Promise<Versioned<DeploymentSetting> | Problem>
}

export interface RankedPage {
  /** A place that a page before ended with. */
  readonly after?: string | undefined
  readonly limit: number
  readonly kind?: CapacitySubject['kind'] | undefined
  /** Only those of which a limit is expected to be reached within so many days. */
  readonly withinDays?: number | undefined
}

export interface Ranked {
  readonly place: string
  readonly subject: CapacitySubject
  readonly outlook: Outlook
}

/** An absent one is any. */
export interface AnyModelInRegion {
  readonly model?: string | undefined
  readonly region?: string | undefined
}

export interface ModelInRegion extends AnyModelInRegion {
  readonly model: string
}

export type PoolAdvice = Pick<Pool, 'model' | 'region' | 'units' | 'growth'> & { readonly advice: Advice }

type Expects = (version: number) => boolean

/** Below the half hour that the Functions host gives an invocation. */
const LOOK_MS = 20 * 60_000
/** Below the four minutes in which Azure’s front end wants an answer. */
const REFRESH_MS = 60_000
/** Places that a page may pass over because they do not fit what was asked for, or their subject has moved on. */
const PASSED_OVER_MAX = 2_000

export function createCapacity(deps: RunForecastsDeps): Capacity {
  const { store } = deps
  return {
    look: () => advanceRun(deps, { begin: 'when-due', forMs: LOOK_MS }),
    refresh: () => advanceRun(deps, { begin: 'anew', forMs: REFRESH_MS }),
    lastRun: async () => (await store.run())?.run,
    page: (page) => readPage(store, page),
    outlook: store.outlook,
    headroom: async (wanted, running) => {
      const run = await store.run()
      const shared: SharedDeployment[] = []
      for await (const served of servedBy(deps.backends, store, wanted)) {
        const { backend, limits, hours } = served
        const outlook = await store.outlook({ kind: 'deployment', backendId: backend.id })
        shared.push(sharedDeployment(backend, { limits, outlook, hours, outputWeight: outputWeightOf(backend) }))
      }
      return headroom(shared, { onboarding: wantedBy(running, wanted), tierSizes: run?.run.tierSizes ?? {} })
    },
    advice: async (wanted, reach) => {
      const terms = (await store.terms())?.value
      const pools = await poolsOf(deps.backends, store, wanted)
      return pools.map((pool) => ({
        model: pool.model,
        region: pool.region,
        units: pool.units,
        growth: pool.growth,
        advice: advise(pool, { reach, terms }),
      }))
    },
    terms: store.terms,
    putTerms: store.putTerms,
    setting: store.setting,
    putSetting: store.putSetting,
  }
}

async function readPage(
  store: CapacityStore,
  { after, limit, kind, withinDays = Infinity }: RankedPage,
): Promise<{ readonly shown: readonly Ranked[]; readonly next: string | undefined }> {
  const run = await store.run()
  const generation = run && rankedGenerationOf(run.run)
  const shown: Ranked[] = []
  let passedOver = 0
  let last: string | undefined
  if (generation !== undefined)
    for await (const place of store.ranking(generation, after)) {
      // There is one more: where the page ends, or where too much was passed over, the next one begins.
      if (shown.length >= limit || passedOver >= PASSED_OVER_MAX) return { shown, next: last }
      last = place
      const subject = subjectOf(place)
      if (!subject || (kind !== undefined && subject.kind !== kind)) {
        passedOver += 1
        continue
      }
      const outlook = await store.outlook(subject)
      // One that was looked at twice in a run has the place of the second time; a run that is under way has not ranked anew yet.
      const isCurrent = outlook && (outlook.generation !== generation || placeOf(subject, outlook) === place)
      if (isCurrent && (outlook.limits[0]?.expectedInDays ?? Infinity) <= withinDays)
        shown.push({ place, subject, outlook })
      else passedOver += 1
    }
  return { shown, next: undefined }
}

interface Served {
  readonly backend: Backend
  readonly model: string
  readonly limits: ReturnType<typeof limitsOfDeployment>
  readonly hours: ObservedHours | undefined
}

/** Shared deployments of a model, by what their calls, their operator or their units say it is; one at a time. */
async function* servedBy(
  backends: Pick<Backends, 'list'>,
  store: CapacityStore,
  wanted: AnyModelInRegion,
): AsyncGenerator<Served> {
  for (const { backend } of await backends.list()) {
    if (!isShared(backend) || (wanted.region !== undefined && backend.region !== wanted.region)) continue
    const [hours, setting] = await Promise.all([store.hours(backend.id), store.setting(backend.id)])
    const units = backend.throughput?.kind === 'units' ? backend.throughput.model : undefined
    const model = hours?.model ?? setting?.value.model ?? units
    if (model === undefined || (wanted.model !== undefined && model !== wanted.model)) continue
    yield {
      backend,
      model,
      hours,
      limits: limitsOfDeployment({ backend, setting: setting?.value, planned: undefined }),
    }
  }
}

async function poolsOf(
  backends: Pick<Backends, 'list'>,
  store: CapacityStore,
  wanted: AnyModelInRegion,
): Promise<readonly Pool[]> {
  const pools = new Map<string, { served: Served[]; now: number; ahead: number }>()
  for await (const served of servedBy(backends, store, wanted)) {
    const key = JSON.stringify([served.model, served.backend.region])
    const pool = pools.get(key) ?? { served: [], now: 0, ahead: 0 }
    pools.set(key, pool)
    pool.served.push(served)
    const { now, ahead } = growthOf(await store.outlook({ kind: 'deployment', backendId: served.backend.id }))
    pool.now += now
    pool.ahead += ahead
  }
  return [...pools.values()].map(({ served, now, ahead }) => ({
    model: served[0]?.model ?? '',
    region: served[0]?.backend.region ?? '',
    units: served.reduce(
      (sum, { backend: { throughput } }) => sum + (throughput?.kind === 'units' ? throughput.units : 0),
      0,
    ),
    hours: served.flatMap(({ hours }) => hours ?? []),
    growth: now > 0 ? ahead / now : 1,
  }))
}

const WEEK_DAYS = 7
const AHEAD_DAYS = 28

/** Tokens of the week that comes, and of the one four weeks later: whole weeks, so that neither has more weekends. */
function growthOf(outlook: Outlook | undefined): { now: number; ahead: number } {
  const forecast = outlook?.forecasts.tokens
  if (forecast?.kind !== 'forecast') return { now: 0, ahead: 0 }
  const week = (from: number) => forecast.expected.slice(from, from + WEEK_DAYS).reduce((sum, value) => sum + value, 0)
  return { now: week(0), ahead: week(AHEAD_DAYS) }
}
