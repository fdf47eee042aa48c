import { z } from 'zod'
import type { Arm, ArmOutcome } from '../azure/arm'
import { assertNever } from '../base/assert'
import { countedFields, nothingCounted, type CountedField, type CountedUse } from './counted-use'

/** What the provider says that deployments of an account served in an hour, by the deployment's name in lower case. */
export type ProviderCounts =
  | { readonly kind: 'counted'; readonly deployments: ReadonlyMap<string, CountedUse> }
  /** The platform's identity may not read metrics there (Azure: Monitoring Reader). */
  | { readonly kind: 'no-right'; readonly message: string }
  /** No such account. */
  | { readonly kind: 'gone' }
  /** It has none of the metrics that we know, or refuses the question for another reason that stays. */
  | { readonly kind: 'unsupported'; readonly message: string }
  /** Throttled or not to be reached: the same question may be answered later. */
  | { readonly kind: 'busy'; readonly message: string }

const unreadable: ProviderCounts = {
  kind: 'unsupported',
  message: 'The answer does not have the form of Azure Monitor’s metrics.',
}

const HOUR_MS = 3_600_000
/** Of `Microsoft.Insights/metrics`; stable, and the version that the Bicep and SDKs of the time use. */
const METRICS_API_VERSION = '2023-10-01'
/** Without `top` Azure Monitor answers the ten largest series alone. An account has at most some hundred deployments, each of some statuses. */
const SERIES_MAX = 2_000
const BY_DEPLOYMENT = "ModelDeploymentName eq '*'"
const BY_DEPLOYMENT_AND_STATUS = `${BY_DEPLOYMENT} and StatusCode eq '*'`

type MetricFamily = Readonly<Record<CountedField, string>>

/**
 * Names by which accounts know the three figures: those of Azure OpenAI accounts first, then those of accounts of the kind AIServices
 * that have the metrics of "Models" alone. An account that refuses the first by 400 is asked for the next.
 * Azure Monitor's page of supported metrics for Microsoft.CognitiveServices/accounts.
 */
const families: readonly MetricFamily[] = [
  { requests: 'AzureOpenAIRequests', promptTokens: 'ProcessedPromptTokens', outputTokens: 'GeneratedTokens' },
  { requests: 'ModelRequests', promptTokens: 'InputTokens', outputTokens: 'OutputTokens' },
]

/**
 * Asks Azure Monitor, over Resource Manager, for the totals of one hour of one account: `{account}/providers/Microsoft.Insights/metrics`.
 * Tokens have no status there, so requests are asked for apart, by status: those that were refused (429, 4xx, 5xx) are no use. An
 * account that had no tokens in the hour costs one question where `mayBeIdle`.
 */
export async function providerCounts(
  arm: Pick<Arm, 'get'>,
  { accountId, hourMs, mayBeIdle }: { accountId: string; hourMs: number; mayBeIdle: boolean },
): Promise<ProviderCounts> {
  let refusal: ProviderCounts = { kind: 'unsupported', message: '' }
  for (const family of families) {
    const ask = (names: readonly string[], filter: string) =>
      arm.get(
        `${accountId}/providers/Microsoft.Insights/metrics`,
        METRICS_API_VERSION,
        questionOf(names, filter, hourMs),
      )
    const tokens = await ask([family.promptTokens, family.outputTokens], BY_DEPLOYMENT)
    if (tokens.kind !== 'ready') {
      refusal = refusalOf(tokens)
      if (isUnknownMetric(tokens)) continue
      return refusal
    }
    const deployments = new Map<string, CountedUse>()
    if (!addSeries(deployments, tokens.resource.properties, family)) return unreadable
    if (deployments.size === 0 && mayBeIdle) return { kind: 'counted', deployments }
    const requests = await ask([family.requests], BY_DEPLOYMENT_AND_STATUS)
    if (requests.kind !== 'ready') return refusalOf(requests)
    if (!addSeries(deployments, requests.resource.properties, family)) return unreadable
    return { kind: 'counted', deployments }
  }
  return refusal
}

function questionOf(names: readonly string[], filter: string, hourMs: number): Record<string, string> {
  const at = (ms: number) => new Date(ms).toISOString()
  return {
    timespan: `${at(hourMs)}/${at(hourMs + HOUR_MS)}`,
    interval: 'PT1H',
    metricnames: names.join(','),
    aggregation: 'Total',
    $filter: filter,
    top: String(SERIES_MAX),
  }
}

/** Azure Monitor says 400 to a name or a dimension that the resource does not have. */
const isUnknownMetric = (outcome: ArmOutcome) => outcome.kind === 'refused' && outcome.status === 400

function refusalOf(outcome: Exclude<ArmOutcome, { kind: 'ready' }>): Exclude<ProviderCounts, { kind: 'counted' }> {
  switch (outcome.kind) {
    case 'gone':
      return outcome
    case 'under-way':
      return { kind: 'busy', message: 'The answer is still being made.' }
    case 'busy':
      return { kind: 'busy', message: `${outcome.code}: ${outcome.message}` }
    case 'refused': {
      const message = `${outcome.code}: ${outcome.message}`
      return outcome.status === 401 || outcome.status === 403
        ? { kind: 'no-right', message }
        : { kind: 'unsupported', message }
    }
    default:
      return assertNever(outcome)
  }
}

/** The part of Azure Monitor's answer that is read here (`Metrics - List`, api-version 2023-10-01). */
const metricsAnswer = z.object({
  value: z.array(
    z.object({
      name: z.object({ value: z.string() }),
      timeseries: z.array(
        z.object({
          metadatavalues: z.array(z.object({ name: z.object({ value: z.string() }), value: z.string() })).default([]),
          data: z.array(z.object({ total: z.number().optional() })).default([]),
        }),
      ),
    }),
  ),
})

type Series = z.infer<typeof metricsAnswer>['value'][number]['timeseries'][number]

/** Adds what an answer counts to what others did; false where it has not the form that is known. */
function addSeries(found: Map<string, CountedUse>, answer: unknown, family: MetricFamily): boolean {
  const parsed = metricsAnswer.safeParse(answer)
  if (!parsed.success) return false
  for (const { name, timeseries } of parsed.data.value) {
    const field = countedFields.find((each) => family[each].toLowerCase() === name.value.toLowerCase())
    if (!field) continue
    for (const series of timeseries) {
      const { deployment, status } = dimensionsOf(series)
      if (deployment === '' || !isServed(status)) continue
      const total = Math.round(series.data.reduce((sum, point) => sum + (point.total ?? 0), 0))
      const known = found.get(deployment) ?? nothingCounted
      found.set(deployment, { ...known, [field]: known[field] + total })
    }
  }
  return true
}

/** Azure writes the names of dimensions in lower case in answers, whatever their case in questions. */
function dimensionsOf({ metadatavalues }: Series): { deployment: string; status: string | undefined } {
  const valueOf = (dimension: string) =>
    metadatavalues.find(({ name }) => name.value.toLowerCase() === dimension)?.value.toLowerCase()
  return { deployment: valueOf('modeldeploymentname') ?? '', status: valueOf('statuscode') }
}

/** `200`, or a class of statuses; without one the metric is of tokens, which only answers have. */
const isServed = (status: string | undefined) => status === undefined || status.startsWith('2')
