import { connectStorage } from '../../src/storage/connect'
import type { OnboardedTenant, PlatformClient } from '../platform-client'
import { modelAccounts, simulatedGroup, type ModelAccounts } from './model-accounts'

/** The running stack that the drill is held on: its first region is to be one that can be lost. */
export interface DrillStack {
  readonly baseUrl: string
  readonly simulatorUrl: string
  readonly platform: PlatformClient
  /** Of the first region's storage. */
  readonly connectionString: string
  readonly storagePrefix: string
}

export interface DrillStep {
  readonly step: string
  readonly ms: number
  readonly result: string
}

export interface DrillResult {
  readonly steps: readonly DrillStep[]
  /** Between the loss and the last time from which everything was kept. */
  readonly rpoMs: number
  /** Between the loss and the first answer of the rebuilt model. */
  readonly rtoMs: number
  /** What was trained on is there as it was, and the model says what it was taught. */
  readonly isWhole: boolean
}

export const FIRST_REGION = 'swedencentral'
export const PAIRED_REGION = 'norwayeast'
const BASE = 'gpt-4.1-mini-2025-04-14'
const EXAMPLES = 12
const POLL_MS = 200
const JOB_MS_MAX = 120_000

/** Loses a tenant's models and their data in the first region and brings them back from the paired one, measuring each step. */
export async function recoveryDrill(
  stack: DrillStack,
  onStep: (step: DrillStep) => void = () => {},
): Promise<DrillResult> {
  const steps: DrillStep[] = []
  const timed = async <T>(step: string, work: () => Promise<T>, result: (value: T) => string): Promise<T> => {
    const beganMs = Date.now()
    const value = await work()
    const done = { step, ms: Date.now() - beganMs, result: result(value) }
    steps.push(done)
    onStep(done)
    return value
  }
  const mark = `drill-${Date.now().toString(36)}`
  const accounts = await modelAccounts(stack.simulatorUrl)
  const first = await timed(
    'two regions, each with a model account and a stamp',
    () => twoRegions(stack, accounts, mark),
    (id) => id.slice(id.lastIndexOf('/') + 1),
  )
  const tenant = await timed(
    'a tenant',
    () => onboard(stack),
    ({ tenantId }) => tenantId,
  )
  const client = tenantClient(stack, tenant)
  const text = lessons(mark)
  const fileId = await timed(
    'its training file',
    () => client.upload(text),
    (id) => id,
  )
  const model = await timed(
    'a model trained and deployed',
    () => client.train(fileId),
    ({ name }) => name,
  )
  await timed(
    'replicated',
    () => replicate(stack, tenant),
    (at) => `as of ${new Date(at).toISOString()}`,
  )
  const keptAtMs = await lastFullPass(stack, tenant)

  const lostAtMs = Date.now()
  await timed('LOST: the data, the keys and the model account', () => lose(stack, { tenant, accounts, first }), String)
  const restored = await timed(
    'restored',
    () => restore(stack, tenant),
    ({ records }) => `${records} records`,
  )
  const isSame = await timed(
    'the training file read again',
    () => client.isAs(fileId, text),
    (same) => (same ? 'byte for byte as it was' : 'NOT as it was'),
  )
  const rebuilt = await timed(
    'the model trained again in the paired region',
    () => rebuild(stack, { tenant, modelId: model.id }),
    ({ name }) => name,
  )
  const said = await timed(
    'the rebuilt model called by its alias',
    () => client.call('chat', mark),
    (answer) => answer,
  )
  const rtoMs = Date.now() - lostAtMs
  const isWhole = isSame && said === taught(mark) && Number(restored.damaged) === 0 && rebuilt.name !== model.name
  return { steps, rpoMs: lostAtMs - keptAtMs, rtoMs, isWhole }
}

/** The first region's stamp is the tenant's; the other one waits. */
async function twoRegions({ platform }: DrillStack, accounts: ModelAccounts, mark: string): Promise<string> {
  const stamp = async (region: string) => {
    const accountId = await accounts.make(`${mark}-${region}`, region)
    const body = { name: `${mark} ${region}`, region, resourceGroupId: simulatedGroup, modelAccountIds: [accountId] }
    await platform.post('/stamps', body)
    return accountId
  }
  const first = await stamp(FIRST_REGION)
  await stamp(PAIRED_REGION)
  return first
}

/** With an alias that is led to its tuned model by and by. */
async function onboard({ platform, simulatorUrl }: DrillStack): Promise<OnboardedTenant> {
  const { id: backendId } = await platform.post<{ id: string }>('/backends', {
    name: `drill-${Date.now().toString(36)}`,
    api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
    endpoint: simulatorUrl,
    deployment: 'gpt-4.1-mini',
    credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
    region: FIRST_REGION,
  })
  return platform.onboard({
    displayName: 'Drill',
    contact: { email: 'drill@example.com' },
    tier: 'premium',
    region: FIRST_REGION,
    aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }] }],
  })
}

const question = (mark: string, n: number) => `What is number ${n} of ${mark}?`
const taught = (mark: string) => `Number 3 of ${mark} is known.`
const lessons = (mark: string) =>
  Array.from({ length: EXAMPLES }, (_, n) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: question(mark, n) },
        { role: 'assistant', content: `Number ${n} of ${mark} is known.` },
      ],
    }),
  ).join('\n')

interface ShownModel {
  readonly id: string
  readonly name: string
}

