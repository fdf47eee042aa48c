import type { BackendId, CallId, KeyId, TenantId } from '../base/ids'
import type { CallIntent, CallOutcome, CallSettlement, CallTally, MediaUsage, TallyId } from './usage-record'

/** One line of a log blob. */
export type LogLine = CallLine | { readonly kind: 'tally'; readonly tally: CallTally }

/** Of one call. A settled line repeats its intent, so that either line alone says whose call it was. */
export type CallLine =
  | { readonly kind: 'intent'; readonly intent: CallIntent }
  | {
      readonly kind: 'settled'
      readonly intent: CallIntent
      readonly settlement: CallSettlement
      /**
       * True where the intent is durable in another blob, which could not be written any more: that blob counts the call
       * as unsettled for ever, so this one must count one unsettled call less for the sum to be right.
       */
      readonly intentElsewhere: boolean
    }

/**
 * The format's version, first field of every line. A reader refuses what it does not know rather than skip it. Version 1 had no tallies,
 * and did not tell of waits and throttled attempts; its lines are read as they are.
 */
const LINE_VERSION = 2
const READ_VERSIONS: readonly unknown[] = [1, LINE_VERSION]

/** Free texts (alias, model, request id, …) are cut to this, which bounds a line to about 6 KB whatever they contain. */
const TEXT_CHARACTERS_MAX = 128

/** Texts that are their own JSON form; nearly all are, and testing is several times cheaper than JSON.stringify. */
const PLAIN_TEXT = /^[\w.:/@ -]{0,128}$/

export function encodeIntent(intent: CallIntent): string {
  return `{"v":${LINE_VERSION},"k":"i",${intentFields(intent)}}\n`
}

/** Hand-built, since this and `encodeIntent` are the whole price of metering on the data path. */
export function encodeSettled(intent: CallIntent, settlement: CallSettlement, intentElsewhere: boolean): string {
  const { usage } = settlement
  return (
    `{"v":${LINE_VERSION},"k":"s",${intentFields(intent)},"oc":"${settlement.outcome}","st":${whole(settlement.status)}` +
    optionalText('be', settlement.backendId) +
    optionalText('de', settlement.deployment) +
    optionalText('re', settlement.region) +
    `,"p":${whole(usage.promptTokens)},"c":${whole(usage.cachedTokens)},"o":${whole(usage.outputTokens)}` +
    `,"r":${whole(usage.reasoningTokens)},"ms":${whole(settlement.latencyMs)},"n":${whole(settlement.attempts)}` +
    optionalNumber('fb', settlement.firstByteMs) +
    optionalNumber('us', settlement.costMicroUsd) +
    optionalNumber('hg', settlement.hedgedTokens) +
    optionalNumber('qm', settlement.queuedMs) +
    optionalNumber('th', settlement.throttledAttempts) +
    optionalText('co', settlement.code) +
    optionalText('sa', settlement.servedAs?.alias) +
    optionalText('sm', settlement.servedAs?.model) +
    (usage.media ? mediaFields(usage.media) : '') +
    (settlement.estimated ? ',"es":1' : '') +
    (intentElsewhere ? ',"el":1' : '') +
    '}\n'
  )
}

export function encodeTally(tally: CallTally): string {
  return (
    `{"v":${LINE_VERSION},"k":"t","id":${quoted(tally.tallyId)},"at":${whole(tally.startedAt)},"tn":${quoted(tally.tenantId)}` +
    `,"ky":${quoted(tally.keyId)},"al":${quoted(tally.alias)},"mo":${quoted(tally.model)},"op":${quoted(tally.operation)}` +
    `,"co":${quoted(tally.code)},"st":${whole(tally.status)},"n":${whole(tally.calls)}}\n`
  )
}

const mediaFields = ({ imageTokens, images, audioMs, characters }: MediaUsage) =>
  `,"it":${whole(imageTokens)},"im":${whole(images)},"au":${whole(audioMs)},"ch":${whole(characters)}`

function intentFields(intent: CallIntent): string {
  return (
    `"id":${quoted(intent.callId)},"at":${whole(intent.startedAt)},"tn":${quoted(intent.tenantId)}` +
    `,"ky":${quoted(intent.keyId)},"al":${quoted(intent.alias)},"mo":${quoted(intent.model)}` +
    `,"op":${quoted(intent.operation)},"rq":${quoted(intent.requestId)},"et":${whole(intent.estimatedTokens)}`
  )
}

const quoted = (text: string) =>
  PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text.slice(0, TEXT_CHARACTERS_MAX))

const optionalText = (name: string, text: string | undefined) =>
  text === undefined ? '' : `,"${name}":${quoted(text)}`
const optionalNumber = (name: string, value: number | undefined) =>
  value === undefined ? '' : `,"${name}":${whole(value)}`

/** Sums must be exact and JSON has no NaN, whatever a backend reported. */
const whole = (value: number) => (value > 0 && value <= Number.MAX_SAFE_INTEGER ? Math.round(value) : 0)

