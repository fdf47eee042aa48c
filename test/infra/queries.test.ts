import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { attributeNames, metricNames, ours } from '../../src/telemetry/names'
import { allOf, named, unquoted } from './bicep-file'
import { faultsOf, type Answerable } from './query-rules'
import { sendOneOfEverything } from './sent-telemetry'
import { readTemplates } from './templates'

const root = join(__dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Query {
  readonly place: string
  readonly text: string
}

async function queriesOfAlerts(): Promise<Query[]> {
  const { templates } = await readTemplates()
  return [...templates.files].flatMap(([path, { root: node }]) =>
    allOf(node, 'object_property').flatMap((property) => {
      const [key, value] = named(property)
      return key?.text === 'query' && value?.type === 'string'
        ? [{ place: `infra/${path}`, text: unquoted(value) }]
        : []
    }),
  )
}

function queriesOfWorkbook(): Query[] {
  const path = 'infra/workbook/operators.json'
  const { items } = JSON.parse(read(path)) as { items: { name: string; content: { query?: string } }[] }
  return items.flatMap(({ name, content: { query } }) => (query ? [{ place: `${path} ${name}`, text: query }] : []))
}

/** In blocks of their own, and within a line. */
const queriesOfDocs = (): Query[] =>
  globSync('docs/**/*.md', { cwd: root }).flatMap((place) => {
    const text = read(place)
    const blocks = [...text.matchAll(/```kusto\n([^`]+)```/g), ...text.matchAll(/`(App[A-Z]\w+ \| [^`]+)`/g)]
    return blocks.map(([, query = '']) => ({ place, text: query.trim() }))
  })

let answerable: Answerable
let queries: readonly Query[]
beforeAll(async () => {
  const sources = globSync('src/**/*.ts', { cwd: root }).map(read).join('\n')
  answerable = { sent: await sendOneOfEverything(), sources }
  queries = [...(await queriesOfAlerts()), ...queriesOfWorkbook(), ...queriesOfDocs()]
})

test('every query of alerts, workbook, runbooks and docs asks for what arrives in Application Insights', () => {
  const places = queries.map(({ place }) => place.split(' ')[0])
  expect(new Set(places)).toEqual(
    new Set([
      'infra/modules/alerts.bicep',
      'infra/workbook/operators.json',
      'docs/telemetry.md',
      'docs/runbooks/alerts.md',
      'docs/runbooks/incidents.md',
    ]),
  )
  expect(queries.length).toBeGreaterThan(25)
  const faults = queries.flatMap(({ place, text }) => faultsOf(text, answerable).map((fault) => `${place}: ${fault}`))
  expect(faults).toEqual([])
})

test('what is sent is what the list of names has: all of its metrics, and no attribute beside it', () => {
  const { sent } = answerable
  const metrics = new Set(sent.flatMap(({ table, name }) => (table === 'AppMetrics' ? [name] : [])))
  expect(metrics).toEqual(new Set(Object.values(metricNames)))
  const known: readonly string[] = attributeNames
  for (const { properties } of sent) expect(known).toEqual(expect.arrayContaining([...properties]))
})

test('every request has a name, runs of timers too', () => {
  const requests = answerable.sent.filter(({ table }) => table === 'AppRequests').map(({ name }) => name)
  expect(requests).toEqual(
    expect.arrayContaining(['chat gpt-4.1', 'GET api/tenants/{tenantId}', 'timer roll-up-usage']),
  )
  expect(requests).not.toContain(undefined)
})

test.each([
  ['AppRequests | where OperationName == "roll-up-usage" | count', /nothing by the name roll-up-usage/],
  ['AppRequests | where Name == "upstream attempt"', /AppRequests has nothing by the name upstream attempt/],
  ['AppDependencies | where Name in ("relay", "wait")', /nothing by the name wait/],
  ['AppMetrics | where Name == "tenantry.call" | summarize sum(Sum)', /nothing by the name tenantry\.call/],
  ['AppMetrics | where Name == "tenantry.calls" | summarize sum(Value)', /no column Value/],
  ['AppMetrics | where Name == "tenantry.calls" and isnotempty(Properties["tenantry.timer"])', /no property .*timer/],
  ['AppDependencies | where Name == "relay" and Properties["error.type"] == "x"', /no property error\.type/],
  [
    'AppMetrics | where Name == "tenantry.timer.duration" and tostring(Properties["tenantry.timer"]) == "roll-up"',
    /tenantry\.timer is never roll-up/,
  ],
  [
    'AppMetrics | where Name == "tenantry.calls" | extend how = tostring(Properties["tenantry.outcome"]) | where how in ("failed", "broken")',
    /tenantry\.outcome is never broken/,
  ],
  ['AppTraces | where Message has "replicat"', /no log line says replicat/],
  ['AppRequests | summarize count()', /takes the host’s requests too/],
  ['Requests | count', /reads no table that is known/],
])('what a query asks for in vain is told: %s', (query, fault) => {
  expect(faultsOf(query, answerable).join('\n')).toMatch(fault)
})

test('the log lines of which the workbook reads fields have them', () => {
  const fields = queriesOfWorkbook().flatMap(({ text }) => [...text.matchAll(/\bline\.(\w+)/g)].map(([, name]) => name))
  expect(fields).toEqual(expect.arrayContaining(['level', 'message']))
  for (const field of ['level', 'message']) {
    expect(read('src/base/log.ts')).toMatch(new RegExp(`JSON\\.stringify\\(\\{[^}]*\\b${field}\\b`))
  }
})

test('spans say in Application Insights what their fault was, though its exporter leaves out the usual name of that', () => {
  const spans = answerable.sent.filter(({ table }) => table !== 'AppMetrics')
  expect(spans.flatMap(({ properties }) => properties)).not.toContain('error.type')
  expect(spans.find(({ name }) => name === 'upstream attempt')?.properties).toContain(ours.error)
})
