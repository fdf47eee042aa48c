import type { Alerts } from '../alerts/alerts'
import type { AuditEvent, AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { TenantScope } from '../storage/tenant-scope'
import type { Measure } from '../tenants/measure'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { Tenants } from '../tenants/tenants'
import { quarantineEndMs, rankOf } from './climb-ladder'
import type { Evidence, Victim } from './find-noisy-neighbours'
import { alertIdOf, requestIdOf, TOLD_MAX, type Change, type Finding } from './finding'
import type { NoisyPolicy, Rung } from './noisy-policy'
import { MINUTE_MS } from './pool-normal'

export interface CarryOutDeps {
  readonly tenants: Pick<Tenants, 'setMeasure'>
  readonly alerts: Pick<Alerts, 'raise' | 'mitigate' | 'resolve'>
  readonly audit: Pick<AuditLog, 'append' | 'head' | 'page'>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly clock: Clock
}

/** A measure that nobody renews ends after so long: the timer runs each minute. */
export const MEASURE_MS = 60 * MINUTE_MS
/** Renewed when less than this is left of it: each renewal is a change of the tenant's record. */
export const MEASURE_MS_LEFT_MIN = 30 * MINUTE_MS
/** Entries of a log that are looked through for one that was written before a crash. */
const AUDIT_LOOK_BACK = 100
/** A call has to fit what a tenant is throttled to. */
const THROTTLE_TOKENS_MIN = 10_000

/** Who is written down as having done it. */
const ACTOR = { kind: 'orchestration', id: 'watch-noisy-neighbours' } as const

/**
 * Does what was decided of a finding, and answers it as it is then, with nothing due. Every part can be repeated after a crash: the
 * measure is put in place of the one before, the alert has one id, and a log that has the entry gets no second one.
 */
export async function carryOut(
  deps: CarryOutDeps,
  finding: Finding,
  { policy, mayBeDone }: { policy: NoisyPolicy; mayBeDone: boolean },
): Promise<Finding> {
  const { due } = finding
  if (!due) return finding
  const throttled = withThrottle(finding, policy)
  const measured = await putMeasure(deps, throttled, policy)
  await tellOperators(deps, measured, due)
  const told = await tellTenants(deps, measured, { change: due, mayBeDone })
  const { due: _done, ...done } = measured
  return { ...done, told }
}

/** What it is throttled to is decided once: its share shrinks with its load, and must not follow that down. */
function withThrottle(finding: Finding, { throttleShare }: NoisyPolicy): Finding {
  const { tokensPerMinute, ...rest } = finding
  if (finding.ladder?.rung === 'quarantine') return finding
  if (finding.ladder?.rung !== 'throttle') return rest
  const entitled = Math.round(finding.evidence.entitled * throttleShare)
  return { ...rest, tokensPerMinute: tokensPerMinute ?? Math.max(THROTTLE_TOKENS_MIN, entitled) }
}

/** In effect on every instance within the snapshot's age. A tenant that has gone meanwhile needs none. */
export async function putMeasure(
  { tenants, clock }: Pick<CarryOutDeps, 'tenants' | 'clock'>,
  finding: Finding,
  policy: NoisyPolicy,
): Promise<Finding> {
  const { measureToMs: before, ...rest } = finding
  const measure = measureFor(finding, policy, clock.now())
  if (!measure && before === undefined && finding.due?.from === undefined) return finding
  const result = await tenants.setMeasure(TenantScope.ofPlatform(finding.tenantId), finding.poolId, measure)
  if (result instanceof Problem && result.code !== 'not_found')
    throw new Error(`the measure of ${finding.tenantId} could not be set: ${result.code}`)
  return measure ? { ...rest, measureToMs: measure.untilMs } : rest
}

/** Pure. Undefined where nothing is to hold the tenant back. */
export function measureFor(finding: Finding, policy: NoisyPolicy, nowMs: number): Measure | undefined {
  const { ladder, poolId, backendIds, tokensPerMinute } = finding
  const place = { poolId, backendIds, untilMs: nowMs + MEASURE_MS }
  const { weightShare } = policy
  switch (ladder?.rung) {
    case undefined:
    case 'notify':
      return undefined
    case 'lower-weight':
      return { kind: 'lower-weight', weightShare, ...place }
    case 'throttle':
      return { kind: 'throttle', weightShare, tokensPerMinute: tokensPerMinute ?? THROTTLE_TOKENS_MIN, ...place }
    case 'quarantine':
      return { kind: 'quarantine', ...place, untilMs: quarantineEndMs(ladder, policy) }
  }
}

async function tellOperators({ alerts }: CarryOutDeps, finding: Finding, { from, to, why }: Change): Promise<void> {
  const id = alertIdOf(finding)
  if (!to) return alerts.resolve(id, 'It asks for no more than is usual, and every measure is undone.')
  const isUp = from === undefined || rankOf(to) > rankOf(from)
  if (isUp) await raiseAlert({ alerts }, finding, to)
  else await alerts.mitigate(id, `Now ${to}: ${reasons[why]}`)
}

/** Also for one that harms again after others had recovered. */
export const raiseAlert = ({ alerts }: Pick<CarryOutDeps, 'alerts'>, finding: Finding, rung: Rung): Promise<void> =>
  alerts.raise({
    id: alertIdOf(finding),
    kind: 'noisy-neighbour',
    tenantId: finding.tenantId,
    severity: rung === 'notify' || rung === 'lower-weight' ? 'warning' : 'critical',
    title: `${finding.tenantId} is in other tenants’ way at ${finding.backendIds.join(', ')}`,
    detail: `${sentenceOf(finding.evidence)} Now: ${rung}. Where this load is welcome, set the tenant’s noisy policy or lift the measures.`,
    evidence: evidenceJson(finding.evidence),
  })

export const reasons: Readonly<Record<Change['why'], string>> = {
  found: 'others suffer',
  'went-on': 'others went on suffering',
  calm: 'it asked for no more than is usual for a while',
  'quarantine-over': 'the quarantine’s time is over',
  'not-allowed': 'an operator allows no more',
}

const percent = (share: number) => `${Math.round(100 * share)} %`

const sentenceOf = ({ load, usual, share, entitledShare, impairedShare, victims }: Evidence): string =>
  `It uses ${load} tokens a minute there, where ${usual} are usual at this hour: ${percent(share)} of all, and ${percent(entitledShare)} is its share. ` +
  `Of others’ calls ${percent(impairedShare)} are slow or lost; most affected: ${victims.map(({ tenantId }) => tenantId).join(', ') || 'nobody by itself'}.`

const evidenceJson = ({ victims, ...figures }: Evidence) => ({
  ...figures,
  victims: victims.map(({ p95Ms, usualP95Ms, ...victim }) => ({
    ...victim,
    p95Ms: p95Ms ?? null,
    usualP95Ms: usualP95Ms ?? null,
  })),
})

/** Each learns its own part from its log, and no other tenant's name (I3). Answers who has been told of being affected. */
async function tellTenants(
  deps: CarryOutDeps,
  finding: Finding,
  { change, mayBeDone }: { change: Change; mayBeDone: boolean },
): Promise<readonly TenantId[]> {
  const write = (tenantId: TenantId, event: AuditEvent) => writeOnce(deps, tenantId, { event, mayBeDone })
  const requestId = requestIdOf(finding)
  await write(finding.tenantId, { ...culpritEvent(finding, change), requestId })
  const told = [...finding.told]
  if (change.why === 'found' || change.why === 'went-on') {
    for (const victim of finding.evidence.victims) {
      if (told.includes(victim.tenantId) || told.length >= TOLD_MAX) continue
      await write(victim.tenantId, { ...affectedEvent(victim), requestId })
      told.push(victim.tenantId)
    }
  }
  if (change.to !== undefined) return told
  for (const tenantId of told) await write(tenantId, { ...overEvent, requestId })
  return []
}

const culpritEvent = (
  { aliases, evidence, tokensPerMinute }: Finding,
  { from, to, why }: Change,
): Omit<AuditEvent, 'requestId'> => ({
  actor: ACTOR,
  action: 'neighbours.measure',
  target: aliases.join(' '),
  outcome: 'done',
  details: {
    from: from ?? 'none',
    to: to ?? 'none',
    why: reasons[why],
    tokensAMinute: evidence.load,
    usual: evidence.usual,
    entitled: evidence.entitled,
    ...(to === 'throttle' && tokensPerMinute !== undefined ? { throttledTo: tokensPerMinute } : {}),
  },
})

const affectedEvent = ({ calls, impaired, p95Ms, usualP95Ms }: Victim): Omit<AuditEvent, 'requestId'> => ({
  actor: ACTOR,
  action: 'neighbours.affected',
  target: 'inference',
  outcome: 'done',
  details: {
    what: 'Your latency was affected by other load.',
    calls,
    impaired,
    ...(p95Ms === undefined ? {} : { p95Ms }),
    ...(usualP95Ms === undefined ? {} : { usualP95Ms }),
  },
})

const overEvent: Omit<AuditEvent, 'requestId'> = {
  actor: ACTOR,
  action: 'neighbours.recovered',
  target: 'inference',
  outcome: 'done',
  details: { what: 'The other load that affected your latency is over.' },
}

/** A tenant that is being deleted gets no new rows. */
async function writeOnce(
  { audit, tenantOf }: CarryOutDeps,
  tenantId: TenantId,
  { event, mayBeDone }: { event: AuditEvent; mayBeDone: boolean },
): Promise<void> {
  const state = (await tenantOf(tenantId))?.state
  if (state !== 'active' && state !== 'suspended') return
  const scope = TenantScope.ofPlatform(tenantId)
  if (mayBeDone && (await isWritten(audit, scope, event))) return
  await audit.append(scope, event)
}

async function isWritten(audit: CarryOutDeps['audit'], scope: TenantScope, event: AuditEvent): Promise<boolean> {
  const { sequence } = await audit.head(scope)
  const entries = await audit.page(scope, { after: Math.max(0, sequence - AUDIT_LOOK_BACK), limit: AUDIT_LOOK_BACK })
  const last = entries.findLast(({ requestId, action }) => requestId === event.requestId && action === event.action)
  return last?.details?.['to'] === event.details?.['to'] && last !== undefined
}
