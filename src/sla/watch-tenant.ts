import type { Clock } from '../base/clock'
import type { BackendId, TenantId } from '../base/ids'
import type { Log } from '../base/log'
import { spread } from '../base/spread'
import type { Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import type { UsageReader } from '../usage/usage-reader'
import { FRESH_MINUTES } from './burn-rate'
import type { Circumstances } from './classify'
import { judgeTenant, seedFrom, seedOf, type TenantRun } from './judge-tenant'
import { countAll, minuteOf, startMsOf, type Minute, type MinuteCounts, type UsagePiece } from './minute-counts'
import { monthOf, monthStartMs } from './month'
import { countKey, type Objective } from './objective'
import { ownAccountsOf } from './own-accounts'
import type { Policies } from './policies'
import type { SlaStore, StoredState } from './sla-store'
import { freshFrom, type ObjectiveState, type SlaState } from './sla-state'
import type { TellIncidents } from './tell-incidents'
import type { WatchedTenants } from './watched-tenants'

export interface WatchTenantDeps {
  readonly store: Pick<Policies, 'policy'> & Pick<SlaStore, 'state' | 'putState'>
  readonly watched: Pick<WatchedTenants, 'note' | 'forget'>
  readonly reader: UsageReader
  readonly backends: () => ReadonlyMap<BackendId, Backend> | Promise<ReadonlyMap<BackendId, Backend>>
  readonly tell: TellIncidents
  readonly clock: Clock
  readonly log: Log
}

/** In one step from the first bad one on, so that all that happens in it fits a transaction: of 10 objectives each opens an incident in 16 minutes at most. */
const JUDGED_MINUTES_MAX = 120
/** A tenant that was not looked at for longer is looked at from here on; what was before shows in its month's report only. */
export const CATCH_UP_MINUTES_MAX = 48 * 60
/** Each is lost to a run that went forward. */
const RACES_MAX = 10

/** A tenant of which nothing is open or to be told, as far as this instance has seen. */
export interface QuietTenant {
  readonly objectives: readonly Objective[]
  /** What is remembered of it is brought up to date then, so that a look that has something to judge never has much to read. */
  readonly untilMinute: Minute
}

/** At least, and up to twice as long: not all of those that were seen first in one minute are looked at again in one. */
const QUIET_MINUTES = 30

export const quietFrom = (tenantId: TenantId, objectives: readonly Objective[], minute: Minute): QuietTenant => ({
  objectives,
  untilMinute: minute + QUIET_MINUTES + spread(tenantId, QUIET_MINUTES),
})

/**
 * Judges every minute of a tenant that is over and was not judged yet, and tells of what happened. It can be repeated, run late, twice
 * at once or be broken off anywhere: of two runs that judge the same minutes one is written, and the other goes on behind it.
 */
export async function watchTenant(
  deps: WatchTenantDeps,
  scope: TenantScope,
  isMaintenance: Circumstances['isMaintenance'],
): Promise<QuietTenant | undefined> {
  const { store, clock, log } = deps
  const nowMinute = minuteOf(clock.now())
  const { objectives } = await store.policy(scope)
  for (let races = 0; races < RACES_MAX;) {
    const stored = await store.state(scope)
    const isBehind = !stored || stored.state.throughMinute < nowMinute
    if (!isBehind && stored.state.untold.length === 0) return undefined
    // Judging does not wait for telling, which may not be possible for hours.
    const step = isBehind
      ? await judgeOn(deps, scope, { stored, objectives, nowMinute, isMaintenance })
      : await tellAndForget(deps, scope, stored)
    if (step === 'quiet') return quietFrom(scope.tenantId, objectives, nowMinute)
    if (step === 'done') return undefined
    if (step === 'lost-race') races++
  }
  log.info('another run looks after a tenant’s objectives', { tenantId: scope.tenantId })
  return undefined
}

/**
 * Whether there is nothing to judge of what came in since: all of it was good. While nothing is open nothing happens before the first call
 * that was not, so minutes without one are judged together, later.
 */
export async function staysQuiet(
  deps: Pick<WatchTenantDeps, 'backends' | 'clock'>,
  { objectives, untilMinute }: QuietTenant,
  since: {
    readonly tenantId: TenantId
    readonly pieces: readonly UsagePiece[]
    readonly isMaintenance: Circumstances['isMaintenance']
  },
): Promise<boolean> {
  if (minuteOf(deps.clock.now()) >= untilMinute) return false
  const counted = await countAll(objectives, since.pieces, await circumstancesOf(deps, since))
  return counted.every((minutes) => [...minutes.values()].every(({ tally }) => tally.bad === 0))
}

/** Whether it has to be looked at although nobody calls. */
export const needsALook = ({ untold, objectives }: SlaState): boolean =>
  untold.length > 0 || Object.values(objectives).some(({ open }) => open)

/** `quiet`: done, and nothing is open. `more`: it is written, and there is still something to judge or to tell. */
type Step = 'done' | 'quiet' | 'more' | 'lost-race'

async function tellAndForget(
  { store, tell }: WatchTenantDeps,
  scope: TenantScope,
  { state, etag }: StoredState,
): Promise<Step> {
  for (const telling of state.untold) await tell(scope, telling)
  return (await store.putState(scope, { state: { ...state, untold: [] }, etag, incidents: [] })) ? 'done' : 'lost-race'
}

interface Judging {
  readonly stored: StoredState | undefined
  readonly objectives: readonly Objective[]
  readonly nowMinute: Minute
  readonly isMaintenance: Circumstances['isMaintenance']
}

/** The next minutes. */
async function judgeOn(deps: WatchTenantDeps, scope: TenantScope, judging: Judging): Promise<Step> {
  const { store, watched } = deps
  const { stored, nowMinute } = judging
  const { state, changed } = judgeTenant(await runOf(deps, scope, judging, startOf(stored?.state, nowMinute)))
  const isNews = needsALook(state) && !(stored && needsALook(stored.state))
  // Before, since nobody would look again after a crash; and behind it, since a run that found nothing may have forgotten it meanwhile.
  if (isNews) await watched.note(scope.tenantId)
  const isWritten = await store.putState(scope, { state, etag: stored?.etag, incidents: changed })
  if (isNews && isWritten) await watched.note(scope.tenantId)
  if (!isWritten) return 'lost-race'
  if (state.throughMinute < nowMinute || state.untold.length > 0) return 'more'
  return needsALook(state) ? 'done' : 'quiet'
}

/** Where the last run ended, unless that is too long ago: sums of a time that was passed over would be wrong. */
function startOf(known: SlaState | undefined, nowMinute: Minute): SlaState {
  const earliest = nowMinute - CATCH_UP_MINUTES_MAX
  if (known && known.throughMinute >= earliest) return known
  const open = Object.entries(known?.objectives ?? {}).filter(([, objective]) => objective.open)
  return { throughMinute: earliest, objectives: Object.fromEntries(open), untold: [] }
}

async function circumstancesOf(
  { backends }: Pick<WatchTenantDeps, 'backends'>,
  { tenantId, isMaintenance }: { tenantId: TenantId; isMaintenance: Circumstances['isMaintenance'] },
): Promise<Circumstances> {
  const isOwnAccount = ownAccountsOf(await backends(), tenantId)
  // Whether a call under way is lost shows in the month's report: here it counts nowhere until it ends.
  return { isOwnAccount, isMaintenance, endedBeforeMs: 0 }
}

async function runOf(
  deps: WatchTenantDeps,
  scope: TenantScope,
  { stored, objectives, nowMinute, isMaintenance }: Judging,
  state: SlaState,
): Promise<TenantRun> {
  const circumstances = await circumstancesOf(deps, { tenantId: scope.tenantId, isMaintenance })
  const { throughMinute } = state
  const from = freshFrom(throughMinute)
  const isPassedOver = stored !== undefined && stored.state.throughMinute < throughMinute
  const unknown = objectives.filter((objective) => isPassedOver || !state.objectives[countKey(objective)])
  const monthStart = minuteOf(monthStartMs(monthOf(startMsOf(from))))
  // Of an objective that is new, also what its windows and its month have to begin with; lately that is minutes, and before it hours.
  const span = {
    fromMs: startMsOf(unknown.length > 0 ? Math.min(monthStart, seedFrom(throughMinute)) : from),
    toMs: startMsOf(nowMinute),
  }
  const known =
    span.fromMs < span.toMs && objectives.length > 0
      ? await countAll(objectives, deps.reader.read(scope, span, 'hour'), circumstances)
      : []
  const countedIn = (objective: Objective, fromMinute: Minute, toMinute: Minute) =>
    new Map(
      [...(known[objectives.indexOf(objective)] ?? [])].filter(([minute]) => minute >= fromMinute && minute < toMinute),
    )
  const seeds = new Map<string, ObjectiveState>()
  for (const objective of unknown) {
    const key = countKey(objective)
    const lately = countedIn(objective, seedFrom(throughMinute), from)
    const seed = seedOf(lately, countedIn(objective, monthStart, from), throughMinute)
    seeds.set(key, { ...stored?.state.objectives[key], ...seed })
  }
  const counted = objectives.map((objective) => countedIn(objective, from, nowMinute))
  const isAnyOpen = Object.values(state.objectives).some(({ open }) => open)
  const eventfulFrom = isAnyOpen ? throughMinute : firstBad(counted, throughMinute)
  return {
    tenantId: scope.tenantId,
    objectives,
    state,
    seeds,
    counted: new Map(objectives.map((objective, at) => [countKey(objective), counted[at] ?? new Map()])),
    toMinute: Math.min(nowMinute, eventfulFrom + JUDGED_MINUTES_MAX),
  }
}

/** While nothing is open nothing happens before it: such minutes are judged in one step, however many they are. */
function firstBad(counted: readonly ReadonlyMap<Minute, MinuteCounts>[], fromMinute: Minute): Minute {
  let first = Infinity
  for (const minutes of counted)
    for (const [minute, { tally }] of minutes)
      if (tally.bad > 0 && minute >= fromMinute - FRESH_MINUTES) first = Math.min(first, minute)
  return Math.max(first, fromMinute)
}
