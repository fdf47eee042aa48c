import { html, type Html } from './html'
import { htmlPage } from './html-page'
import { htmlTable, type Head } from './html-table'
import type { ReportDay, ReportedObjective, ShownIncident, SlaReport } from '../sla/sla-report'
import { dailyChart } from './sla-chart'
import { slaPageStyle } from './sla-page-style'

const page = htmlPage(slaPageStyle)
export const slaPageHeaders = page.headers

/** A month's report for people: one page that stands by itself and can be printed, made of nothing but the report and a name. */
export function slaPage(report: SlaReport, tenantName: string): string {
  const { tenantId, month, from, to, state, madeAt, objectives, incidents, maintenance } = report
  const name = monthName(month)
  return page.render(
    `Service levels ${name} of ${tenantName}`,
    html`<main>
      <h1>Service levels ${name}</h1>
      <p><bdi>${tenantName}</bdi> <span class="soft">${tenantId}</span></p>
      <p>${resultsInShort(objectives)} Incidents: ${incidents.length}.</p>
      <p class="soft">
        From ${when(from)} to ${when(to)}; all times are UTC.
        ${state === 'final' ? 'Final' : 'Provisional: the month may still change'}, made ${when(madeAt)}.
      </p>
      <h2>Objectives</h2>
      ${objectivesTable(objectives)} ${objectives.map(objectiveSection)}
      <h2>What counted</h2>
      ${callsTable(report.calls)}
      <h2>Incidents</h2>
      ${incidents.length === 0 ? html`<p>There was none.</p>` : incidentsTable(incidents)}
      <h2>Announced maintenance</h2>
      ${maintenance.length === 0 ? html`<p>There was none.</p>` : maintenanceTable(maintenance)}
    </main>`,
  )
}

const results = { met: 'Met', missed: 'Missed', 'no-calls': 'No calls' } as const

