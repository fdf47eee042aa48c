import { modelAccounts, simulatedGroup } from '../../local/drill/model-accounts'
import { pairedConnection } from '../../local/drill/paired-account'
import { FIRST_REGION, PAIRED_REGION, recoveryDrill, replicate } from '../../local/drill/recovery-drill'
import { connectStorage } from '../../src/storage/connect'
import { eventually } from '../conformance/eventually'
import { postSurely } from '../harness/post-surely'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { modelOf, runTimer, type ShownModel } from '../hosting/stack-model'
import { lessons } from '../tuning/tuning-stack'
import { toFile } from 'openai'

const paired = pairedConnection(testConnectionString())
let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({
    TENANTRY_TUNING_POLL_SECONDS: '1',
    TENANTRY_OFFBOARDING_GRACE_SECONDS: '0',
    TENANTRY_RECOVERY_REGION: PAIRED_REGION,
    TENANTRY_RECOVERY_STORAGE: paired,
  })
  await stack.configureSimulator({ fineTuning: { speed: 6_000, jobsMax: 200 } })
})
afterAll(() => stack.stop())

const connect = (text: string) =>
  connectStorage({ kind: 'connection-string', connectionString: text }, stack.storagePrefix)

describe('the drill', () => {
  it('brings a tenant’s models back from the paired region after the first has lost them', async () => {
    const result = await recoveryDrill({ ...stack, connectionString: testConnectionString() })
    expect(result).toMatchObject({ isWhole: true })
    expect(result.rtoMs).toBeGreaterThan(0)
  })
})

