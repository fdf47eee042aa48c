import type { BackendId } from '../../src/base/ids'
import { HOSTING_OPERATION } from '../../src/hosting/hosting-entry'
import { IDLE_MS_MAX, idleMsOf, isIdle, type UseRow } from '../../src/hosting/judge-idle'
import type { DeploymentPlan, ModelDeployment } from '../../src/registry/model-version'
import { wakeWaitMs, type AsleepBackend } from '../../src/tenants/asleep-backend'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 0, 10)
const OWN: BackendId = `bke_${'a'.repeat(26)}`
const OTHER: BackendId = `bke_${'b'.repeat(26)}`
const plan: DeploymentPlan = { accountId: '/a', name: 'tuned', sku: 'Standard', capacity: 1, backendId: OWN }
const deployed = (agoMs: number): ModelDeployment => ({ kind: 'deployed', plan, sinceMs: NOW - agoMs })
const row = (more: Partial<UseRow>): UseRow => ({ operation: 'chat', calls: 0, unsettled: 0, ...more })
const judge = (deployment: ModelDeployment, ...uses: UseRow[]) =>
  isIdle({ deployment, uses, aliases: new Set(['tuned', 'support']), idleMs: 3 * HOUR, nowMs: NOW })

describe('a deployment', () => {
  it('that nobody has called for as long as it may go without is idle', () => {
    expect(judge(deployed(3 * HOUR))).toBe(true)
    expect(judge(deployed(3 * HOUR), row({ alias: 'chat', backend: OTHER, calls: 9 }))).toBe(true)
  })

  it('that has not been there for so long is not, called or not', () => {
    expect(judge(deployed(3 * HOUR - 1))).toBe(false)
  })

  it.each(['none', 'deploying', 'asleep', 'removing'] as const)('that is %s is not', (kind) => {
    const others = { none: { kind }, deploying: { kind, plan, sinceMs: 0 }, asleep: { kind, plan, sinceMs: 0 } }
    const removing = { kind: 'removing', plan, sinceMs: 0, to: 'asleep', isDrained: false } as const
    expect(judge(kind === 'removing' ? removing : (others[kind] as ModelDeployment))).toBe(false)
  })

  it('is in use by one call of whatever alias that it has answered', () => {
    expect(judge(deployed(9 * HOUR), row({ alias: 'anything', backend: OWN, calls: 1 }))).toBe(false)
  })

  it('is in use by a call that has not ended, of an alias that leads to it', () => {
    expect(judge(deployed(9 * HOUR), row({ alias: 'support', backend: null, unsettled: 1 }))).toBe(false)
    expect(judge(deployed(9 * HOUR), row({ alias: 'chat', backend: null, unsettled: 1 }))).toBe(true)
  })

  it('is not in use by what was booked of its hosting, or by calls that found it asleep', () => {
    const hours = row({ alias: 'tuned', backend: OWN, operation: HOSTING_OPERATION, calls: 72 })
    const refused = row({ alias: 'tuned', backend: null, calls: 5 })
    expect(judge(deployed(9 * HOUR), hours, refused)).toBe(true)
  })
})

describe('the time that a tenant’s models may be idle', () => {
  it('is what the tenant says, else the platform’s, and never as long as Azure’s own 15 days', () => {
    expect(idleMsOf({}, 72 * HOUR)).toBe(72 * HOUR)
    expect(idleMsOf({ tunedModels: { idleHours: 1 } }, 72 * HOUR)).toBe(HOUR)
    expect(idleMsOf({ tunedModels: { idleHours: 10_000 } }, 72 * HOUR)).toBe(IDLE_MS_MAX)
    expect(idleMsOf({}, 99_999 * HOUR)).toBe(IDLE_MS_MAX)
    expect(IDLE_MS_MAX).toBeLessThan(15 * 24 * HOUR)
  })
})

describe('the wait that a call of a sleeping model is told', () => {
  const asleep: AsleepBackend = { backendId: OWN, modelId: `mdl_${'a'.repeat(26)}`, sinceMs: 0, wakeMs: 100_000 }
  const waking = (passedMs: number, stage: 'making' | 'trying' = 'making') =>
    wakeWaitMs({ ...asleep, waking: { sinceMs: NOW - passedMs, stage } }, NOW)

  it('is what it took before, less what has passed', () => {
    expect(wakeWaitMs(asleep, NOW)).toBe(100_000)
    expect(waking(0)).toBe(100_000)
    expect(waking(60_000)).toBe(40_000)
  })

  it('beyond that grows with what it has taken, rather than saying "now" again and again', () => {
    expect(waking(100_000)).toBe(25_000)
    expect(waking(400_000)).toBe(100_000)
  })

  it('is short once the deployment is there', () => {
    expect(waking(10_000, 'trying')).toBe(5_000)
    expect(waking(98_000, 'trying')).toBe(2_000)
  })

  it('is never nothing', () => {
    expect(waking(99_999)).toBe(1_000)
    expect(wakeWaitMs({ ...asleep, wakeMs: 5 }, NOW)).toBe(1_000)
  })

  it('after a refusal is until somebody tries again, and what that takes', () => {
    const refused = { code: 'provisioning_refused', untilMs: NOW + 60_000 }
    expect(wakeWaitMs({ ...asleep, refused }, NOW)).toBe(160_000)
    expect(wakeWaitMs({ ...asleep, refused }, NOW + 60_000)).toBe(100_000)
  })
})
