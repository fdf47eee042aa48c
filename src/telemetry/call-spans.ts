import type { Mark, TracedCall } from './call-trace'
import { genAi, operationOf, providerOf } from './gen-ai'
import { callParts, general, ours } from './names'
import type { Attributes, Span } from './span'

/** Pure: the spans of a call that has ended, its own first. `newSpanId` names those that nobody has named yet. */
export function callSpans(call: TracedCall, ratio: number, newSpanId: () => string): Span[] {
  const { traceId, spanId, settlement } = call
  const at = (ms: number) => call.startedAt + ms
  const part = (
    named: (typeof callParts)[keyof typeof callParts],
    { fromMs, toMs }: Pick<Mark, 'fromMs' | 'toMs'>,
    more: Partial<Span> = {},
  ): Span => ({
    ...named,
    traceId,
    spanId: newSpanId(),
    parentSpanId: spanId,
    startMs: at(fromMs),
    endMs: at(toMs),
    attributes: {},
    isError: false,
    ratio,
    ...more,
  })
  const own: Span = {
    name: nameOf(call),
    kind: 'server',
    traceId,
    spanId,
    parentSpanId: call.parentSpanId,
    startMs: at(0),
    endMs: at(call.endMs),
    attributes: attributesOf(call),
    isError: settlement
      ? settlement.outcome === 'failed' || settlement.outcome === 'interrupted'
      : (call.answer?.status ?? 0) >= 500,
    ratio,
  }
  const marks = call.marks.map((mark) => {
    if (mark.kind === 'queue') return part(callParts.queue, mark)
    if (mark.kind === 'durable') return part(callParts.durable, mark)
    return part(callParts.attempt, mark, {
      spanId: mark.spanId,
      attributes: attemptAttributes(mark),
      isError: mark.errorType !== undefined,
    })
  })
  const fromMs = settlement?.firstByteMs
  // What the log has is rounded; a span does not end before it begins.
  const relay =
    fromMs === undefined ? [] : [part(callParts.relay, { fromMs: Math.min(fromMs, call.endMs), toMs: call.endMs })]
  return [own, ...marks, ...relay]
}

/** Of the model that was meant; what a client wrote where it meant none of its own is not repeated. */
function nameOf({ caller, intent }: TracedCall): string {
  const operation = operationOf(intent?.operation ?? caller?.operation ?? 'inference')
  return intent ? `${operation} ${intent.model}` : operation
}

function attributesOf({ callId, method, caller, intent, settlement, provider, answer }: TracedCall): Attributes {
  const operation = intent?.operation ?? caller?.operation
  return {
    [ours.call]: callId,
    [ours.tenant]: intent?.tenantId ?? caller?.tenantId,
    [ours.key]: intent?.keyId ?? caller?.keyId,
    [ours.alias]: intent?.alias,
    [ours.backend]: settlement?.backendId,
    [ours.outcome]: settlement?.outcome,
    [genAi.operation]: operation === undefined ? undefined : operationOf(operation),
    [genAi.provider]: providerOf(provider),
    [genAi.requestModel]: intent?.model,
    [general.method]: method,
    [general.status]: settlement?.status ?? answer?.status,
    [general.error]: settlement ? (settlement.code ?? errorOf(settlement)) : answer?.code,
    ...(settlement ? usageAttributes(settlement, intent?.model) : {}),
  }
}

type Settlement = NonNullable<TracedCall['settlement']>

const errorOf = ({ outcome, status }: Settlement) =>
  outcome === 'completed' ? undefined : outcome === 'rejected' ? String(status) : outcome

function usageAttributes(settlement: Settlement, model: string | undefined): Attributes {
  const { usage, attempts, throttledAttempts, queuedMs, firstByteMs, servedAs, outcome } = settlement
  return {
    [genAi.responseModel]: outcome === 'completed' ? (servedAs?.model ?? model) : undefined,
    [genAi.inputTokens]: usage.promptTokens,
    [genAi.cachedTokens]: usage.cachedTokens > 0 ? usage.cachedTokens : undefined,
    [genAi.outputTokens]: usage.outputTokens,
    [ours.servedAs]: servedAs?.alias,
    [ours.attempts]: attempts,
    [ours.throttledAttempts]: throttledAttempts,
    [ours.queuedMs]: queuedMs === 0 ? undefined : queuedMs,
    [ours.firstByteMs]: firstByteMs,
  }
}

function attemptAttributes({ backendId, status, errorType }: Extract<Mark, { kind: 'attempt' }>): Attributes {
  return {
    [ours.backend]: backendId,
    [general.peer]: backendId,
    [general.method]: 'POST',
    [general.status]: status,
    [general.error]: errorType,
  }
}
