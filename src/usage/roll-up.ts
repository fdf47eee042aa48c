import type { TenantId } from '../base/ids'
import type { LogBlobId } from '../metering/log-blob-name'
import type { LogLine } from '../metering/log-line'
import type { CallIntent, CallSettlement, CallTally, TallyId } from '../metering/usage-record'
import { NEW_CALL, NO_CALL } from './call-table'
import { RollUpTables } from './roll-up-tables'
import { isSketched, outcomeOf, sumsOfCall, sumsOfTally, undispatched } from './sums-of-call'
import { addTimes, newSketches, noSketches, packTimes, type UsageSketches } from './usage-sketches'
import { groupKey, isZero, type GroupSums, type UsageGroup } from './usage-sums'

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

/** A tenant of which rows have changed. */
export interface ChangedUsage {
  readonly tenantId: TenantId
  /** Of the changed rows, minutes since the epoch; each once. */
  readonly minutes: readonly number[]
  /** Made when they are asked for, since those of all tenants at one time are much to hold. */
  rows(): UsageRow[]
}

const MINUTE_MS = 60_000
/** Text of a row's groups, so that a row fits an entity: long ones are compressed (usage-columns.ts), to a third and less. */
export const ROW_CHARACTERS_MAX = 1_200_000
/**
 * At most, for the numbers of a group as text: 24 of at most 16 digits with their commas; and three sketches of up to 916 bins of up
 * to 6 characters. A group keeps its part, so there must be room for all that it may come to have.
 */
const SUMS_CHARACTERS_MAX = 410
const SKETCHES_CHARACTERS_MAX = 17_000

/** The roll-up of a blob that is read bit by bit. Memory: 48 bytes a call, a few hundred a group. */
export class BlobRollUp {
  readonly #blobId: LogBlobId
  readonly #tables: RollUpTables
  /** The state of a call is `SETTLED`, or the place among these of what it asked. */
  readonly #asked: Asked[] = []
  readonly #tallies = new Set<TallyId>()
  readonly #minutes = new Map<number, Minute>()
  /** By their keys, like the groups: the same ones come minute by minute, and their texts would be most of a minute's memory. */
  readonly #questions = new Map<string, Question>()
  readonly #groups = new Map<string, KnownGroup>()

  /** `tables` are empty, and nobody else's while this is used. */
  constructor(blobId: LogBlobId, tables = new RollUpTables()) {
    this.#blobId = blobId
    this.#tables = tables
  }

