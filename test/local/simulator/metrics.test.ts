import { accountId, runningArm } from './running-arm'

const CUSTOMER =
  '/subscriptions/00000000-0000-4000-8000-000000000002/resourceGroups/contoso/providers/Microsoft.CognitiveServices/accounts/contoso-owned'
const azure = runningArm()
const VERSION = '2023-10-01'
const HOUR_MS = 3_600_000

interface MetricsBody {
  readonly code?: string
  readonly message?: string
  readonly value?: readonly {
    readonly name: { readonly value: string }
    readonly timeseries: readonly {
      readonly metadatavalues: readonly { readonly name: { readonly value: string }; readonly value: string }[]
      readonly data: readonly { readonly timeStamp: string; readonly total: number }[]
    }[]
  }[]
}

/** This hour and the next, since a test may run across their border. */
const hours = () => {
  const from = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS
  return `${new Date(from).toISOString()}/${new Date(from + 3 * HOUR_MS).toISOString()}`
}

async function metrics(query: Readonly<Record<string, string>>, account = accountId('simulator')) {
  const parameters = new URLSearchParams({ timespan: hours(), interval: 'PT1H', aggregation: 'Total', ...query })
  const answer = await azure.call('GET', `${account}/providers/Microsoft.Insights/metrics`, {
    version: VERSION,
    query: `&${parameters.toString()}`,
  })
  return { ...answer, body: answer.body as unknown as MetricsBody }
}

/** Totals over all hours by the values of the dimensions. */
const totalsOf = ({ body }: { readonly body: MetricsBody }) =>
  Object.fromEntries(
    (body.value ?? []).map(({ name, timeseries }) => [
      name.value,
      Object.fromEntries(
        timeseries.map(({ metadatavalues, data }) => [
          metadatavalues.map(({ value }) => value).join(' '),
          data.reduce((sum, { total }) => sum + total, 0),
        ]),
      ),
    ]),
  )

it('are what the ledger has, by deployment and status, of that account alone', async () => {
  const { last } = await azure.ledger()
  await azure.chat('chat', 'Hello')
  await azure.chat('chat', 'Hello again')
  await azure.chat('older', { messages: 'no list' })
  await azure.putAccount('another')
  const records = await azure.recorded(last, 3)
  const served = records.filter(({ deployment, status }) => deployment === 'chat' && status === 200)
  const sum = (of: (record: (typeof served)[number]) => number) => served.reduce((total, each) => total + of(each), 0)

  const tokens = await metrics({
    metricnames: 'ProcessedPromptTokens,GeneratedTokens',
    $filter: "ModelDeploymentName eq '*'",
  })
  expect(totalsOf(tokens)).toEqual({
    ProcessedPromptTokens: { chat: sum(({ promptTokens }) => promptTokens) },
    GeneratedTokens: { chat: sum(({ outputTokens }) => outputTokens) },
  })
  const requests = { metricnames: 'AzureOpenAIRequests', $filter: "ModelDeploymentName eq '*' and StatusCode eq '*'" }
  expect(totalsOf(await metrics(requests))).toEqual({ AzureOpenAIRequests: { 'chat 200': 2, 'older 400': 1 } })
  expect(totalsOf(await metrics(requests, accountId('another')))).toEqual({ AzureOpenAIRequests: {} })
})

it('come in points of the interval that was asked for, and the largest series alone unless more are asked for', async () => {
  await azure.chat('chat', 'Hello')
  await azure.recorded(0)
  const { body } = await metrics({
    metricnames: 'AzureOpenAIRequests',
    $filter: "ModelDeploymentName eq '*'",
    top: '1',
  })
  const [series, ...others] = body.value?.[0]?.timeseries ?? []
  expect(others).toEqual([])
  expect(series?.metadatavalues).toMatchObject([{ name: { value: 'modeldeploymentname' }, value: 'chat' }])
  expect(series?.data).toHaveLength(3)
})

it.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ['a metric that there is not', { metricnames: 'Nothing' }, /Failed to find metric configuration/],
  ['no metric', {}, /metric names/],
  [
    'a dimension that the metric has not',
    { metricnames: 'GeneratedTokens', $filter: "StatusCode eq '*'" },
    /does not support requested dimension/,
  ],
  [
    'a span from its end to its beginning',
    { metricnames: 'GeneratedTokens', timespan: '2026-02-01/2026-01-01' },
    /timespan/,
  ],
  ['an interval that there is not', { metricnames: 'GeneratedTokens', interval: 'PT7M' }, /time grain/],
  ['a filter that is none', { metricnames: 'GeneratedTokens', $filter: 'x' }, /filter/],
])('%s is refused as Azure Monitor does it, without an envelope', async (_, query, message) => {
  const { status, body } = await metrics(query)
  expect(status).toBe(400)
  expect(body).toMatchObject({ code: 'BadRequest', message: expect.stringMatching(message) })
})

describe('of an account in another directory', () => {
  const watched = runningArm({
    roleAssignments: [{ scope: CUSTOMER, principal: 'contoso/tenantry', role: 'Monitoring Reader' }],
  })
  const ask = async ({ call, token }: Pick<typeof watched, 'call' | 'token'>) =>
    call('GET', `${CUSTOMER}/providers/Microsoft.Insights/metrics`, {
      version: VERSION,
      bearer: await token('contoso'),
      query: '&metricnames=GeneratedTokens',
    })

  it('are not for whoever may use its models alone', async () => {
    expect(await ask(azure)).toMatchObject({ status: 403, code: 'AuthorizationFailed' })
  })

  it('are for a Monitoring Reader', async () => {
    expect(await ask(watched)).toMatchObject({ status: 200 })
  })
})
