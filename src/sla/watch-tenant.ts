import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import type { Log } from '../base/log'
import type { Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import type { UsageReader } from '../usage/usage-reader'
import { FRESH_MINUTES } from './burn-rate'
import type { Circumstances } from './classify'
import { judgeTenant, seedFrom, seedOf, type TenantRun } from './judge-tenant'
import { countAll, minuteOf, startMsOf, type Minute, type MinuteCounts } from './minute-counts'
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

/**
 * Judges every minute of a tenant that is over and was not judged yet, and tells of what happened. It can be repeated, run late, twice
 * at once or be broken off anywhere: of two runs that judge the same minutes one is written, and the other goes on behind it.
 */
export async function watchTenant(
  deps: WatchTenantDeps,
  scope: TenantScope,
  isMaintenance: Circumstances['isMaintenance'],
): Promise<void> {
  const { store, clock, log } = deps
  const nowMinute = minuteOf(clock.now())
  const { objectives } = await store.policy(scope)
  for (let races = 0; races < RACES_MAX;) {
    const stored = await store.state(scope)
    const isBehind = !stored || stored.state.throughMinute < nowMinute
    if (!isBehind && stored.state.untold.length === 0) return
    // Judging does not wait for telling, which may not be possible for hours.
    const step = isBehind
      ? await judgeOn(deps, scope, { stored, objectives, nowMinute, isMaintenance })
      : await tellAndForget(deps, scope, stored)
    if (step === 'done') return
    if (step === 'lost-race') races++
  }
  log.info('another run looks after a tenant’s objectives', { tenantId: scope.tenantId })
}

/** Whether it has to be looked at although nobody calls. */
export const needsALook = ({ untold, objectives }: SlaState): boolean =>
  untold.length > 0 || Object.values(objectives).some(({ open }) => open)

/** `more`: it is written, and there is still something to judge or to tell. */
type Step = 'done' | 'more' | 'lost-race'

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
  return state.throughMinute >= nowMinute && state.untold.length === 0 ? 'done' : 'more'
}

/** Where the last run ended, unless that is too long ago: sums of a time that was passed over would be wrong. */
function startOf(known: SlaState | undefined, nowMinute: Minute): SlaState {
  const earliest = nowMinute - CATCH_UP_MINUTES_MAX
  if (known && known.throughMinute >= earliest) return known
  const open = Object.entries(known?.objectives ?? {}).filter(([, objective]) => objective.open)
  return { throughMinute: earliest, objectives: Object.fromEntries(open), untold: [] }
}

async function runOf(
  { reader, backends }: WatchTenantDeps,
  scope: TenantScope,
  { stored, objectives, nowMinute, isMaintenance }: Judging,
  state: SlaState,
): Promise<TenantRun> {
  const isOwnAccount = ownAccountsOf(await backends(), scope.tenantId)
  // Whether a call under way is lost shows in the month's report: here it counts nowhere until it ends.
  const circumstances: Circumstances = { isOwnAccount, isMaintenance, endedBeforeMs: 0 }
  const countBetween = async (its: readonly Objective[], span: Span, width: 'minute' | 'hour') =>
    span.from < span.to && its.length > 0
      ? countAll(
          its,
          reader.read(scope, { fromMs: startMsOf(span.from), toMs: startMsOf(span.to) }, width),
          circumstances,
        )
      : its.map(() => new Map())

  const { throughMinute } = state
  const from = freshFrom(throughMinute)
  const isPassedOver = stored !== undefined && stored.state.throughMinute < throughMinute
  const unknown = objectives.filter((objective) => isPassedOver || !state.objectives[countKey(objective)])
  const lately = await countBetween(unknown, { from: seedFrom(throughMinute), to: from }, 'minute')
  const monthStart = minuteOf(monthStartMs(monthOf(startMsOf(from))))
  const ofMonth = await countBetween(unknown, { from: monthStart, to: from }, 'hour')
  const seeds = new Map<string, ObjectiveState>()
  for (const [at, objective] of unknown.entries()) {
    const key = countKey(objective)
    const seed = seedOf(lately[at] ?? new Map(), ofMonth[at] ?? new Map(), throughMinute)
    seeds.set(key, { ...stored?.state.objectives[key], ...seed })
  }
  const counted = await countBetween(objectives, { from, to: nowMinute }, 'minute')
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

interface Span {
  readonly from: Minute
  readonly to: Minute
}
