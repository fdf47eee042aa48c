import { problemCodes } from '../../src/base/problem-codes'
import type { CallOutcome } from '../../src/metering/usage-record'
import { ours, general } from '../../src/telemetry/names'
import { timerNames, type Sent } from './sent-telemetry'

/** What queries may ask for. */
export interface Answerable {
  readonly sent: readonly Sent[]
  /** The sources, in which log lines have their messages. */
  readonly sources: string
}

/** Columns that our queries use of those that the tables have (Azure Monitor Logs’ reference of tables). */
const COMMON = ['TimeGenerated', 'Properties', 'AppRoleName', 'AppRoleInstance', 'OperationId', 'OperationName']
const REQUEST = [...COMMON, 'Name', 'DurationMs', 'Success', 'ResultCode', 'ItemCount']
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  AppRequests: REQUEST,
  AppDependencies: [...REQUEST, 'Target'],
  AppMetrics: [...COMMON, 'Name', 'Sum', 'ItemCount', 'Min', 'Max'],
  AppTraces: [...COMMON, 'Message', 'SeverityLevel'],
  AppExceptions: [...COMMON, 'ExceptionType', 'ProblemId'],
  AzureMetrics: ['TimeGenerated', 'ResourceProvider', 'ResourceId', 'MetricName', 'Average'],
  AzureDiagnostics: ['TimeGenerated', 'ResourceProvider', 'Category', 'OperationName', 'ResultSignature'],
}
const OURS = ['AppRequests', 'AppDependencies', 'AppMetrics']

const outcomes = {
  completed: true,
  rejected: true,
  failed: true,
  interrupted: true,
} satisfies Record<CallOutcome, true>

/** Values that are compared with a property, of those that are a list of ours. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  [ours.outcome]: Object.keys(outcomes),
  [ours.timer]: timerNames,
  [general.error]: Object.keys(problemCodes),
}

/**
 * What a query asks for that never arrives, a line each. It reads as much of Kusto's language as our queries need: tables, columns, names
 * that are compared with `Name`, and properties with what they are compared with.
 */
export function faultsOf(query: string, { sent, sources }: Answerable): string[] {
  const tables = tablesOf(query)
  const known = tables.filter((table) => table in COLUMNS)
  if (known.length === 0 || known.length < tables.length) return [`reads no table that is known: ${query.slice(0, 60)}`]
  const names = comparedWith(query, '(?:Name|OperationName)')
  const ofOurs = sent.filter(({ table }) => known.includes(table))
  const isOurs = known.some((table) => OURS.includes(table))
  const missing = isOurs ? names.filter((name) => !ofOurs.some((one) => one.name === name)) : []
  const asked = ofOurs.filter(({ name }) => names.length === 0 || names.includes(name ?? ''))
  const properties = new Set(asked.flatMap((one) => one.properties))
  return [
    ...columnsOf(query).flatMap((column) =>
      [...known, ...known.flatMap((table) => COLUMNS[table] ?? [])].includes(column)
        ? []
        : [`${known.join()} has no column ${column}`],
    ),
    ...missing.map((name) => `${known.join()} has nothing by the name ${name}`),
    ...propertiesOf(query).flatMap((name) =>
      properties.has(name) ? [] : [`${names.join()} in ${known.join()} has no property ${name}`],
    ),
    ...Object.entries(VALUES).flatMap(([property, values]) =>
      valuesOf(query, property).flatMap((value) => (values.includes(value) ? [] : [`${property} is never ${value}`])),
    ),
    ...matches(query, /Message has "([^"<]+)"/g).flatMap((text) =>
      logs(sources, text) ? [] : [`no log line says ${text}`],
    ),
    ...(known.includes('AppRequests') && names.length === 0 && !isOfOurs(query)
      ? ['takes the host’s requests too']
      : []),
  ]
}

/** At the beginning of the query or of one inside it. */
const tablesOf = (query: string) =>
  [...matches(query, /(?:^|toscalar\()([A-Z]\w+)/g), ...matches(query, /\bunion ([\w, ]+)/g)].flatMap((text) =>
    text.split(/, */),
  )

/** `has` finds whole words, not parts of them. */
const logs = (sources: string, text: string) =>
  new RegExp(`\\.(?:info|warn|error)\\('[^'\\n]*\\b${text}\\b`).test(sources)

const isOfOurs = (query: string) =>
  /AppRoleName == "tenantry"|isnotempty\(Properties\[|Properties\["tenantry\.[a-z_.]+"\] ==/.test(query)

/** Names of columns begin with a capital letter, nothing of the language's own or of ours does. */
const columnsOf = (query: string) => [...new Set(matches(query.replaceAll(/"[^"]*"/g, '""'), /\b([A-Z]\w*)\b/g))]

const propertiesOf = (query: string) => [...new Set(matches(query, /Properties\["([^"]+)"\]/g))]

/** Of a property itself, and of the name that it was given. */
function valuesOf(query: string, property: string): string[] {
  const text = `tostring\\(Properties\\["${property.replaceAll('.', '\\.')}"\\]\\)`
  const aliases = matches(query, new RegExp(`\\b(\\w+) = ${text}`, 'g'))
  return [text, ...aliases.map((alias) => `\\b${alias}`)].flatMap((left) => comparedWith(query, left))
}

function comparedWith(query: string, left: string): string[] {
  const compared = matches(query, new RegExp(`(?<![\\w"])${left} (?:==|!=|in|!in) ("[^"]*"|\\([^)]*\\))`, 'g'))
  return compared.flatMap((right) => matches(right, /"([^"]*)"/g))
}

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found)
