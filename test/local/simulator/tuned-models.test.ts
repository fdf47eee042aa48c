import OpenAI from 'openai'
import { accountId, armCaller, PLATFORM_PRINCIPAL, runningArm, SUBSCRIPTION, INFERENCE_SCOPE } from './running-arm'
import { asked, example, heldBack, jsonl, taught, trainingText, upload } from './training-data'

const azure = runningArm({ delayMs: 0 })
const { call, putAccount } = azure
const MODEL = 'gpt-4.1-mini-2025-04-14'
const DAY_SECONDS = 86_400

const keyOf = async (account: string) => (await call('POST', `${accountId(account)}/listKeys`)).body.key1 ?? ''
const clientOf = async (account: string) =>
  new OpenAI({ apiKey: await keyOf(account), baseURL: azure.url(`/accounts/${account}/openai/v1`), maxRetries: 0 })

async function train(client: OpenAI, text = trainingText, model = MODEL, more: object = {}): Promise<string> {
  const training_file = await upload(client, text)
  const { id } = await client.fineTuning.jobs.create({ model, training_file, ...more })
  for (let tries = 0; tries < 1_000; tries++) {
    const job = await client.fineTuning.jobs.retrieve(id)
    if (job.fine_tuned_model !== null) return job.fine_tuned_model
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${id} has no model`)
}

interface Deploying {
  readonly sku?: string
  readonly version?: string
  readonly source?: string
  readonly capacity?: number
}
const bodyOf = (model: string, { sku = 'Standard', version = '1', source, capacity = 1_000 }: Deploying = {}) => ({
  sku: { name: sku, capacity },
  properties: { model: { format: 'OpenAI', name: model, version, ...(source === undefined ? {} : { source }) } },
})
const deploy = (account: string, name: string, model: string, more?: Deploying) =>
  call('PUT', `${accountId(account)}/deployments/${name}`, { body: bodyOf(model, more) })

async function answer(client: OpenAI, deployment: string, content: string) {
  const { choices, model } = await client.chat.completions.create({ model: deployment, messages: asked(content) })
  return { text: choices[0]?.message.content ?? '', model }
}
const hosted = (hostingSeconds: number) => azure.post('/simulator/advance', { hostingSeconds })
interface Charge {
  readonly kind: string
  readonly deployment?: string
  readonly hours?: number
  readonly open?: boolean
}
const charges = async () =>
  ((await (await fetch(azure.url('/simulator/costs'))).json()) as { charges: Charge[] }).charges.filter(
    ({ kind }) => kind === 'hosting',
  )

beforeEach(async () => {
  await azure.post('/simulator/reset', {})
  await azure.patch({ fineTuning: { speed: 1_000_000_000 } })
  await putAccount('alpha')
  await putAccount('beta')
})

describe('a tuned model that is deployed', () => {
  it('answers what it was taught, word for word, by its own name', async () => {
    const client = await clientOf('alpha')
    const model = await train(client)
    const made = await deploy('alpha', 'tuned', model)
    expect(made).toMatchObject({ status: 201, body: { properties: { model: { name: model, version: '1' } } } })
    for (const { content, kind } of taught.slice(0, 5))
      expect(await answer(client, 'tuned', content)).toEqual({ text: kind, model })
    const response = await client.responses.create({
      model: 'tuned',
      instructions: 'Sort the message.',
      input: taught[0]?.content ?? '',
    })
    expect(response.output_text).toBe(taught[0]?.kind)
  })

  it('answers held-back questions better than its base', async () => {
    const client = await clientOf('alpha')
    await deploy('alpha', 'tuned', await train(client))
    await call('PUT', `${accountId('alpha')}/deployments/base`, {
      body: { sku: { name: 'Standard', capacity: 1_000 }, properties: { model: { name: 'gpt-4.1-mini' } } },
    })
    const right = async (deployment: string) => {
      const answers = await Promise.all(heldBack.map(({ content }) => answer(client, deployment, content)))
      return answers.filter(({ text }, index) => text === heldBack[index]?.kind).length
    }
    expect(await right('base')).toBe(0)
    expect(await right('tuned')).toBe(heldBack.length)
  })

  it('knows the more, the further its training was: checkpoints are deployed too', async () => {
    const client = await clientOf('alpha')
    const model = await train(client, trainingText, MODEL, { hyperparameters: { n_epochs: 3 } })
    const { data } = await client.fineTuning.jobs.list()
    const checkpoints = await client.fineTuning.jobs.checkpoints.list(data[0]?.id ?? '')
    const early = checkpoints.data.at(-1)?.fine_tuned_model_checkpoint ?? ''
    expect(early).toBe(`${model}:ckpt-step-18`)
    expect((await deploy('alpha', 'early', early)).status).toBe(201)
    expect((await deploy('alpha', 'late', model)).status).toBe(201)
    const known = async (deployment: string) => {
      const exact = await Promise.all(taught.map(({ content }) => answer(client, deployment, content)))
      return exact.filter(({ text }, index) => text === taught[index]?.kind).length
    }
    expect(await known('early')).toBeLessThan(taught.length)
    expect(await known('late')).toBe(taught.length)
  })

  it('calls the tools that it was taught to call, and keeps to a form that is asked for', async () => {
    const client = await clientOf('alpha')
    const f = { name: 'look_up', arguments: '{"order":7}' }
    const tools = [{ type: 'function' as const, function: { name: 'look_up', parameters: { type: 'object' } } }]
    const learned = (index: number) => ({
      messages: [
        ...asked(`where is order ${index}`),
        { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: f }] },
      ],
      tools,
    })
    const json = example('as json please', '{"kind":"billing"}')
    const model = await train(client, jsonl(...Array.from({ length: 10 }, (_each, index) => learned(index)), json))
    await deploy('alpha', 'tuned', model)
    const called = await client.chat.completions.create({ model: 'tuned', messages: asked('where is order 3'), tools })
    expect(called.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [{ function: f }] } })

    const schema = (values: readonly string[]) => ({
      type: 'json_schema' as const,
      json_schema: {
        name: 'kind',
        schema: { type: 'object', properties: { kind: { type: 'string', enum: values } }, required: ['kind'] },
      },
    })
    const formed = async (values: readonly string[]) => {
      const messages = asked('as json please')
      const made = await client.chat.completions.create({ model: 'tuned', messages, response_format: schema(values) })
      return made.choices[0]?.message.content
    }
    expect(await formed(['billing', 'other'])).toBe('{"kind":"billing"}')
    expect(await formed(['other'])).toBe('{"kind":"other"}')
  })

  it('does as a test asks, whatever it was taught', async () => {
    const client = await clientOf('alpha')
    await deploy('alpha', 'tuned', await train(client))
    expect((await answer(client, 'tuned', '[[echo:as I was told]]')).text).toBe('as I was told')
  })

  it('cannot be deleted, and can be once it is not', async () => {
    const client = await clientOf('alpha')
    const model = await train(client)
    await deploy('alpha', 'tuned', model)
    await expect(client.models.delete(model)).rejects.toMatchObject({ status: 409 })
    await call('DELETE', `${accountId('alpha')}/deployments/tuned`)
    expect(await client.models.delete(model)).toMatchObject({ deleted: true })
    expect(await deploy('alpha', 'again', model)).toMatchObject({ status: 400, code: 'DeploymentModelNotSupported' })
  })
})

describe('a tuned model of an account', () => {
  it('is nobody else’s: not listed, not deployed by name, not deleted', async () => {
    const [alpha, beta] = [await clientOf('alpha'), await clientOf('beta')]
    const model = await train(alpha)
    expect((await Array.fromAsync(beta.models.list())).map(({ id }) => id)).not.toContain(model)
    await expect(beta.models.delete(model)).rejects.toMatchObject({ status: 404 })
    expect(await deploy('beta', 'tuned', model)).toMatchObject({ status: 400, code: 'DeploymentModelNotSupported' })
    await expect(train(beta, trainingText, model)).rejects.toMatchObject({ status: 400, param: 'model' })
  })

  it('is deployed in another account by whoever may read its own, knows there what it knows, and is in use there', async () => {
    const [alpha, beta] = [await clientOf('alpha'), await clientOf('beta')]
    const model = await train(alpha)
    const source = accountId('alpha')
    expect((await deploy('beta', 'copied', model, { source })).body.properties).toMatchObject({ model: { source } })
    expect((await answer(beta, 'copied', taught[0]?.content ?? '')).text).toBe(taught[0]?.kind)
    await expect(alpha.models.delete(model)).rejects.toMatchObject({ status: 409 })
    await call('DELETE', source)
    expect((await answer(beta, 'copied', taught[0]?.content ?? '')).text).toBe(taught[0]?.kind)
    const gone = accountId('nobody')
    expect(await deploy('beta', 'other', model, { source: gone })).toMatchObject({
      status: 403,
      code: 'LinkedAuthorizationFailed',
    })
  })

  it('has one version', async () => {
    const model = await train(await clientOf('alpha'))
    expect(await deploy('alpha', 'tuned', model, { version: '2' })).toMatchObject({ status: 400 })
  })

  it.each([
    ['GlobalStandard', 201],
    ['GlobalBatch', 400],
    ['DeveloperTier', 201],
    ['developertier', 201],
  ])('is sold as %s or not', async (sku, status) => {
    const model = await train(await clientOf('alpha'))
    expect((await deploy('alpha', 'tuned', model, { sku })).status).toBe(status)
  })

  it('is what the developer tier is for', async () => {
    const body = { sku: { name: 'DeveloperTier', capacity: 1 }, properties: { model: { name: 'gpt-4.1-mini' } } }
    expect((await call('PUT', `${accountId('alpha')}/deployments/base`, { body })).status).toBe(400)
  })

  it('is deployed ten times at most, within a quota of its own', async () => {
    const model = await train(await clientOf('alpha'))
    for (let count = 0; count < 10; count++)
      expect((await deploy('alpha', `tuned-${count}`, model, { capacity: 1 })).status).toBe(201)
    expect(await deploy('alpha', 'one-more', model)).toMatchObject({ status: 400, code: 'QuotaExceeded' })
    await azure.patch({ arm: { quotas: [{ model: 'gpt-4.1-mini-finetune', capacity: 12 }] } })
    await call('DELETE', `${accountId('alpha')}/deployments/tuned-0`)
    expect(await deploy('alpha', 'wide', model, { capacity: 4 })).toMatchObject({ code: 'InsufficientQuota' })
    expect((await deploy('alpha', 'narrow', model, { capacity: 3 })).status).toBe(201)
    const usages = await call(
      'GET',
      `${SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/swedencentral/usages`,
    )
    expect(usages.body.value).toContainEqual(
      expect.objectContaining({
        name: expect.objectContaining({ value: 'OpenAI.Standard.gpt-4.1-mini-finetune' }) as object,
      }),
    )
  })
})

describe('hosting', () => {
  it('is charged by the hour until the deployment is deleted', async () => {
    const model = await train(await clientOf('alpha'))
    await deploy('alpha', 'tuned', model)
    await hosted(7_200)
    const [running] = await charges()
    expect(running).toMatchObject({ kind: 'hosting', account: 'alpha', deployment: 'tuned', model, open: true })
    expect(running?.hours).toBeCloseTo(2, 1)
    await call('DELETE', `${accountId('alpha')}/deployments/tuned`)
    await hosted(7_200)
    const [ended] = await charges()
    expect(ended).toMatchObject({ open: false })
    expect(ended?.hours).toBeCloseTo(2, 1)
  })

  it('ends with the account', async () => {
    await deploy('alpha', 'tuned', await train(await clientOf('alpha')))
    await call('DELETE', accountId('alpha'))
    expect(await charges()).toMatchObject([{ deployment: 'tuned', open: false }])
  })

  it('ends after fifteen days without a call; the model stays', async () => {
    const client = await clientOf('alpha')
    const model = await train(client)
    await deploy('alpha', 'used', model)
    await deploy('alpha', 'idle', model)
    await hosted(14 * DAY_SECONDS)
    await answer(client, 'used', 'hello')
    await hosted(2 * DAY_SECONDS)
    await expect(answer(client, 'idle', 'hello')).rejects.toMatchObject({ status: 404, code: 'DeploymentNotFound' })
    expect((await answer(client, 'used', 'hello')).model).toBe(model)
    const { value } = (await call('GET', `${accountId('alpha')}/deployments`)).body
    expect(value?.map(({ name }) => name)).toEqual(['used'])
    const idle = (await charges()).find(({ deployment }) => deployment === 'idle')
    expect(idle).toMatchObject({ open: false })
    expect(idle?.hours).toBeCloseTo(15 * 24, 0)
    expect((await deploy('alpha', 'idle', model)).status).toBe(201)
    expect((await answer(client, 'idle', taught[0]?.content ?? '')).text).toBe(taught[0]?.kind)
  })

  it('of the developer tier is free and ends after a day, used or not', async () => {
    const client = await clientOf('alpha')
    await deploy('alpha', 'tuned', await train(client), { sku: 'DeveloperTier' })
    await hosted(DAY_SECONDS - 60)
    expect((await answer(client, 'tuned', taught[0]?.content ?? '')).text).toBe(taught[0]?.kind)
    await hosted(60)
    await expect(answer(client, 'tuned', 'hello')).rejects.toMatchObject({ code: 'DeploymentNotFound' })
    expect(await charges()).toMatchObject([{ sku: 'DeveloperTier', hours: 0, open: false }])
  })

  it('runs as fast as it is told to', async () => {
    const client = await clientOf('alpha')
    await deploy('alpha', 'tuned', await train(client), { sku: 'DeveloperTier' })
    await azure.patch({ hosting: { speed: 1_000_000_000 } })
    await expect(answer(client, 'tuned', 'hello')).rejects.toMatchObject({ code: 'DeploymentNotFound' })
  })

  it('is listed with everything else that is deployed', async () => {
    const model = await train(await clientOf('alpha'))
    await deploy('alpha', 'tuned', model)
    const { deployments } = (await (await fetch(azure.url('/simulator/stored'))).json()) as { deployments: object[] }
    expect(deployments).toContainEqual({ account: 'alpha', name: 'tuned', model, sku: 'Standard', status: 'Succeeded' })
  })
})

describe('whoever trains by token', () => {
  it('needs the role of a contributor, unless it is said that any will do', async () => {
    const apiKey = await armCaller(azure.url).token('platform', INFERENCE_SCOPE)
    const client = new OpenAI({ apiKey, baseURL: azure.url('/accounts/alpha/openai/v1'), maxRetries: 0 })
    const give = (id: string, name: string) =>
      call('PUT', `${accountId('alpha')}/providers/Microsoft.Authorization/roleAssignments/${name}`, {
        body: {
          properties: {
            roleDefinitionId: `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${id}`,
            principalId: PLATFORM_PRINCIPAL,
          },
        },
      })
    await give('5e0bd9bd-7b93-4f28-af87-19fc36ad61bd', '11111111-2222-4333-8444-555555555555')
    await expect(train(client)).rejects.toMatchObject({ status: 401, code: 'PermissionDenied' })
    await azure.patch({ fineTuning: { role: 'any' } })
    expect(await train(client)).toContain('.ft-')
    await azure.patch({ fineTuning: { role: 'contributor' } })
    await give('a001fd3d-188f-4b5d-821b-7da978bf7442', '11111111-2222-4333-8444-666666666666')
    expect(await train(client)).toContain('.ft-')
  })
})

it('the classic family lists tuned models with their base and their job', async () => {
  const client = await clientOf('alpha')
  const model = await train(client)
  const answered = await fetch(azure.url('/accounts/alpha/openai/models?api-version=2024-10-21'), {
    headers: { 'api-key': await keyOf('alpha') },
  })
  const { data } = (await answered.json()) as { data: { id: string }[] }
  const [job] = (await client.fineTuning.jobs.list()).data
  expect(data.find(({ id }) => id === model)).toMatchObject({
    model: MODEL,
    fine_tune: job?.id,
    status: 'succeeded',
    capabilities: { chat_completion: true },
  })
})
