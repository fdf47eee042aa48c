import { createArm } from '../../src/azure/arm-client'
import { createSmallHttp } from '../../src/azure/small-http'
import { providerCounts } from '../../src/reconciliation/provider-counts'
import { fixedIdentity, serveJson, type JsonAnswer, type JsonRequest } from '../azure/json-server'

const http = createSmallHttp()
afterAll(() => http.close())

const ACCOUNT = '/subscriptions/s/resourceGroups/g/providers/microsoft.cognitiveservices/accounts/a'
const HOUR_MS = Date.UTC(2026, 5, 1, 7)

type Point = readonly [dimensions: Readonly<Record<string, string>>, total: number | undefined]

const metric = (name: string, points: readonly Point[]) => ({
  name: { value: name },
  timeseries: points.map(([dimensions, total]) => ({
    metadatavalues: Object.entries(dimensions).map(([dimension, value]) => ({ name: { value: dimension }, value })),
    data: [{ timeStamp: '2026-06-01T07:00:00Z', ...(total === undefined ? {} : { total }) }],
  })),
})
const ok = (...value: object[]): JsonAnswer => ({ status: 200, body: { value } })
/** Azure Monitor wraps its errors in nothing. */
const unknownMetric: JsonAnswer = { status: 400, body: { code: 'BadRequest', message: 'Failed to find metric' } }

async function countsFrom(answer: (request: JsonRequest) => JsonAnswer, mayBeIdle = false) {
  await using server = await serveJson(answer)
  const arm = createArm({ url: server.url, audience: 'https://management.azure.com', identity: fixedIdentity(), http })
  const counts = await providerCounts(arm, { accountId: ACCOUNT, hourMs: HOUR_MS, mayBeIdle })
  return { counts, requests: server.requests }
}

const namesIn = ({ query }: JsonRequest) => query.get('metricnames') ?? ''

it('asks for one hour by deployment, requests by status too, and for more series than the ten largest', async () => {
  const { requests } = await countsFrom(() => ok())
  expect(requests.map(({ path }) => path)).toEqual(Array(2).fill(`${ACCOUNT}/providers/Microsoft.Insights/metrics`))
  expect(requests.map(({ query }) => Object.fromEntries(query))).toEqual([
    {
      'api-version': '2023-10-01',
      timespan: '2026-06-01T07:00:00.000Z/2026-06-01T08:00:00.000Z',
      interval: 'PT1H',
      metricnames: 'ProcessedPromptTokens,GeneratedTokens',
      aggregation: 'Total',
      $filter: "ModelDeploymentName eq '*'",
      top: '2000',
    },
    expect.objectContaining({
      metricnames: 'AzureOpenAIRequests',
      $filter: "ModelDeploymentName eq '*' and StatusCode eq '*'",
    }),
  ])
})

it('adds up what was served by deployment in lower case, and leaves out what was refused', async () => {
  const { counts } = await countsFrom((request) =>
    namesIn(request) === 'AzureOpenAIRequests'
      ? ok(
          metric('AzureOpenAIRequests', [
            [{ modeldeploymentname: 'Chat', statuscode: '200' }, 5],
            [{ modeldeploymentname: 'Chat', statuscode: '429' }, 70],
            [{ modeldeploymentname: 'chat', statuscode: '201' }, 1],
            [{ modeldeploymentname: '', statuscode: '200' }, 9],
          ]),
        )
      : ok(
          metric('ProcessedPromptTokens', [[{ modeldeploymentname: 'Chat' }, 100]]),
          metric('GeneratedTokens', [
            [{ modeldeploymentname: 'Chat' }, 50],
            [{ modeldeploymentname: 'embed' }, undefined],
          ]),
        ),
  )
  expect(counts.kind === 'counted' && Object.fromEntries(counts.deployments)).toEqual({
    chat: { requests: 6, promptTokens: 100, outputTokens: 50 },
    embed: { requests: 0, promptTokens: 0, outputTokens: 0 },
  })
})

it('asks an account that knows the first names not for those that it knows', async () => {
  const answers: Record<string, JsonAnswer> = {
    'InputTokens,OutputTokens': ok(
      metric('InputTokens', [[{ ModelDeploymentName: 'chat' }, 7]]),
      metric('OutputTokens', [[{ ModelDeploymentName: 'chat' }, 3]]),
    ),
    ModelRequests: ok(metric('ModelRequests', [[{ ModelDeploymentName: 'chat', StatusCode: '2xx' }, 2]])),
  }
  const { counts, requests } = await countsFrom((request) => answers[namesIn(request)] ?? unknownMetric)
  expect(requests.map(namesIn)).toEqual([
    'ProcessedPromptTokens,GeneratedTokens',
    'InputTokens,OutputTokens',
    'ModelRequests',
  ])
  expect(counts.kind === 'counted' && Object.fromEntries(counts.deployments)).toEqual({
    chat: { requests: 2, promptTokens: 7, outputTokens: 3 },
  })
})

it('an idle account costs one question, and one that should not be idle two', async () => {
  expect((await countsFrom(() => ok(), true)).requests).toHaveLength(1)
  expect((await countsFrom(() => ok(), false)).requests).toHaveLength(2)
})

it.each<[string, JsonAnswer, object]>([
  [
    'no right',
    { status: 403, body: { error: { code: 'AuthorizationFailed', message: 'no' } } },
    { kind: 'no-right', message: 'AuthorizationFailed: no' },
  ],
  ['no such account', { status: 404, body: { error: { code: 'ResourceNotFound' } } }, { kind: 'gone' }],
  ['too many questions', { status: 429, body: { error: { code: 'TooManyRequests' } } }, { kind: 'busy' }],
  ['a fault of Azure’s', { status: 503, body: {} }, { kind: 'busy' }],
  ['none of the metrics', unknownMetric, { kind: 'unsupported', message: 'BadRequest: Failed to find metric' }],
  ['an answer of another form', { status: 200, body: { value: [{ name: 'x' }] } }, { kind: 'unsupported' }],
])('%s is said as it is', async (_, answer, expected) => {
  expect((await countsFrom(() => answer)).counts).toMatchObject(expected)
})