/** What the reader wants to know first: `Met: 2. Missed: 1.` */
const resultsInShort = (objectives: readonly ReportedObjective[]) =>
  Object.entries(results)
    .map(([result, name]) => ({ name, count: objectives.filter((objective) => objective.result === result).length }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${name}: ${count}.`)
    .join(' ')

const objectivesTable = (objectives: readonly ReportedObjective[]) =>
  table(
    'Each objective and how it came out.',
    ['Objective', 'Result', 'Reached', { number: 'Calls' }, { number: 'Bad calls' }, 'Error budget spent'],
    objectives.map(({ objective, result, good, bad, goodPercent, p95Ms, errorBudget }) => [
      promiseOf(objective),
      html`<span class="${result}">${results[result]}</span>`,
      goodPercent === null ? '' : `${goodPercent} %${p95Ms === null ? '' : `, p95 ${duration(p95Ms)}`}`,
      grouped(good + bad),
      grouped(bad),
      `${grouped(errorBudget.spent)} of ${grouped(errorBudget.calls)} calls (${grouped(errorBudget.spentPercent)} %)`,
    ]),
  )

function objectiveSection({ objective, days }: ReportedObjective, at: number): Html {
  const isShare = objective.kind === 'availability'
  const bound = (isShare ? objective.percent : objective.p95Ms) ?? 0
  const values = days.map((day) => ({ date: day.date, value: isShare ? day.goodPercent : day.p95Ms }))
  const known = values.flatMap(({ value }) => value ?? [])
  const label = (value: number) => (isShare ? `${grouped(value)} %` : duration(value))
  const broken = values.filter(({ value }) => value !== null && (isShare ? value < bound : value > bound))
  return html`<section>
    <h3>${promiseOf(objective)}</h3>
    ${dailyChart({
      id: `chart-${at}`,
      title: isShare ? 'Good calls by day' : '95th percentile by day',
      description: `${broken.length} of ${known.length} days with calls are beyond ${label(bound)}${broken.length > 0 ? `: ${broken.map(({ date }) => date).join(', ')}` : ''}.`,
      days: values,
      bound,
      isBroken: (value) => (isShare ? value < bound : value > bound),
      ...(isShare ? shareAxis(known, bound) : { from: 0, to: 1.1 * Math.max(bound, ...known) }),
      label,
    })}
    <details>
      <summary>By day</summary>
      ${table('The same in numbers.', ['Day', ...['Calls', 'Bad calls', 'Good', 'p95'].map((number) => ({ number }))], days.map(dayRow))}
    </details>
  </section> `
}

/** From a little below the worst day, since what matters of availability happens within the last percent. */
function shareAxis(known: readonly number[], bound: number): { from: number; to: number } {
  const least = Math.min(bound, ...known)
  return { from: Math.max(0, least - (100 - least) / 2), to: 100 }
}

const dayRow = ({ date, good, bad, goodPercent, p95Ms }: ReportDay) => [
  date,
  grouped(good + bad),
  grouped(bad),
  goodPercent === null ? '' : `${goodPercent} %`,
  p95Ms === null ? '' : duration(p95Ms),
]

const callsTable = ({ all, counted, excluded, pending }: SlaReport['calls']) =>
  table(
    'Every call of the month, by whether it counts.',
    [{ number: 'Calls' }, 'Counted', 'Why'],
    [
      [grouped(counted), 'yes', 'Answered, or not answered through the platform’s or the provider’s fault.'],
      ...excluded.map(({ calls, reason, why }) => [grouped(calls), `no: ${reason}`, why]),
      [grouped(pending), 'not yet', 'Under way, or not known to be over.'],
      [grouped(all), 'all', ''],
    ],
  )

const incidentsTable = (incidents: readonly ShownIncident[]) =>
  table(
    'Times in which an objective was broken faster than its error budget allows.',
    ['Incident', 'Objective', 'From', { number: 'Minutes' }, { number: 'Bad calls' }, 'Deployments'],
    incidents.map(({ id, objective, startedAt, durationMs, evidence }) => [
      id,
      promiseOf(objective),
      when(startedAt),
      durationMs === undefined ? 'open' : grouped(durationMs / 60_000),
      grouped(evidence.bad),
      Object.keys(evidence.deployments).join(', '),
    ]),
  )

const maintenanceTable = (windows: SlaReport['maintenance']) =>
  table(
    'Calls that came in then do not count.',
    ['What', 'From', 'To', 'Regions', 'Announced'],
    windows.map(({ title, from, to, regions, announcedAt }) => [
      html`<bdi>${title}</bdi>`,
      when(from),
      when(to),
      regions?.join(', ') ?? 'all',
      when(announcedAt),
    ]),
  )

const table = (caption: string, heads: readonly Head[], rows: readonly (readonly (string | Html)[])[]) =>
  htmlTable({ caption, heads, rows })

function promiseOf({ kind, percent, p95Ms, alias, operation }: ReportedObjective['objective']): string {
  const of = [...(alias === undefined ? [] : [`alias ${alias}`]), ...(operation === undefined ? [] : [operation])]
  const what =
    kind === 'availability'
      ? `${percent} % of calls are answered`
      : kind === 'latency'
        ? `95 % of calls take at most ${duration(p95Ms ?? 0)}`
        : `95 % of answers begin within ${duration(p95Ms ?? 0)}`
  return of.length === 0 ? what : `${what} (${of.join(', ')})`
}

const numberFormat = new Intl.NumberFormat('en', { maximumFractionDigits: 3 })
const grouped = (value: number) => numberFormat.format(value)
const duration = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${grouped(ms / 1_000)} s`)

const monthFormat = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
const monthName = (month: string) => monthFormat.format(Date.parse(`${month}-01`))

/** To the minute, which is as exact as usage is. */
const when = (time: string) => html`<time datetime="${time}">${time.slice(0, 16).replace('T', ' ')}</time>`