describe('a tuned model', () => {
  let tenant: TestTenant
  let tuned: ReturnType<typeof modelOf>
  let model: ShownModel
  let first: string
  beforeAll(async () => {
    const accounts = await modelAccounts(stack.simulatorUrl)
    // The drill has lost the account of its first stamp; this one is where new tenants are placed.
    await retireStamps()
    first = await accounts.make('copied-first', FIRST_REGION)
    const second = await accounts.make('copied-second', PAIRED_REGION)
    for (const [name, region, id] of [
      ['one', FIRST_REGION, first],
      ['two', PAIRED_REGION, second],
    ])
      await stack.platform.post('/stamps', { name, region, resourceGroupId: simulatedGroup, modelAccountIds: [id] })
    tenant = await stack.makeTenant()
    tuned = modelOf(stack, tenant)
    model = await tuned.train()
    await tuned
      .ask('POST', `/models/${model.id}/promote`, { alias: 'chat' })
      .then(({ body }) => tuned.ended((body as { operationId: string }).operationId))
  })

  const path = (rest: string) => `/tenants/${tenant.tenantId}/models/${model.id}/${rest}`
  const groups = async () => {
    const { body } = await stack.platform.get<{ aliases: { name: string; groups: object[] }[] }>(
      `/tenants/${tenant.tenantId}`,
    )
    return body.aliases.find(({ name }) => name === 'chat')?.groups ?? []
  }

  it('is refused a region that its tenant is not bound to, and one that has no account', async () => {
    await stack.platform.patch(`/tenants/${tenant.tenantId}`, { residency: [FIRST_REGION] })
    await expect(stack.platform.post(path('copy-to-region'), { region: PAIRED_REGION })).rejects.toThrow(
      /bound to other/,
    )
    await expect(stack.platform.post(path('rebuild'), { region: PAIRED_REGION })).rejects.toThrow(/bound to other/)
    await stack.platform.patch(`/tenants/${tenant.tenantId}`, { residency: [] })
    await expect(stack.platform.post(path('copy-to-region'), { region: 'nowhere' })).rejects.toThrow(/No stamp/)
  })

  it.each(['deploy', 'lead'])(
    'that is copied while its host is killed after the step %s has one copy, behind it',
    async (step) => {
      const before = (await groups()).length
      const pid = stack.hostPid()
      await stack.killAt({ function: 'copy-model-step', inputHolds: `"step":"${step}"`, when: 'after' })
      const { operationId } = await postSurely<{ operationId: string }>(stack, path('copy-to-region'), {
        region: PAIRED_REGION,
      })
      await stack.restarted(pid)
      const { state, facts } = await stack.platform.ended(operationId)
      expect(state).toBe('completed')
      expect(facts['region'] ?? PAIRED_REGION).toBe(PAIRED_REGION)
      const { body } = await tuned.ask<ShownModel & { lineage: { copyOf?: string } }>(
        'GET',
        `/models/${facts['modelId']}`,
      )
      expect(body).toMatchObject({ deployment: { state: 'deployed' }, lineage: { copyOf: model.id } })
      const now = await groups()
      expect(now).toHaveLength(before + 1)
      const { body: source } = await tuned.ask<ShownModel>('GET', `/models/${model.id}`)
      expect(source.history.filter(({ event, by }) => event === 'copied' && by === operationId)).toHaveLength(1)
      expect((await tuned.call(body.name)).status).toBe(200)
    },
  )

  it.each(['train', 'lead'])(
    'that is trained anew while its host is killed after the step %s is trained once',
    async (step) => {
      const [chargesBefore, pid] = [await charges(), stack.hostPid()]
      await stack.killAt({ function: 'rebuild-model-step', inputHolds: `"step":"${step}"`, when: 'after' })
      const asked = { region: PAIRED_REGION, lead: step === 'train' ? 'none' : 'replace' }
      const { operationId } = await postSurely<{ operationId: string }>(stack, path('rebuild'), asked)
      await stack.restarted(pid)
      const { state, facts } = await stack.platform.ended(operationId)
      expect(state).toBe('completed')
      expect(await charges()).toBe(chargesBefore + 1)
      const { body } = await tuned.ask<ShownModel>('GET', `/models/${facts['modelId']}`)
      expect(body).toMatchObject({
        deployment: { state: 'deployed' },
        lineage: { rebuilds: model.id, hyperparameters: expect.objectContaining({ n_epochs: expect.any(Number) }) },
      })
      expect((await tuned.call('chat')).status).toBe(200)
    },
  )

  it('is replicated whole, however often the host is killed meanwhile, and leaves nothing there when its tenant goes', async () => {
    for (let n = 0; n < 10; n++) {
      const file = await toFile(lessons(10), `more-${n}.jsonl`)
      const { id } = await tuned.client.files.create({ file, purpose: 'fine-tune' })
      await tuned.ask('POST', '/datasets', { file: id, baseModel: 'gpt-4.1-mini-2025-04-14', role: 'training' })
    }
    const there = connect(paired)
    const rows = () => there.rowsInPartition('content', tenant.tenantId)
    for (let kills = 0; kills < 2; kills++) {
      const [pid, before] = [stack.hostPid(), await rows()]
      await runTimer(stack, 'replicate-tenants')
      await eventually('something was copied', async () => (await rows()) > before || undefined)
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      await stack.restarted(pid)
    }
    await replicate(stack, tenant)
    expect(await kept(connect(testConnectionString()), tenant)).toEqual(await kept(there, tenant))

    const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenant.tenantId}`)
    expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
    await runTimer(stack, 'replicate-tenants')
    expect(await rows()).toBe(0)
    expect(await there.rowsInPartition('datakeys', tenant.tenantId)).toBe(0)
    expect(await there.blobsUnder('tenant-content', `${tenant.tenantId}/`)).toBe(0)
  })
})

/** By their names, of the kinds that are replicated: the tenant has registered every file that it has. */
async function kept(storage: ReturnType<typeof connect>, { tenantId }: TestTenant): Promise<string[]> {
  const found: string[] = []
  const filter = `PartitionKey eq '${tenantId}'`
  for await (const { rowKey = '' } of storage.table('content').listEntities({ queryOptions: { filter } }))
    if (/^(file|filechunk|datasets|datasetreports|models|modelfamilies|modelroutes|tuning\w+)-/.test(rowKey))
      found.push(rowKey)
  return found
}

/** Trainings that the simulator has charged. */
async function charges(): Promise<number> {
  const answer = await fetch(`${stack.simulatorUrl}/simulator/costs`)
  const { charges: all } = (await answer.json()) as { charges: { kind: string }[] }
  return all.filter(({ kind }) => kind === 'training').length
}

async function retireStamps(): Promise<void> {
  const { body } = await stack.platform.get<{ stamps: { id: string }[] }>('/stamps')
  for (const { id } of body.stamps)
    await stack.platform.patch(`/stamps/${id}`, { acceptsTenants: false, modelAccountIds: [] })
}
