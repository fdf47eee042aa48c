import type { BackendId, TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { HOUR_MS } from '../metering/log-blob-name'
import { TenantScope } from '../storage/tenant-scope'
import { carryOut, MEASURE_MS_LEFT_MIN, putMeasure, raiseAlert, type CarryOutDeps } from './carry-out'
import { allowedRung, climbLadder, harms } from './climb-ladder'
import type { Found, Verdict } from './find-noisy-neighbours'
import { alertIdOf, type Finding } from './finding'
import { keyOf, type NeighbourStore, type StoredFinding } from './neighbour-store'
import type { NoisyPolicy, TenantPolicy } from './noisy-policy'
import { poolsOf } from './pools'

export interface FindingsDeps extends CarryOutDeps {
  readonly store: NeighbourStore
  readonly log: Log
}

/** Findings of one platform at one time, those of the last hours among them. What is beyond is found when others are over. */
export const FINDINGS_MAX = 1_000
/** What is over is shown, and kept from becoming usual, for so long. */
export const SHOWN_MS = 3 * HOUR_MS

/** The findings as one run of the timer goes on with them. */
export interface FindingsRun {
  /** Found, and not over. */
  isOpen(tenantId: TenantId, poolId: BackendId): boolean
  /** Whether the tenant was in others' way in any part of the hour. */
  wasNoisy(place: Pick<Finding, 'tenantId' | 'poolId'>, hourStartMs: number): boolean
  /** Goes on with every finding, and begins new ones; how many were changed. Of what is not among the verdicts it is calm. */
  decide(found: readonly Found[]): Promise<number>
}

export async function createFindingsRun(deps: FindingsDeps, endMs: number): Promise<FindingsRun> {
  const known = new Map<string, StoredFinding>()
  for await (const stored of deps.store.findings()) {
    if (known.size >= FINDINGS_MAX) break
    known.set(stored.key, stored)
  }
  return {
    isOpen: (tenantId, poolId) => known.get(keyOf({ tenantId, poolId }))?.finding.ladder !== undefined,
    wasNoisy: (place, hourStartMs) => {
      const finding = known.get(keyOf(place))?.finding
      if (!finding) return false
      return finding.foundAtMs < hourStartMs + HOUR_MS && (finding.closedAtMs ?? Infinity) > hourStartMs
    },
    decide: async (found) => {
      const verdicts = new Map(found.map((each) => [keyOf(each), each]))
      let changed = 0
      const go = async (key: string, work: () => Promise<boolean>) => {
        const isChanged = await work().catch((error: unknown) => {
          // What is due stays due, and the next minute tries again.
          deps.log.error('a noisy neighbour could not be dealt with', { key, error: describeError(error) })
          return false
        })
        if (isChanged) changed += 1
      }
      for (const [key, stored] of known)
        await go(key, () => goOn(deps, stored, { verdict: verdicts.get(key)?.verdict, endMs }))
      let room = FINDINGS_MAX - known.size
      for (const [key, each] of verdicts) {
        if (known.has(key) || room <= 0) continue
        room -= 1
        await go(key, () => begin(deps, each, endMs))
      }
      return changed
    },
  }
}

/** One that is there already. */
async function goOn(
  deps: FindingsDeps,
  stored: StoredFinding,
  { verdict, endMs }: { verdict: Verdict | undefined; endMs: number },
): Promise<boolean> {
  const nowMs = deps.clock.now()
  const scope = TenantScope.ofPlatform(stored.finding.tenantId)
  const own = await deps.store.policies.get(scope)
  const { finding, etag } = await settle(deps, stored, own.policy)
  if (finding.judgedMs >= endMs) return false
  if (!finding.ladder && finding.closedAtMs !== undefined && verdict?.kind !== 'noisy') {
    if (nowMs - finding.closedAtMs < SHOWN_MS) return false
    await deps.store.removeFinding(finding, etag)
    return true
  }
  const before = finding.ladder ? finding : undefined
  return judge(deps, { ...(before ?? reborn(finding, nowMs)), judgedMs: endMs }, { verdict, own, etag })
}

/** It comes back: a finding of its own, under the same key. */
function reborn(finding: Finding, nowMs: number): Finding {
  const { closedAtMs: _closed, tokensPerMinute: _throttled, ...rest } = finding
  return { ...rest, foundAtMs: nowMs, told: [], harms: false }
}

async function begin(deps: FindingsDeps, { tenantId, poolId, verdict }: Found, endMs: number): Promise<boolean> {
  const tenant = await deps.tenantOf(tenantId)
  const pool = tenant && poolsOf(tenant).find(({ id }) => id === poolId)
  if (!pool || verdict.kind !== 'noisy') return false
  const own = await deps.store.policies.get(TenantScope.ofPlatform(tenantId))
  const finding: Finding = {
    tenantId,
    poolId,
    backendIds: pool.backendIds,
    aliases: pool.aliases,
    foundAtMs: deps.clock.now(),
    judgedMs: endMs,
    evidence: verdict.evidence,
    harms: true,
    told: [],
  }
  return judge(deps, finding, { verdict, own, etag: undefined })
}

/** Writes what is decided before it is done: of two runs at a time one decides, and what a crash leaves undone is known. */
async function judge(
  deps: FindingsDeps,
  finding: Finding,
  { verdict, own, etag }: { verdict: Verdict | undefined; own: TenantPolicy; etag: string | undefined },
): Promise<boolean> {
  const { policy, liftedToMs } = own
  const nowMs = deps.clock.now()
  const allowed = allowedRung(policy, nowMs < liftedToMs)
  const step = climbLadder(finding.ladder, { verdict, policy, allowed, nowMs })
  const { ladder, ...rest } = finding
  const seen = { ...rest, harms: harms(verdict), ...(verdict ? { evidence: verdict.evidence } : {}) }
  switch (step.kind) {
    case 'stay': {
      const stays = { ...seen, ladder: step.ladder }
      const written = await deps.store.putFinding(stays, etag)
      if (written === undefined) return false
      await keepUp(deps, { finding: stays, etag: written }, { policy, harmedBefore: finding.harms })
      return false
    }
    case 'to':
    case 'over': {
      const next: Finding = step.kind === 'to' ? { ...seen, ladder: step.ladder } : { ...seen, closedAtMs: nowMs }
      const due = { from: ladder?.rung, to: next.ladder?.rung, why: step.why, atMs: nowMs }
      const decided: Finding = { ...next, due }
      const written = await deps.store.putFinding(decided, etag)
      if (written === undefined) return false
      await done(deps, { finding: decided, etag: written }, { policy, mayBeDone: false })
      deps.log.info('a noisy neighbour was dealt with', {
        tenantId: finding.tenantId,
        poolId: finding.poolId,
        from: due.from,
        to: due.to,
        why: due.why,
      })
      return true
    }
  }
}

interface Written {
  readonly finding: Finding
  readonly etag: string
}

/** What a run before had decided and did not get to do. */
const settle = async (deps: FindingsDeps, stored: StoredFinding, policy: NoisyPolicy): Promise<Written> =>
  stored.finding.due ? done(deps, stored, { policy, mayBeDone: true }) : stored

async function done(
  deps: FindingsDeps,
  { finding, etag }: Written,
  how: { policy: NoisyPolicy; mayBeDone: boolean },
): Promise<Written> {
  const carried = await carryOut(deps, finding, how)
  const written = await deps.store.putFinding(carried, etag)
  // Somebody else was faster, who found the same due and does the same.
  if (written === undefined) throw new Error(`the finding ${keyOf(finding)} was changed meanwhile`)
  return { finding: carried, etag: written }
}

/** Between rungs: a measure is renewed before it ends, and operators learn that others recover, or suffer again. */
async function keepUp(
  deps: FindingsDeps,
  { finding, etag }: Written,
  { policy, harmedBefore }: { policy: NoisyPolicy; harmedBefore: boolean },
): Promise<void> {
  const { ladder, measureToMs } = finding
  if (!ladder) return
  const isHeldBack = ladder.rung !== 'notify'
  if (isHeldBack && harmedBefore && !finding.harms)
    await deps.alerts.mitigate(
      alertIdOf(finding),
      `Others have recovered; it stays at ${ladder.rung} until it is calm.`,
    )
  if (!harmedBefore && finding.harms) await raiseAlert(deps, finding, ladder.rung)
  const ends = measureToMs ?? 0
  if (ladder.rung === 'quarantine' || !isHeldBack || ends - deps.clock.now() >= MEASURE_MS_LEFT_MIN) return
  await deps.store.putFinding(await putMeasure(deps, finding, policy), etag)
}
