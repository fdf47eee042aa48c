import type { BackendId, TenantId } from '../base/ids'
import type { CallIntent, CallSettlement } from '../metering/usage-record'
import type { TracedCall } from './call-trace'
import { genAi, operationOf, providerOf } from './gen-ai'
import { FIRST_TOKEN_SECONDS_BOUNDS, Histogram, SECONDS_BOUNDS, TOKEN_BOUNDS, type Metric } from './metric'
import { general, metricNames, ours } from './names'
import type { Attributes } from './span'
import { TenantCells, type Owner } from './tenant-cells'

/** Counts of calls, all of them whether their traces are kept or not; a microsecond each. */
export interface CallMetrics {
  ended(intent: CallIntent, settlement: CallSettlement, provider: TracedCall['provider']): void
  /** It never came to stand in the usage log. */
  refused(tenantId: TenantId | undefined, refusal: Refusal): void
  attempt(backendId: BackendId, errorType: string | undefined): void
  /** What was counted since it was last called. */
  take(): Metric[]
}

export interface Refusal {
  readonly code: string
  /** HTTP’s. */
  readonly status: number
}

/** Backends of an installation that metrics tell apart. */
const BACKENDS_HELD_MAX = 500

interface CallKind {
  readonly operation: string
  readonly outcome: string
  readonly status: number
  readonly errorType: string | undefined
  /** Of the tenant's configuration; empty for tenants that are not named. */
  readonly alias: string
  readonly model: string
  readonly provider: TracedCall['provider']
  readonly backendId: BackendId | undefined
}

class CallCounts {
  readonly duration = new Histogram(SECONDS_BOUNDS)
  readonly firstToken = new Histogram(FIRST_TOKEN_SECONDS_BOUNDS)
  readonly queued = new Histogram(SECONDS_BOUNDS)
  readonly inputTokens = new Histogram(TOKEN_BOUNDS)
  readonly outputTokens = new Histogram(TOKEN_BOUNDS)

  add({ latencyMs, firstByteMs, queuedMs, usage }: CallSettlement): void {
    this.duration.add(latencyMs / 1_000)
    if (firstByteMs !== undefined) this.firstToken.add(firstByteMs / 1_000)
    if (queuedMs !== undefined && queuedMs > 0) this.queued.add(queuedMs / 1_000)
    if (usage.promptTokens > 0) this.inputTokens.add(usage.promptTokens)
    if (usage.outputTokens > 0) this.outputTokens.add(usage.outputTokens)
  }

  merge(other: CallCounts): void {
    this.duration.merge(other.duration)
    this.firstToken.merge(other.firstToken)
    this.queued.merge(other.queued)
    this.inputTokens.merge(other.inputTokens)
    this.outputTokens.merge(other.outputTokens)
  }
}

export function createCallMetrics(): CallMetrics {
  const calls = new TenantCells<CallKind, CallCounts>({
    make: () => new CallCounts(),
    merge: (into, from) => into.merge(from),
    keyOf: ({ operation, outcome, status, errorType, alias, backendId }) =>
      `${operation}|${outcome}|${status}|${errorType ?? ''}|${alias}|${backendId ?? ''}`,
    withoutTenant: (kind) => ({ ...kind, alias: '', model: '', provider: undefined, backendId: undefined }),
  })
  const refusals = new TenantCells<Refusal, undefined>({
    make: () => undefined,
    merge: () => {},
    keyOf: ({ code, status }) => `${code}|${status}`,
    withoutTenant: (refusal) => refusal,
  })
  const attempts = new Map<string, { readonly attributes: Attributes; value: number }>()

  return {
    ended: (intent, settlement, provider) => {
      const { outcome, status, backendId, code } = settlement
      const { operation, alias, model } = intent
      calls
        .count(intent.tenantId, { operation, outcome, status, errorType: code, alias, model, provider, backendId })
        .add(settlement)
    },
    refused: (tenantId, refusal) => refusals.count(tenantId ?? 'none', refusal),
    attempt: (backendId, errorType) => {
      const key = `${backendId}|${errorType ?? ''}`
      const known = attempts.get(key)
      if (known) known.value += 1
      else if (attempts.size < BACKENDS_HELD_MAX) {
        attempts.set(key, { attributes: { [ours.backend]: backendId, [general.error]: errorType }, value: 1 })
      }
    },
    take: () => {
      const tried = [...attempts.values()]
      attempts.clear()
      return [
        ...callMetrics(calls.take()),
        {
          name: metricNames.refusals,
          unit: '{call}',
          description: 'Calls that were refused before they stood in the usage log, by the code of the refusal.',
          points: {
            kind: 'sum',
            values: refusals.take().map(({ owner, kind, calls }) => ({
              attributes: { [ours.tenant]: nameOf(owner), [general.error]: kind.code, [general.status]: kind.status },
              value: calls,
            })),
          },
        },
        {
          name: metricNames.attempts,
          unit: '{attempt}',
          description: 'Times that a backend was asked, by why it gave no answer.',
          points: { kind: 'sum', values: tried },
        },
      ]
    },
  }
}

const nameOf = (owner: Owner) => (owner === 'none' ? undefined : owner)

type CallCell = ReturnType<TenantCells<CallKind, CallCounts>['take']>[number]

function callMetrics(cells: readonly CallCell[]): Metric[] {
  const histogram = (of: (counts: CallCounts) => Histogram, more: Attributes = {}) =>
    cells
      .filter(({ value }) => of(value).count > 0)
      .map((cell) => ({ attributes: { ...attributesOf(cell), ...more }, histogram: of(cell.value) }))
  return [
    {
      name: metricNames.calls,
      unit: '{call}',
      description: 'Calls that stand in the usage log, by how they ended.',
      points: { kind: 'sum', values: cells.map((cell) => ({ attributes: attributesOf(cell), value: cell.calls })) },
    },
    {
      name: metricNames.callDuration,
      unit: 's',
      description: 'From a call’s arrival to its answer’s last byte.',
      points: { kind: 'histogram', values: histogram(({ duration }) => duration) },
    },
    {
      name: metricNames.firstToken,
      unit: 's',
      description: 'From a call’s arrival to its answer’s first byte.',
      points: { kind: 'histogram', values: histogram(({ firstToken }) => firstToken) },
    },
    {
      name: metricNames.queueWait,
      unit: 's',
      description: 'How long calls waited for their turn at backends that were at capacity; those that waited at all.',
      points: { kind: 'histogram', values: histogram(({ queued }) => queued) },
    },
    {
      name: metricNames.tokens,
      unit: '{token}',
      description: 'Tokens of a call.',
      points: {
        kind: 'histogram',
        values: [
          ...histogram(({ inputTokens }) => inputTokens, { [genAi.tokenType]: 'input' }),
          ...histogram(({ outputTokens }) => outputTokens, { [genAi.tokenType]: 'output' }),
        ],
      },
    },
  ]
}

function attributesOf({ owner, kind }: CallCell): Attributes {
  return {
    [ours.tenant]: nameOf(owner),
    [ours.alias]: kind.alias === '' ? undefined : kind.alias,
    [ours.backend]: kind.backendId,
    [ours.outcome]: kind.outcome,
    [genAi.operation]: operationOf(kind.operation),
    [genAi.provider]: providerOf(kind.provider),
    [genAi.requestModel]: kind.model === '' ? undefined : kind.model,
    [general.status]: kind.status,
    [general.error]: kind.errorType,
  }
}
