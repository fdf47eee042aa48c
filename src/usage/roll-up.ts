import type { CallId, TenantId } from '../base/ids'
import type { LogBlobId } from '../metering/log-blob-name'
import type { LogLine } from '../metering/log-line'
import { noMedia } from '../metering/usage-record'
import { groupKey, isZero, zeroSums, type GroupSums, type UsageGroup, type UsageSums } from './usage-sums'

/**
 * The roll-up of one log blob: a pure function of the blob's lines (I9). Pure, no clock, no I/O.
 *
 * R1 A blob owns its rows: nothing outside the blob changes them, so writing them again changes nothing.
 * R2 Each call counts once however often its lines are repeated, and an intent counts until its settlement is met, in
 *    whatever order the two come.
 * R3 The rows of a longer piece of the blob replace those of a shorter one, part by part: a group keeps its part.
 */
export function rollUp(blobId: LogBlobId, lines: Iterable<LogLine>): UsageRow[] {
  const rollUp = new BlobRollUp(blobId)
  let position = 0
  for (const line of lines) rollUp.add(line, ++position)
  return rollUp.rows()
}

/** One tenant's usage in one minute as one blob tells it, or a part of it where it has very many groups. */
export interface UsageRow {
  readonly tenantId: TenantId
  readonly blobId: LogBlobId
  /** Minutes since the epoch, of the calls' arrival. */
  readonly minute: number
  /** From 0. */
  readonly part: number
  /** How far into the blob the last line lies that the row depends on; of two versions the one with the higher is right. */
  readonly position: number
  /** In the order of their keys; groups in which nothing is left to count are left out. */
  readonly groups: readonly GroupSums[]
}

const MINUTE_MS = 60_000
/** Text of a row's groups, so that a row fits an entity (1 MiB, two bytes a character). */
export const ROW_CHARACTERS_MAX = 400_000
/** At most, for the numbers of a group as text: 17 of at most 16 digits with their commas. */
const SUMS_CHARACTERS_MAX = 300

/** The roll-up of a blob that is read bit by bit. Memory: one entry a call, a few hundred bytes a group. */
export class BlobRollUp {
  readonly #blobId: LogBlobId
  readonly #calls = new Map<CallId, CountedCall>()
  readonly #minutes = new Map<string, Minute>()

  constructor(blobId: LogBlobId) {
    this.#blobId = blobId
  }

  /** `position` is where the line ends; it rises from line to line. */
  add(line: LogLine, position: number): void {
    const { intent } = line
    const known = this.#calls.get(intent.callId)
    if (known === 'settled' || (known && line.kind === 'intent')) return
    if (line.kind === 'intent') {
      this.#calls.set(intent.callId, 'unsettled')
      this.#groupOf(line, position).unsettled++
      return
    }
    this.#calls.set(intent.callId, 'settled')
    // Where the intent lies in another blob, that one counts the call as unsettled, and this one takes it off.
    if (known || line.intentElsewhere) this.#groupOf({ kind: 'intent', intent }, position).unsettled--
    addSettlement(this.#groupOf(line, position), line)
  }

  rows(): UsageRow[] {
    return [...this.#minutes.values()].flatMap(({ parts }) => parts.map((part) => this.#rowOf(part)))
  }

  /** The rows that depend on lines beyond `position`. */
  rowsBeyond(position: number): UsageRow[] {
    return [...this.#minutes.values()].flatMap(({ parts }) =>
      parts.filter((part) => part.position > position).map((part) => this.#rowOf(part)),
    )
  }

  #rowOf(part: Part): UsageRow {
    const groups = [...part.groups]
      .filter(([, { sums }]) => !isZero(sums))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { group, sums }]) => ({ group, sums: { ...sums } }))
    const { tenantId, minute, number, position } = part
    return { tenantId, blobId: this.#blobId, minute, part: number, position, groups }
  }

  #groupOf(line: LogLine, position: number): UsageSums {
    const { tenantId, startedAt } = line.intent
    const minuteNumber = Math.floor(startedAt / MINUTE_MS)
    const minuteKey = `${minuteNumber} ${tenantId}`
    let minute = this.#minutes.get(minuteKey)
    if (!minute) this.#minutes.set(minuteKey, (minute = { parts: [], partOf: new Map() }))
    const group = groupOf(line)
    const key = groupKey(group)
    let part = minute.partOf.get(key)
    if (!part) {
      part = partWithRoom(minute, { tenantId, minute: minuteNumber }, key.length + SUMS_CHARACTERS_MAX)
      minute.partOf.set(key, part)
      part.groups.set(key, { group, sums: zeroSums() })
    }
    part.position = position
    const found = part.groups.get(key)
    if (!found) throw new Error('a usage group is missing from its part')
    return found.sums
  }
}

type CountedCall = 'unsettled' | 'settled'

interface Minute {
  readonly parts: Part[]
  readonly partOf: Map<string, Part>
}

interface Part {
  readonly tenantId: TenantId
  readonly minute: number
  readonly number: number
  readonly groups: Map<string, { readonly group: UsageGroup; readonly sums: UsageSums }>
  position: number
  charactersMax: number
}

/** By order of first appearance, which a longer piece of the blob does not change (R3). */
function partWithRoom(
  minute: Minute,
  { tenantId, minute: number }: { tenantId: TenantId; minute: number },
  characters: number,
) {
  const last = minute.parts.at(-1)
  if (last && last.charactersMax + characters <= ROW_CHARACTERS_MAX) {
    last.charactersMax += characters
    return last
  }
  const part: Part = {
    tenantId,
    minute: number,
    number: minute.parts.length,
    groups: new Map(),
    position: 0,
    charactersMax: characters,
  }
  minute.parts.push(part)
  return part
}

function groupOf(line: LogLine): UsageGroup {
  const { keyId, alias, model, operation } = line.intent
  const common = { key: keyId, alias, model, operation }
  if (line.kind === 'intent') return { ...common, outcome: 'unsettled', backend: null, deployment: null, region: null }
  const { outcome, backendId, deployment, region, servedAs } = line.settlement
  // A call that another model answered counts as that model's.
  return {
    ...common,
    ...servedAs,
    outcome,
    backend: backendId ?? null,
    deployment: deployment ?? null,
    region: region ?? null,
  }
}

function addSettlement(sums: UsageSums, { settlement }: Extract<LogLine, { kind: 'settled' }>): void {
  const { usage, costMicroUsd, firstByteMs } = settlement
  sums.calls++
  if (settlement.estimated) sums.estimated++
  if (costMicroUsd === undefined) sums.unpriced++
  sums.promptTokens += usage.promptTokens
  sums.cachedTokens += usage.cachedTokens
  sums.outputTokens += usage.outputTokens
  sums.reasoningTokens += usage.reasoningTokens
  sums.costMicroUsd += costMicroUsd ?? 0
  sums.latencyMs += settlement.latencyMs
  const { imageTokens, images, audioMs, characters } = usage.media ?? noMedia
  sums.imageTokens += imageTokens
  sums.images += images
  sums.audioMs += audioMs
  sums.characters += characters
  sums.hedgedTokens += settlement.hedgedTokens ?? 0
  if (firstByteMs === undefined) return
  sums.firstByteMs += firstByteMs
  sums.firstByteCalls++
}
