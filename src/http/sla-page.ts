import { hash } from 'node:crypto'
import type { ReportDay, ReportedObjective, ShownIncident, SlaReport } from '../sla/sla-report'
import { html, Html } from './openapi-html'
import { dailyChart } from './sla-chart'
import { slaPageStyle } from './sla-page-style'

/** Nothing is loaded, nothing runs, nobody frames it: the style is the one that we wrote. */
export const slaPageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${hash('sha256', slaPageStyle, 'base64')}'; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

/** Whole, since the hash is of every character between the tags. */
const style = new Html(`<style>${slaPageStyle}</style>`)

/** A month's report for people: one page that stands by itself and can be printed, made of nothing but the report. */
export function slaPage(report: SlaReport): string {
  const { tenantId, month, from, to, state, madeAt, objectives } = report
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Service levels ${month} of ${tenantId}</title>
        ${style}
      </head>
      <body>
        <main>
          <h1>Service levels ${month}</h1>
          <p class="soft">
            Tenant ${tenantId}, ${from} to ${to}.
            ${state === 'final' ? 'Final' : 'Provisional: the month may still change'}, made ${madeAt}.
          </p>
          <h2>Objectives</h2>
          ${objectivesTable(objectives)} ${objectives.map(objectiveSection)}
          <h2>What counted</h2>
          ${callsTable(report.calls)}
          <h2>Incidents</h2>
          ${report.incidents.length === 0 ? html`<p>There was none.</p>` : incidentsTable(report.incidents)}
          <h2>Announced maintenance</h2>
          ${report.maintenance.length === 0 ? html`<p>There was none.</p>` : maintenanceTable(report.maintenance)}
        </main>
      </body>
    </html> `.text
}

const results = { met: 'Met', missed: 'Missed', 'no-calls': 'No calls' } as const

const objectivesTable = (objectives: readonly ReportedObjective[]) =>
  table(
    'Each objective and how it came out.',
    ['Objective', 'Result', 'Reached', 'Calls', 'Bad calls', 'Error budget spent'],
    objectives.map(({ objective, result, good, bad, goodPercent, p95Ms, errorBudget }) => [
      promiseOf(objective),
      html`<span class="${result}">${results[result]}</span>`,
      goodPercent === null ? '' : `${goodPercent} %${p95Ms === null ? '' : `, p95 ${p95Ms} ms`}`,
      count(good + bad),
      count(bad),
      `${errorBudget.spentPercent} % of ${errorBudget.calls} calls`,
    ]),
  )

function objectiveSection({ objective, days }: ReportedObjective, at: number): Html {
  const isShare = objective.kind === 'availability'
  const bound = (isShare ? objective.percent : objective.p95Ms) ?? 0
  const values = days.map((day) => ({ date: day.date, value: isShare ? day.goodPercent : day.p95Ms }))
  const known = values.flatMap(({ value }) => value ?? [])
  const label = (value: number) => (isShare ? `${rounded(value)} %` : `${Math.round(value)} ms`)
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
      ${table('The same in numbers.', ['Day', 'Calls', 'Bad calls', 'Good', 'p95'], days.map(dayRow))}
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
  count(good + bad),
  count(bad),
  goodPercent === null ? '' : `${goodPercent} %`,
  p95Ms === null ? '' : `${p95Ms} ms`,
]

const callsTable = ({ all, counted, excluded, pending }: SlaReport['calls']) =>
  table(
    'Every call of the month, by whether it counts.',
    ['Calls', 'Counted', 'Why'],
    [
      [count(counted), 'yes', 'Answered, or not answered through the platform’s or the provider’s fault.'],
      ...excluded.map(({ calls, reason, why }) => [count(calls), `no: ${reason}`, why]),
      [count(pending), 'not yet', 'Under way, or not known to be over.'],
      [count(all), 'all', ''],
    ],
  )

const incidentsTable = (incidents: readonly ShownIncident[]) =>
  table(
    'Times in which an objective was broken faster than its error budget allows.',
    ['Incident', 'Objective', 'From', 'Minutes', 'Bad calls', 'Deployments'],
    incidents.map(({ id, objective, startedAt, durationMs, evidence }) => [
      id,
      promiseOf(objective),
      startedAt,
      durationMs === undefined ? 'open' : count(durationMs / 60_000),
      count(evidence.bad),
      Object.keys(evidence.deployments).join(', '),
    ]),
  )

const maintenanceTable = (windows: SlaReport['maintenance']) =>
  table(
    'Calls that came in then do not count.',
    ['What', 'From', 'To', 'Regions', 'Announced'],
    windows.map(({ title, from, to, regions, announcedAt }) => [
      title,
      from,
      to,
      regions?.join(', ') ?? 'all',
      announcedAt,
    ]),
  )

type Cell = string | Html | { readonly number: string }

const count = (value: number): Cell => ({ number: String(value) })
const isNumber = (cell: Cell | undefined): cell is { readonly number: string } =>
  typeof cell === 'object' && !(cell instanceof Html)

function table(caption: string, heads: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  const [first] = rows
  const classOf = (cell: Cell | undefined) => (isNumber(cell) ? 'number' : 'text')
  return html`<div class="scroll">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads.map((head, at) => html`<th scope="col" class="${classOf(first?.[at])}">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell) => html`<td class="${classOf(cell)}">${isNumber(cell) ? cell.number : cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div> `
}

function promiseOf({ kind, percent, p95Ms, alias, operation }: ReportedObjective['objective']): string {
  const of = [...(alias === undefined ? [] : [`alias ${alias}`]), ...(operation === undefined ? [] : [operation])]
  const what =
    kind === 'availability'
      ? `${percent} % of calls are answered`
      : kind === 'latency'
        ? `95 % of calls take at most ${p95Ms} ms`
        : `95 % of answers begin within ${p95Ms} ms`
  return of.length === 0 ? what : `${what} (${of.join(', ')})`
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000
