import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { BackendId, TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { Backend } from '../routing/backend'
import type { Backends } from '../routing/backends'
import type { TenantRecord } from '../tenants/tenant-record'
import type { Tenants } from '../tenants/tenants'
import { inParallel } from '../base/in-parallel'
import type { RollUp } from '../usage/run-roll-up'
import { dayOf } from './day'
import { lookAtShared, isShared, type LookAtSharedDeps } from './look-at-shared'
import { lookAtTenant, type LookAtTenantDeps } from './look-at-tenant'
import type { Outlook } from './outlook'
import { newRun, withSize, type CapacityRun, type RunPhase } from './run'
import { alertIdOf } from './limit-alerts'

export interface RunForecastsDeps extends LookAtTenantDeps, LookAtSharedDeps {
  readonly backends: Pick<Backends, 'list'>
  readonly rollUp: Pick<RollUp, 'run'>
  readonly tenants: Pick<Tenants, 'list'>
  readonly clock: Clock
  readonly log: Log
}

export interface AdvanceOptions {
  /** `when-due`: a new run where none has looked at yesterday yet. `anew`: also where one has, and has ended. */
  readonly begin: 'when-due' | 'anew'
  /** After so long it stops behind a page, and whoever calls next goes on. */
  readonly forMs: number
}

/** Tenants between two notes of how far it is, and of these at one time. */
const PAGE_TENANTS = 100
const TENANTS_AT_ONCE = 4
/** Deployments of which one walk over the tenants that share them is made: each takes up to 500 KB meanwhile. */
const PAGE_DEPLOYMENTS = 100
/** Of the forecast, how far a tenant's size is read from. */
const AHEAD_DAYS = 30
/** Where so many others were faster, they are at it. */
const LOST_RACES_MAX = 3

/**
 * Goes on with the run that is under way, or begins one; where it stands then. Several may do so at a time, at the price of work that is
 * done twice: each writes what is the same, and how far it is by compare-and-swap.
 */
export async function advanceRun(deps: RunForecastsDeps, { begin, forMs }: AdvanceOptions): Promise<CapacityRun> {
  const { store, clock } = deps
  const endsAtMs = clock.monotonicMs() + forMs
  const fleet = await fleetOf(deps.backends)
  let lostRaces = 0
  for (;;) {
    const stored = await store.run()
    const yesterday = dayOf(clock.now()) - 1
    const hasEnded = !stored || stored.run.phase.kind === 'ended'
    const isDue = !stored || stored.run.through < yesterday
    if (stored && hasEnded && !(isDue || begin === 'anew')) return stored.run
    if (hasEnded) {
      // What the log says of yesterday is to be in the sums.
      await deps.rollUp.run({ fresh: true })
      const run = newRun(Math.max(clock.now(), (stored?.run.generation ?? 0) + 1), yesterday, stored?.run)
      await store.putRun(run, stored?.etag)
      // One run for each call: the next time round it is under way.
      begin = 'when-due'
      continue
    }
    const { run, etag } = stored
    const next = await nextPage(deps, run, fleet)
    const isKept = await store.putRun(next, etag)
    if (!isKept && ++lostRaces > LOST_RACES_MAX) return run
    // Before it is said that the run has ended, its ranking is not read, and the one before is.
    if (isKept && next.phase.kind === 'ended') {
      await store.removeRankingsBefore(next.generation)
      return next
    }
    if (clock.monotonicMs() >= endsAtMs) return next
  }
}

/** The run with one page more behind it. */
function nextPage(deps: RunForecastsDeps, run: CapacityRun, fleet: Fleet): Promise<CapacityRun> | CapacityRun {
  const { phase } = run
  switch (phase.kind) {
    case 'tenants':
      return pageOfTenants(deps, run, fleet, phase.after)
    case 'deployments':
      return pageOfDeployments(deps, run, fleet, phase.after)
    case 'ended':
      return run
    default:
      return assertNever(phase)
  }
}

async function pageOfTenants(
  deps: RunForecastsDeps,
  run: CapacityRun,
  fleet: Fleet,
  after?: TenantId,
): Promise<CapacityRun> {
  const { clock, log } = deps
  const page = await deps.tenants.list({ after, limit: PAGE_TENANTS })
  const nowMs = clock.now()
  let { tenants, deployments, failed, tierSizes } = run
  const look = async (record: TenantRecord) => {
    const own = fleet.own.get(record.tenantId) ?? []
    const outlook = await lookAtTenant(deps, record, { run, own, nowMs })
    tenants += 1
    deployments += own.length
    tierSizes = { ...tierSizes, [record.tier]: withSize(tierSizes[record.tier], peakAhead(outlook)) }
  }
  // Of one that is leaving nothing is kept any more.
  const staying = page.tenants.filter(({ state }) => state !== 'offboarding')
  await inParallel(staying, TENANTS_AT_ONCE, async (record) => {
    await look(record).catch((error: unknown) => {
      // One that is being moved or deleted, say: the others are not to wait for it.
      failed += 1
      log.warn('a tenant’s use could not be forecast', { tenantId: record.tenantId, error: describeError(error) })
    })
  })
  const phase: RunPhase = page.next ? { kind: 'tenants', after: page.next } : { kind: 'deployments', after: undefined }
  return { ...run, tenants, deployments, failed, tierSizes, phase }
}

async function pageOfDeployments(
  deps: RunForecastsDeps,
  run: CapacityRun,
  fleet: Fleet,
  after?: BackendId,
): Promise<CapacityRun> {
  const { clock, log } = deps
  const rest = after === undefined ? fleet.shared : fleet.shared.filter(({ id }) => id > after)
  const page = rest.slice(0, PAGE_DEPLOYMENTS)
  let { failed } = run
  await lookAtShared(deps, page, { run, nowMs: clock.now() }).catch((error: unknown) => {
    failed += page.length
    log.warn('deployments could not be forecast', { count: page.length, error: describeError(error) })
  })
  const looked = { ...run, deployments: run.deployments + page.length, failed }
  if (page.length < rest.length) return { ...looked, phase: { kind: 'deployments', after: page.at(-1)?.id } }
  await forgetDeployments(deps, fleet)
  return { ...looked, phase: { kind: 'ended' }, endedAtMs: clock.now() }
}

/** Of backends that were deleted. */
async function forgetDeployments({ store, alerts }: RunForecastsDeps, { ids }: Fleet): Promise<void> {
  for await (const backendId of store.deployments()) {
    if (ids.has(backendId)) continue
    const subject = { kind: 'deployment', backendId } as const
    const outlook = await store.outlook(subject)
    for (const name of outlook?.alerted ?? []) await alerts.resolve(alertIdOf(subject, name), 'The deployment is gone.')
    await store.removeDeployment(backendId)
  }
}

/** The platform's backends by who uses them. */
interface Fleet {
  readonly ids: ReadonlySet<BackendId>
  /** In order of their ids. */
  readonly shared: readonly Backend[]
  readonly own: ReadonlyMap<TenantId | undefined, readonly Backend[]>
}

async function fleetOf(backends: Pick<Backends, 'list'>): Promise<Fleet> {
  const all = (await backends.list()).map(({ backend }) => backend)
  return {
    ids: new Set(all.map(({ id }) => id)),
    shared: all.filter(isShared).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    own: Map.groupBy(
      all.filter((backend) => !isShared(backend)),
      ({ ownerTenantId }) => ownerTenantId,
    ),
  }
}

/** In the fullest minute of the days of a month on. */
function peakAhead(outlook: Outlook | undefined): number {
  const forecast = outlook?.forecasts.peakTokens
  return forecast?.kind === 'forecast' ? Math.max(0, ...forecast.expected.slice(0, AHEAD_DAYS)) : 0
}
