import type { CallLine } from '../../src/metering/log-line'
import { connectStorage } from '../../src/storage/connect'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import { testConnectionString } from '../harness/storage'
import type { LedgerEntry } from '../harness/stack'
import { linesOf } from '../metering/read-all'
import type { Storm, Town } from './storm'
import { surfaces } from './surfaces'

/** What was found of a storm: figures, and every call of which the sides tell different things. */
export interface Agreement {
  readonly calls: number
  /** As clients saw it: 0 where no answer came. */
  readonly statuses: Readonly<Record<string, number>>
  /** Settled as completed, by operation. */
  readonly completed: Readonly<Record<string, number>>
  readonly interrupted: number
  readonly failed: number
  readonly estimated: number
  readonly unsettled: number
  readonly kills: number
  readonly disagreements: readonly string[]
}

const MINUTE_MS = 60_000

type SettledLine = Extract<CallLine, { kind: 'settled' }>

interface Sides {
  readonly storm: Storm
  readonly settled: readonly SettledLine[]
  /** Of calls that have no settlement anywhere. */
  readonly unsettled: ReadonlySet<string>
  /** By our call id, the attempt that served the call to its end; earlier ones were faulted. */
  readonly served: ReadonlyMap<string, LedgerEntry>
  readonly underWayMax: number
}

/**
 * Holds three accounts of the same calls against each other: what clients saw, what the provider says that it served, and our
 * usage log; and the tenants' own figures against the log.
 */
export async function agree(town: Town, storm: Storm, workers: number): Promise<Agreement> {
  // Usage is told by whole minutes.
  const fromMs = Math.floor(storm.fromMs / MINUTE_MS) * MINUTE_MS
  const totals = await totalsOf(town, fromMs)
  const sides = { ...(await readSides(town, storm, fromMs)), underWayMax: storm.kills * workers }
  const { settled, unsettled } = sides
  const ended = (outcome: string) => settled.filter(({ settlement }) => settlement.outcome === outcome)
  return {
    calls: storm.seen.length,
    statuses: countBy(storm.seen.map(({ status }) => String(status))),
    completed: countBy(ended('completed').map(({ intent }) => intent.operation)),
    interrupted: ended('interrupted').length,
    failed: ended('failed').length,
    estimated: settled.filter(({ settlement }) => settlement.estimated).length,
    unsettled: unsettled.size,
    kills: storm.kills,
    disagreements: [
      ...twice(sides),
      ...lost(sides),
      ...wronglyCounted(sides),
      ...tooManyCutOff(sides),
      ...wrongSums(sides, totals),
    ],
  }
}

async function readSides({ stack, tenants }: Town, storm: Storm, fromMs: number) {
  const account = connectStorage(
    { kind: 'connection-string', connectionString: testConnectionString() },
    stack.storagePrefix,
  )
  const own = new Set<string>(tenants.map(({ tenantId }) => tenantId))
  const lines = (await linesOf(account.container(usageLogContainer)))
    .map(({ line }) => line)
    .filter(({ intent }) => own.has(intent.tenantId) && intent.startedAt >= fromMs)
  const settled = lines.filter((line): line is SettledLine => line.kind === 'settled')
  const settledIds = new Set<string>(settled.map(({ intent }) => intent.callId))
  const unsettled = new Set<string>(lines.map(({ intent }) => intent.callId).filter((id) => !settledIds.has(id)))
  const ledger = (await stack.ledger()).filter(({ at }) => at >= fromMs)
  const whole = ledger.filter((entry) => entry.status === 200 && (entry.outcome === 'completed' || isWholeAll(entry)))
  const served = new Map(whole.map((entry) => [entry.clientRequestId ?? '', entry]))
  return { storm, settled, unsettled, served }
}

/** Of such a stream nothing is missing but its `[DONE]`. */
const isWholeAll = ({ outcome, fault }: LedgerEntry) => outcome === 'faulted' && fault === 'no-done'

/** No call is settled twice. */
function twice({ settled }: Sides): string[] {
  const counts = countBy(settled.map(({ intent }) => intent.callId))
  return Object.entries(counts).flatMap(([id, count]) => (count > 1 ? [`${id} is settled ${count} times`] : []))
}

/** What reached its client is there: settled, or, if the process died right behind the last byte, as unsettled. */
function lost({ storm, settled, unsettled }: Sides): string[] {
  const known = new Set([...settled.map(({ intent }) => intent.callId as string), ...unsettled])
  return storm.seen.flatMap(({ operation, callId, whole }) =>
    whole && !known.has(callId ?? '') ? [`${operation}: ${callId} reached its client and is not in the log`] : [],
  )
}