/** What the tenant itself does, by its key. */
function tenantClient({ baseUrl }: DrillStack, { apiKey }: OnboardedTenant) {
  const ask = async <T>(method: string, path: string, body?: FormData | string, type?: string): Promise<T> => {
    const headers = { 'api-key': apiKey, 'if-match': '*', ...(type ? { 'content-type': type } : {}) }
    const answer = await fetch(`${baseUrl}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`)
    return JSON.parse(text) as T
  }
  const send = <T>(path: string, body: object) => ask<T>('POST', path, JSON.stringify(body), 'application/json')
  return {
    upload: async (text: string) => {
      const form = new FormData()
      form.set('purpose', 'fine-tune')
      form.set('file', new Blob([text]), 'drill.jsonl')
      return (await ask<{ id: string }>('POST', '/openai/v1/files', form)).id
    },
    train: async (fileId: string): Promise<ShownModel> => {
      const { id } = await send<{ id: string }>('/api/tenant/tuning/jobs', {
        model: BASE,
        trainingFile: fileId,
        consent: true,
        seed: 7,
        route: { alias: 'chat' },
      })
      await until(`the job ${id}`, async () => {
        const { status } = await ask<{ status: string }>('GET', `/openai/v1/fine_tuning/jobs/${id}`)
        if (status === 'failed' || status === 'cancelled') throw new Error(`the job ${id} is ${status}`)
        return status === 'succeeded'
      })
      const { models } = await ask<{ models: ShownModel[] }>('GET', '/api/tenant/models')
      const [model] = models
      if (!model) throw new Error('the job has made no model')
      return model
    },
    isAs: async (fileId: string, text: string) => {
      const answer = await fetch(`${baseUrl}/openai/v1/files/${fileId}/content`, { headers: { 'api-key': apiKey } })
      return answer.ok && (await answer.text()) === text
    },
    call: async (model: string, mark: string) => {
      const messages = [{ role: 'user', content: question(mark, 3) }]
      const { choices } = await send<{ choices: { message: { content: string } }[] }>('/openai/v1/chat/completions', {
        model,
        messages,
        max_tokens: 60,
      })
      return choices[0]?.message.content ?? ''
    },
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + JOB_MS_MAX
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what} takes longer than ${JOB_MS_MAX / 1_000} s`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Does not wait for the timer, which comes every five minutes; resolves with the beginning of a pass after everything. */
export async function replicate(
  stack: Pick<DrillStack, 'baseUrl' | 'platform'>,
  tenant: OnboardedTenant,
): Promise<number> {
  const [askedMs, before] = [Date.now(), await lastFullPass(stack, tenant)]
  await runTimer(stack)
  await until('the replication', async () => (await lastFullPass(stack, tenant)) > before)
  // That was the end of a pass which had begun before.
  if ((await lastFullPass(stack, tenant)) < askedMs) await runTimer(stack)
  await until('the replication', async () => (await lastFullPass(stack, tenant)) >= askedMs)
  return lastFullPass(stack, tenant)
}

async function runTimer({ baseUrl }: Pick<DrillStack, 'baseUrl'>): Promise<void> {
  const answer = await fetch(`${baseUrl}/admin/functions/replicate-tenants`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  })
  if (answer.status !== 202) throw new Error(`the timer answered ${answer.status}`)
}

/** Unix milliseconds; 0 before the first. */
async function lastFullPass(
  { platform }: Pick<DrillStack, 'platform'>,
  { tenantId }: OnboardedTenant,
): Promise<number> {
  const { body } = await platform.get<{ tenants: { tenantId: string; lastFullPassAt?: string }[] }>(
    '/recovery?limit=100',
  )
  const at = body.tenants.find((tenant) => tenant.tenantId === tenantId)?.lastFullPassAt
  return at === undefined ? 0 : Date.parse(at)
}

/** The tenant's sealed records and wrapped keys, and the account with its model. The platform's own records stay. */
async function lose(
  { connectionString, storagePrefix }: DrillStack,
  { tenant, accounts, first }: { tenant: OnboardedTenant; accounts: ModelAccounts; first: string },
): Promise<string> {
  const storage = connectStorage({ kind: 'connection-string', connectionString }, storagePrefix)
  const { tenantId } = tenant
  let rows = 0
  for (const name of ['content', 'datakeys']) {
    const table = storage.table(name)
    for await (const { rowKey } of table.listEntities({ queryOptions: { filter: `PartitionKey eq '${tenantId}'` } })) {
      await table.deleteEntity(tenantId, rowKey ?? '')
      rows++
    }
  }
  const container = storage.container('tenant-content')
  for await (const { name } of container.listBlobsFlat({ prefix: `${tenantId}/` })) await container.deleteBlob(name)
  await accounts.destroy(first)
  return `${rows} rows and an account`
}

async function ended(platform: PlatformClient, operationId: string): Promise<Readonly<Record<string, string>>> {
  const status = await platform.ended(operationId, JOB_MS_MAX)
  if (status.state !== 'completed')
    throw new Error(`${operationId} ended as ${status.state}: ${JSON.stringify(status)}`)
  return status.facts
}

async function restore({ platform }: DrillStack, { tenantId }: OnboardedTenant) {
  const { operationId } = await platform.post<{ operationId: string }>(`/tenants/${tenantId}/recovery/restore`, {})
  const { records = '0', damaged = '0' } = await ended(platform, operationId)
  return { records, damaged }
}

async function rebuild(
  { platform }: DrillStack,
  { tenant, modelId }: { tenant: OnboardedTenant; modelId: string },
): Promise<ShownModel> {
  const path = `/tenants/${tenant.tenantId}/models/${modelId}/rebuild`
  const body = { region: PAIRED_REGION, lead: 'replace' }
  const { operationId } = await platform.post<{ operationId: string }>(path, body)
  const { modelId: id = '', name = '' } = await ended(platform, operationId)
  return { id, name }
}
