import type { StepHost } from '../../src/checklists/checklist'
import { auditStorage } from '../../src/audit/chain-rows'
import { createAuditLog } from '../../src/audit/create-audit-log'
import { runChecklist } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepRequest } from '../../src/checklists/run-step'
import { dataKeyStorage } from '../../src/encryption/tenant-keys'
import { createCertificateSigner, signingStorage } from '../../src/offboarding/certificate'
import { createExporter } from '../../src/offboarding/exporter'
import { offboardingChecklist } from '../../src/offboarding/offboarding-checklist'
import type { TenantStore } from '../../src/offboarding/tenant-store'
import { allStorageNeeds } from '../../src/storage-needs'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { tenantInput } from '../../src/tenants/tenant-input'
import { handRun } from '../checklists/hand-run'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { lifecycleParts } from './lifecycle-parts'

const storage = freshStorage()
beforeAll(async () => {
  for (const needs of [allStorageNeeds, auditStorage, dataKeyStorage, signingStorage]) await storage.ensure(needs)
})

const clock = handClock(Date.UTC(2026, 2, 1))
const parts = lifecycleParts(storage, clock)

/** Two resources of a cloud that are gone only when they have been asked for `polls` times. */
function cloud(polls: number) {
  let left = 2
  let asked = 0
  const store: TenantStore = {
    name: 'model deployments',
    holds: {},
    census: async () => left,
    remove: async () => {
      if (++asked > polls) left = 0
      return left === 0 ? { kind: 'removed' } : { kind: 'not-yet', againAfterMs: 15_000 }
    },
  }
  return store
}

/** A host with one ended operation of whatever tenant is offboarded, at those of the looks (from 1) where it is found. */
const hostWith = (looks: readonly number[], purged: string[] = []): StepHost['orchestrations'] => {
  let look = 0
  return {
    running: async () => [],
    ended: async () => (looks.includes(++look) ? [{ instanceId: 'mov_1', input: { tenantId: offboarded } }] : []),
    purge: async (instanceId) => void purged.push(instanceId),
  }
}
let offboarded: string

/** An offboarding, walked without a host, where a tenant has something in `store` too. */
async function offboard(store: TenantStore, orchestrations: StepHost['orchestrations'] = hostWith([])) {
  const scope = TenantScope.ofPlatform(parts.ids.tenantId())
  offboarded = scope.tenantId
  const tenant = { displayName: 'Slow', contact: { email: 'a@slow.example' }, tier: 'free', region: 'swedencentral' }
  await parts.tenants.register(scope.tenantId, tenantInput.parse(tenant))
  await parts.keyring.create(scope)
  const checklist = offboardingChecklist({
    ...parts,
    stores: { ...parts.stores, data: [...parts.stores.data, store] },
    exporter: createExporter({
      ...parts,
      container: storage.container('exports'),
      secret: 'none is made',
      validMs: 0,
      clock,
      filesOf: async function* () {},
    }),
    signer: createCertificateSigner({
      rows: platformTable(storage.table('signingkeys')),
      wrappingKey: parts.wrappingKey,
      newKeyId: () => parts.ids.keyId(),
    }),
    audit: createAuditLog({
      tenantRows: tenantTable(storage.table('audit')),
      platformRows: platformTable(storage.table('audit')),
      clock,
      chance: parts.chance,
    }),
    publicUrl: 'http://platform.example',
    graceMs: 0,
    clock,
  })
  const runStep = createRunStep(checklist, { log: parts.log, alert: async () => {} })
  const input = { requestedBy: 'a test', withExport: false }
  const ended = await handRun((steps) => runChecklist(steps, planOf(checklist), { tenantId: scope.tenantId, input }), {
    activity: (_, request) => runStep(request as StepRequest, { orchestrations }),
  })
  return { ...ended, offboarding: await parts.offboardings.get(scope.tenantId) }
}

describe('what a cloud takes minutes to delete', () => {
  it('holds up the offboarding until it is gone, and is counted as it was at the beginning', async () => {
    const { output, elapsedMs, offboarding } = await offboard(cloud(10))
    expect(output.state).toBe('completed')
    expect(elapsedMs).toBe(10 * 15_000)
    expect(offboarding).toMatchObject({ removed: { 'model deployments': 2 }, certificate: expect.any(String) })
    expect(offboarding?.swept?.looked).toContain('model deployments')
  })

  it('but says that it is removed while it is not, gets no certificate', async () => {
    const lying: TenantStore = { ...cloud(0), census: async () => 2, remove: async () => ({ kind: 'removed' }) }
    const { output, offboarding } = await offboard(lying)
    expect(output.state).toBe('failed')
    expect(output.steps.find(({ id }) => id === 'sweep')).toMatchObject({
      state: 'failed',
      attempts: 5,
      error: { code: 'offboarding_incomplete', detail: 'Something of the tenant is left: model deployments (2).' },
    })
    expect(offboarding?.certificate).toBeUndefined()
  })
})

describe('the histories of a tenant’s operations', () => {
  it('are removed with its record, and looked for again by the sweep', async () => {
    const purged: string[] = []
    const { output, offboarding } = await offboard(cloud(0), hostWith([1], purged))
    expect(output.state).toBe('completed')
    expect(purged).toEqual(['mov_1'])
    expect(offboarding?.swept?.looked).toContain('histories of operations')
  })

  it('that turn up after it are found by the sweep, which removes them and looks again', async () => {
    const purged: string[] = []
    const { output } = await offboard(cloud(0), hostWith([2], purged))
    expect(output.state).toBe('completed')
    expect(output.steps.find(({ id }) => id === 'sweep')?.attempts).toBe(2)
    expect(purged).toEqual(['mov_1'])
  })

  it('that do not go keep the tenant from being certified as deleted', async () => {
    const { output, offboarding } = await offboard(cloud(0), hostWith([1, 2, 3, 4, 5, 6]))
    expect(output.steps.find(({ id }) => id === 'sweep')).toMatchObject({
      state: 'failed',
      error: { code: 'offboarding_incomplete', detail: expect.stringContaining('histories of operations (1)') },
    })
    expect(offboarding?.certificate).toBeUndefined()
  })
})