/** What is settled as completed the provider has served, and its count is ours where its answer tells it. */
function wronglyCounted({ settled, served }: Sides): string[] {
  return settled.flatMap(({ intent, settlement }) => {
    if (settlement.outcome !== 'completed') return []
    const entry = served.get(intent.callId)
    const name = `${intent.operation}: ${intent.callId}`
    if (!entry) return [`${name} is completed, and the provider served none such`]
    const { usage, estimated } = settlement
    if (estimated) return isUntold(intent, settlement) ? [] : [`${name} is estimated, though its answer told its usage`]
    const ours = [usage.promptTokens, usage.outputTokens, usage.media?.images ?? 0]
    const theirs = [entry.promptTokens, entry.outputTokens, entry.images]
    const sound = usage.media?.audioMs ?? 0
    if (sound > 0 && Math.abs(sound - entry.audioSeconds * 1_000) > 1)
      return [`${name}: ${sound} ms of sound, not ${entry.audioSeconds} s`]
    // Sound that is counted by its length has tokens in the ledger that nobody bills.
    if (sound > 0 || ours.every((count, i) => count === theirs[i])) return []
    return [`${name}: prompt, output, images are ${ours.join(', ')} here and ${theirs.join(', ')} there`]
  })
}

/** Bytes tell nothing. */
const isUntold = ({ operation }: { operation: string }, { estimated }: { estimated: boolean }) =>
  estimated && Object.entries(surfaces).some(([name, { isBytes }]) => name === operation && isBytes === true)

/** What was served, or began, and is not settled was cut off by a kill: no more than were under way then. */
function tooManyCutOff({ settled, unsettled, served, storm, underWayMax }: Sides): string[] {
  const settledIds = new Set<string>(settled.map(({ intent }) => intent.callId))
  const whole = new Set(storm.seen.filter((call) => call.whole).map(({ callId }) => callId))
  const unmetered = [...served.keys()].filter((id) => !settledIds.has(id) && !unsettled.has(id))
  return [
    ...(unsettled.size > underWayMax ? [`${unsettled.size} calls are unsettled, and ${underWayMax} could be`] : []),
    ...(unmetered.length > underWayMax ? [`${unmetered.length} served calls are not in the log`] : []),
    ...unmetered.filter((id) => whole.has(id)).map((id) => `${id} was served to its client and is not in the log`),
  ]
}

interface Totals {
  readonly calls: number
  readonly unsettled: number
  readonly promptTokens: number
  readonly outputTokens: number
}

/** The tenants' own figures are the sums of the log. */
function wrongSums({ settled, unsettled }: Sides, totals: Totals): string[] {
  const sum = (field: 'promptTokens' | 'outputTokens') =>
    settled.reduce((total, { settlement }) => total + settlement.usage[field], 0)
  const expected: Totals = {
    calls: settled.filter(({ settlement }) => !isUndispatched(settlement)).length,
    unsettled: unsettled.size,
    promptTokens: sum('promptTokens'),
    outputTokens: sum('outputTokens'),
  }
  const names = ['calls', 'unsettled', 'promptTokens', 'outputTokens'] as const
  return names.flatMap((name) =>
    totals[name] === expected[name] ? [] : [`the tenants’ ${name} are ${totals[name]}, the log’s ${expected[name]}`],
  )
}

/** Counted apart, as refused or unavailable. */
const isUndispatched = ({ outcome, attempts, status }: SettledLine['settlement']) =>
  outcome === 'failed' && attempts === 0 && (status === 429 || status >= 500)

async function totalsOf({ stack, tenants }: Town, fromMs: number): Promise<Totals> {
  const from = encodeURIComponent(new Date(fromMs).toISOString())
  const sums = { calls: 0, unsettled: 0, promptTokens: 0, outputTokens: 0 }
  for (const { apiKey } of tenants) {
    const answer = await fetch(`${stack.baseUrl}/api/tenant/usage?from=${from}`, { headers: { 'api-key': apiKey } })
    const { totals } = (await answer.json()) as { totals: Totals }
    sums.calls += totals.calls
    sums.unsettled += totals.unsettled
    sums.promptTokens += totals.promptTokens
    sums.outputTokens += totals.outputTokens
  }
  return sums
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
