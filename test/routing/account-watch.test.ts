import { alertStorage, createAlerts } from '../../src/alerts/alerts'
import { createAccountWatch, HEALED_AFTER_MS } from '../../src/routing/account-watch'
import type { Backend } from '../../src/routing/backend'
import { platformTable } from '../../src/storage/platform-table'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'

const own: Backend = {
  id: 'bke_own',
  name: 'own',
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: 'https://own.openai.azure.com',
  deployment: 'chat',
  credential: { kind: 'identity' },
  region: 'swedencentral',
  capacity: 'payg',
  enabled: true,
  ownerTenantId: 'ten_a',
  directoryId: '72f988bf-86f1-41af-91ab-2d7cd011db47',
}

async function setUp() {
  const clock = handClock()
  const storage = freshStorage()
  await storage.ensure(alertStorage)
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const warnings: string[] = []
  const log = { info: () => {}, warn: (text: string) => void warnings.push(text), error: () => {} }
  const watch = createAccountWatch({ alerts, clock, log })
  /** As storage has it once all that was begun has been written. */
  const settled = async (wanted: (alert: { state: string; episode: number } | undefined) => boolean) => {
    for (;;) {
      const [alert] = await alerts.page({ after: undefined, limit: 10 })
      if (wanted(alert)) return alert
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return { clock, alerts, watch, settled, warnings }
}

describe('an account that refuses the platform', () => {
  it('is one open alert, however often it refuses, that names tenant, role and directory', async () => {
    const { watch, settled } = await setUp()
    for (let i = 0; i < 50; i++) watch.refused(own, 'HTTP 401: PermissionDenied')
    const alert = await settled((found) => found !== undefined)
    expect(alert).toMatchObject({
      id: 'backend-refuses/bke_own',
      tenantId: 'ten_a',
      audience: 'tenant',
      state: 'open',
      timesSeen: 1,
    })
    expect(alert?.detail).toContain('Cognitive Services OpenAI User')
    expect(alert?.detail).toContain(own.directoryId)
  })

  it('is resolved by the first call that is let in once it has not refused for a while, and can refuse anew', async () => {
    const { clock, watch, settled } = await setUp()
    watch.refused(own, 'HTTP 401: PermissionDenied')
    watch.admitted(own)
    await clock.advance(HEALED_AFTER_MS - 1)
    watch.admitted(own)
    expect(await settled((found) => found !== undefined)).toMatchObject({ state: 'open' })
    await clock.advance(1)
    watch.admitted(own)
    await settled((found) => found?.state === 'resolved')
    watch.refused(own, 'HTTP 403: 403')
    await settled((found) => found?.state === 'open' && found.episode === 2)
  })

  it('that lets some calls in and others not stays reported', async () => {
    const { clock, watch, settled } = await setUp()
    for (let i = 0; i < 10; i++) {
      watch.refused(own, 'HTTP 401: PermissionDenied')
      await clock.advance(HEALED_AFTER_MS / 2)
      watch.admitted(own)
    }
    expect(await settled((found) => found !== undefined)).toMatchObject({ state: 'open', timesSeen: 1 })
  })

  it('is told again by the next refusal where the alert could not be written', async () => {
    const clock = handClock()
    let attempts = 0
    const failing = async () => {
      attempts += 1
      throw new Error('storage is away')
    }
    const log = { info: () => {}, warn: () => {}, error: () => {} }
    const watch = createAccountWatch({ alerts: { raise: failing, resolve: failing }, clock, log })
    watch.refused(own, 'HTTP 401')
    watch.refused(own, 'HTTP 401')
    await clock.advance(0)
    watch.refused(own, 'HTTP 401')
    expect(attempts).toBe(2)
  })
})
