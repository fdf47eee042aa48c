import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { named, propertiesOf, propertyOf } from './bicep-file'
import { readTemplates } from './templates'

const infra = join(__dirname, '..', '..', 'infra')
const json = (path: string) => JSON.parse(readFileSync(join(infra, path), 'utf8')) as unknown

interface Preset {
  readonly contentFilters: readonly { readonly name: string }[]
  readonly stamps: readonly {
    readonly name: string
    readonly accounts: readonly {
      readonly name: string
      readonly deployments: readonly {
        readonly name: string
        readonly raiPolicy?: string
        readonly spilloverTo?: string
      }[]
    }[]
  }[]
}

const NAME_CHARACTERS_MAX = 64
/** uniqueString() gives so many. */
const TOKEN_CHARACTERS = 13

describe.each(['dev', 'production'])('the preset %s', (name) => {
  const preset = json(`presets/${name}.json`) as Preset & Record<string, unknown>

  test('has every value that main reads, and none that it does not', async () => {
    const main = (await readTemplates()).templates.files.get('main.bicep')
    const reads = [...(main?.root.text.matchAll(/\bvalues\.(\w+)/g) ?? [])].map(([, read]) => read)
    expect(new Set(reads)).toEqual(new Set(Object.keys(preset)))
  })

  test('gives values that the modules allow', async () => {
    const { files } = (await readTemplates()).templates
    let checked = 0
    for (const { source, body } of files.get('main.bicep')?.modules ?? []) {
      for (const { name: given, value } of propertiesOf(propertyOf(body, 'params'))) {
        const read = /^values\.(\w+)$/.exec(value.text)?.[1]
        const parameter = files.get(source)?.parameters.find((one) => one.name === given)
        const allowed = parameter?.decorators.find((one) => one.startsWith('allowed('))
        if (read === undefined || allowed === undefined) continue
        expect([read, allowed.match(/'[^']*'|\d+/g)]).toEqual([read, expect.arrayContaining([bicep(preset[read])])])
        checked++
      }
    }
    // The storage's copies (of two accounts), the key's kind, the memory, the scheduler's size.
    expect(checked).toBe(5)
  })

  test('names content filters that are there, and spills over to a deployment that is made before', () => {
    const filters = preset.contentFilters.map((filter) => filter.name)
    for (const { deployments } of preset.stamps.flatMap(({ accounts }) => accounts)) {
      for (const [index, { raiPolicy, spilloverTo }] of deployments.entries()) {
        if (raiPolicy !== undefined) expect(filters).toContain(raiPolicy)
        if (spilloverTo !== undefined) expect(deployments.slice(0, index).map((one) => one.name)).toContain(spilloverTo)
      }
    }
  })

  test('names stamps and accounts once each, so that their resources’ names are no longer than Azure takes', () => {
    const accounts = preset.stamps.flatMap((stamp) => stamp.accounts.map((account) => `${stamp.name}-${account.name}`))
    expect(new Set(accounts).size).toBe(accounts.length)
    for (const account of accounts) {
      expect(account).toMatch(/^[a-z0-9-]+$/)
      expect(`oai-${account}-`.length + TOKEN_CHARACTERS).toBeLessThanOrEqual(NAME_CHARACTERS_MAX)
    }
  })
})

const bicep = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))

test('both presets have the same values', () => {
  const keys = (name: string) => Object.keys(json(`presets/${name}.json`) as object).toSorted(byText)
  expect(keys('dev')).toEqual(keys('production'))
})

test('the workbook’s parts have names of their own, and every chart asks something', () => {
  const { items } = json('workbook/operators.json') as {
    items: { name: string; type: number; content: { query?: string } }[]
  }
  expect(new Set(items.map(({ name }) => name)).size).toBe(items.length)
  const charts = items.filter(({ type }) => type === 3)
  expect(charts.length).toBeGreaterThan(5)
  for (const { content } of charts) expect(content.query).toMatch(/^(App\w+|AzureDiagnostics|AzureMetrics) \| /)
})

test('every alert has a line in docs/deployment.md that says what to do', async () => {
  const { files } = (await readTemplates()).templates
  const docs = readFileSync(join(infra, '..', 'docs', 'deployment.md'), 'utf8')
  const alerts = [...files.values()].flatMap(({ path, root, resources }) => {
    const metrics = resources
      .filter(({ type }) => type === 'Microsoft.Insights/metricAlerts')
      .map(({ body }) => named(body)[0]?.text.match(/-([a-z-]+)'$/)?.[1])
    const queries = path.endsWith('alerts.bicep')
      ? [...root.text.matchAll(/^ {4}name: '([a-z-]+)'$/gm)].map(([, one]) => one)
      : []
    return [...metrics, ...queries]
  })
  expect(alerts.length).toBeGreaterThan(8)
  for (const alert of alerts)
    expect(docs).toMatch(new RegExp(String.raw`^\| .*\`${alert}\` \| .{20,} \| .{20,} \|$`, 'm'))
})

const byText = (one: string, other: string) => (one < other ? -1 : 1)