/**
 * Undefined for a line that is damaged (torn, or not of this log).
 * Throws for a line of a version that this code does not know: passing over it would lose usage silently.
 */
export function parseLogLine(text: string): LogLine | undefined {
  const fields = parseFields(text)
  if (!fields) return undefined
  if (!READ_VERSIONS.includes(fields.v)) throw new Error(`usage log line of unknown version ${String(fields.v)}`)
  if (fields.k === 't') return { kind: 'tally', tally: tallyOf(fields) }
  const intent: CallIntent = {
    callId: fields.id,
    startedAt: fields.at,
    tenantId: fields.tn,
    keyId: fields.ky,
    alias: fields.al,
    model: fields.mo,
    operation: fields.op,
    requestId: fields.rq,
    estimatedTokens: fields.et,
  }
  if (fields.k === 'i') return { kind: 'intent', intent }
  return { kind: 'settled', intent, settlement: settlementOf(fields), intentElsewhere: fields.el === 1 }
}

const tallyOf = (fields: TallyFields): CallTally => ({
  tallyId: fields.id,
  startedAt: fields.at,
  tenantId: fields.tn,
  keyId: fields.ky,
  alias: fields.al,
  model: fields.mo,
  operation: fields.op,
  code: fields.co,
  status: fields.st,
  calls: fields.n,
})

function settlementOf(fields: SettledFields): CallSettlement {
  return {
    outcome: fields.oc,
    status: fields.st,
    backendId: fields.be,
    deployment: fields.de,
    region: fields.re,
    usage: {
      promptTokens: fields.p,
      cachedTokens: fields.c,
      outputTokens: fields.o,
      reasoningTokens: fields.r,
      ...mediaOf(fields),
    },
    estimated: fields.es === 1,
    costMicroUsd: fields.us,
    latencyMs: fields.ms,
    firstByteMs: fields.fb,
    attempts: fields.n,
    ...(fields.hg === undefined ? {} : { hedgedTokens: fields.hg }),
    ...(fields.qm === undefined ? {} : { queuedMs: fields.qm }),
    ...(fields.th === undefined ? {} : { throttledAttempts: fields.th }),
    ...(fields.co === undefined ? {} : { code: fields.co }),
    ...(fields.sa === undefined || fields.sm === undefined ? {} : { servedAs: { alias: fields.sa, model: fields.sm } }),
  }
}

const mediaOf = ({ it = 0, im = 0, au = 0, ch = 0 }: SettledFields) =>
  it + im + au + ch > 0 ? { media: { imageTokens: it, images: im, audioMs: au, characters: ch } } : {}

interface LineFields {
  readonly v: unknown
  readonly at: number
  readonly tn: TenantId
  readonly ky: KeyId
  readonly al: string
  readonly mo: string
  readonly op: string
}

interface IntentFields extends LineFields {
  readonly id: CallId
  readonly rq: string
  readonly et: number
}

interface TallyFields extends LineFields {
  readonly k: 't'
  readonly id: TallyId
  readonly co: string
  readonly st: number
  readonly n: number
}

interface SettledFields extends IntentFields {
  readonly k: 's'
  readonly oc: CallOutcome
  readonly st: number
  readonly be?: BackendId
  readonly de?: string
  readonly re?: string
  readonly p: number
  readonly c: number
  readonly o: number
  readonly r: number
  readonly ms: number
  readonly n: number
  readonly fb?: number
  readonly us?: number
  readonly hg?: number
  readonly qm?: number
  readonly th?: number
  readonly co?: string
  readonly sa?: string
  readonly sm?: string
  readonly it?: number
  readonly im?: number
  readonly au?: number
  readonly ch?: number
  readonly es?: 1
  readonly el?: 1
}

type Fields = (IntentFields & { readonly k: 'i' }) | SettledFields | TallyFields

const intentTexts = ['id', 'tn', 'ky', 'al', 'mo', 'op', 'rq']
const intentNumbers = ['at', 'et']
/** What a line must have for each kind; one without is damaged. */
const required = new Map<unknown, { readonly texts: readonly string[]; readonly numbers: readonly string[] }>([
  ['i', { texts: intentTexts, numbers: intentNumbers }],
  ['s', { texts: [...intentTexts, 'oc'], numbers: [...intentNumbers, 'st', 'p', 'c', 'o', 'r', 'ms', 'n'] }],
  ['t', { texts: ['id', 'tn', 'ky', 'al', 'mo', 'op', 'co'], numbers: ['at', 'st', 'n'] }],
])

function parseFields(text: string): Fields | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('v' in value)) return undefined
  const fields = value as Record<string, unknown>
  if (!READ_VERSIONS.includes(fields['v'])) return fields as unknown as Fields
  const wanted = required.get(fields['k'])
  const isWhole =
    wanted?.texts.every((name) => typeof fields[name] === 'string') &&
    wanted.numbers.every((name) => typeof fields[name] === 'number')
  return isWhole ? (fields as unknown as Fields) : undefined
}