  /** `position` is where the line ends; it rises from line to line. */
  add(line: LogLine, position: number): void {
    if (line.kind === 'tally') return this.#addTally(line.tally, position)
    const { intent } = line
    const { calls, sums } = this.#tables
    const call = calls.numberOf(intent.callId)
    const state = calls.stateOf(call)
    if (state === SETTLED || (state !== NEW_CALL && line.kind === 'intent')) return
    const known = state >= 0 ? this.#asked[state] : undefined
    const asked = known ?? this.#askedOf(intent)
    if (line.kind === 'intent') {
      calls.setState(call, asked.number)
      sums.count(this.#countedOf(asked, unsettled, position).number, 'unsettled', 1)
      return
    }
    calls.setState(call, SETTLED)
    // Where the intent lies in another blob, that one counts the call as unsettled, and this one takes it off.
    if (known || line.intentElsewhere) sums.count(this.#countedOf(asked, unsettled, position).number, 'unsettled', -1)
    const { settlement } = line
    // A call that another model answered counts as that model's.
    const served = settlement.servedAs ? this.#askedOf({ ...intent, ...settlement.servedAs }) : asked
    const counted = this.#countedOf(served, endOf(settlement), position)
    sums.increase(counted.number, sumsOfCall(settlement))
    if (isSketched(counted.known.group.outcome) && settlement.latencyMs > 0) {
      calls.link(call, packTimes(settlement), counted.timed)
      counted.timed = call
    }
  }

  #addTally(tally: CallTally, position: number): void {
    if (this.#tallies.has(tally.tallyId)) return
    this.#tallies.add(tally.tallyId)
    const outcome = undispatched(tally.status)
    const { number } = this.#countedOf(this.#askedOf(tally), { outcome, ...nowhere }, position)
    this.#tables.sums.increase(number, sumsOfTally(tally))
  }

  rows(): UsageRow[] {
    return this.rowsBeyond(-1)
  }

  /** The rows that depend on lines beyond `position`. */
  rowsBeyond(position: number): UsageRow[] {
    return this.tenantsBeyond(position).flatMap((tenant) => tenant.rows())
  }

  /** The same, tenant by tenant. */
  tenantsBeyond(position: number): ChangedUsage[] {
    const changed = [...this.#minutes.values()].flatMap(({ partsOf }) =>
      [...partsOf.values()].flatMap((parts) => parts.filter((part) => part.position > position)),
    )
    const byTenant = Map.groupBy(changed, ({ tenantId }) => tenantId)
    return [...byTenant].map(([tenantId, parts]) => ({
      tenantId,
      minutes: [...new Set(parts.map(({ minute }) => minute))],
      rows: () => parts.map((part) => this.#rowOf(part)),
    }))
  }

  #rowOf(part: Part): UsageRow {
    const groups = part.groups
      .map(({ known, number, timed }) => ({ known, sums: this.#tables.sums.of(number), timed }))
      .filter(({ sums }) => !isZero(sums))
      .sort((a, b) => (a.known.key < b.known.key ? -1 : 1))
      .map(({ known, sums, timed }) => ({ group: known.group, sums, sketches: this.#sketchesOf(timed) }))
    const { tenantId, minute, number, position } = part
    return { tenantId, blobId: this.#blobId, minute, part: number, position, groups }
  }

  #sketchesOf(timed: number): UsageSketches {
    if (timed === NO_CALL) return noSketches
    const sketches = newSketches()
    for (const times of this.#tables.calls.valuesFrom(timed)) addTimes(sketches, times)
    return sketches
  }

  #askedOf(of: QuestionFields & { readonly startedAt: number }): Asked {
    const question = this.#questionOf(of)
    const number = Math.floor(of.startedAt / MINUTE_MS)
    let minute = this.#minutes.get(number)
    if (!minute) this.#minutes.set(number, (minute = { number, partsOf: new Map(), asked: new Map() }))
    let asked = minute.asked.get(question)
    if (asked) return asked
    asked = { number: this.#asked.length, question, minute, counted: [] }
    minute.asked.set(question, asked)
    this.#asked.push(asked)
    return asked
  }

  #questionOf({ tenantId, keyId, alias, model, operation }: QuestionFields): Question {
    // Another text for each, whatever is in the texts that it is made of, and several times cheaper than JSON.
    const lengths = `${tenantId.length} ${keyId.length} ${alias.length} ${model.length}`
    const key = `${lengths} ${tenantId}${keyId}${alias}${model}${operation}`
    const known = this.#questions.get(key)
    if (known) return known
    const made = { tenantId, key: keyId, alias, model, operation }
    this.#questions.set(key, made)
    return made
  }

  /** What is counted of the calls that ended so, whose row depends on the line at `position` from now on. */
  #countedOf(asked: Asked, end: End, position: number): Counted {
    const found = asked.counted.find(({ known: { group } }) => endedSo(group, end)) ?? this.#newCounted(asked, end)
    found.part.position = position
    return found
  }

  #newCounted(asked: Asked, { outcome, backend, deployment, region }: End): Counted {
    const { tenantId, ...of } = asked.question
    const known = this.#known({ ...of, outcome, backend, deployment, region })
    const characters = known.key.length + SUMS_CHARACTERS_MAX + (isSketched(outcome) ? SKETCHES_CHARACTERS_MAX : 0)
    const { number: minute, partsOf } = asked.minute
    let parts = partsOf.get(tenantId)
    if (!parts) partsOf.set(tenantId, (parts = []))
    const part = partWithRoom(parts, { tenantId, minute }, characters)
    const made = { known, part, number: this.#tables.sums.add(), timed: NO_CALL }
    part.groups.push(made)
    asked.counted = asked.counted.concat(made)
    return made
  }

  #known(group: UsageGroup): KnownGroup {
    const key = groupKey(group)
    const known = this.#groups.get(key)
    if (known) return known
    const made = { key, group }
    this.#groups.set(key, made)
    return made
  }
}

interface KnownGroup {
  readonly key: string
  readonly group: UsageGroup
}

type QuestionFields = Pick<CallIntent, 'tenantId' | 'keyId' | 'alias' | 'model' | 'operation'>

/** What calls have in common from their arrival on. */
interface Question extends Pick<UsageGroup, 'key' | 'alias' | 'model' | 'operation'> {
  readonly tenantId: TenantId
}

interface Minute {
  readonly number: number
  readonly partsOf: Map<TenantId, Part[]>
  readonly asked: Map<Question, Asked>
}

/** Calls of one question in one minute. A settlement is counted where its intent is, without looking for it again. */
interface Asked {
  readonly number: number
  readonly question: Question
  readonly minute: Minute
  /** By how they ended: a few, since one alias leads to few backends. Of its own length, since an array that grows has room for 17. */
  counted: readonly Counted[]
}

/** What calls have in common that ended the same. */
type End = Pick<UsageGroup, 'outcome' | 'backend' | 'deployment' | 'region'>

interface Counted {
  readonly known: KnownGroup
  readonly part: Part
  /** Of its sums, in their table. */
  readonly number: number
  /** The last of its calls whose times are in its sketches; the others hang on it. They are made of them when its row is. */
  timed: number
}

interface Part {
  readonly tenantId: TenantId
  readonly minute: number
  readonly number: number
  readonly groups: Counted[]
  position: number
  charactersMax: number
}

/** By order of first appearance, which a longer piece of the blob does not change (R3). */
function partWithRoom(parts: Part[], of: { tenantId: TenantId; minute: number }, characters: number): Part {
  const last = parts.at(-1)
  if (last && last.charactersMax + characters <= ROW_CHARACTERS_MAX) {
    last.charactersMax += characters
    return last
  }
  const part: Part = { ...of, number: parts.length, groups: [], position: 0, charactersMax: characters }
  parts.push(part)
  return part
}

const SETTLED = -2

const nowhere = { backend: null, deployment: null, region: null }
const unsettled: End = { outcome: 'unsettled', ...nowhere }

const endOf = (settlement: CallSettlement): End => ({
  outcome: outcomeOf(settlement),
  backend: settlement.backendId ?? null,
  deployment: settlement.deployment ?? null,
  region: settlement.region ?? null,
})

const endedSo = (group: UsageGroup, { outcome, backend, deployment, region }: End) =>
  group.outcome === outcome && group.backend === backend && group.deployment === deployment && group.region === region
