import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const workbook: { items: { content: { query?: string } }[] } = JSON.parse(
  readFileSync(join(root, 'infra', 'workbook', 'operators.json'), 'utf8'),
)
const queries = workbook.items.flatMap(({ content }) => content.query ?? [])
const telemetry = globSync('src/telemetry/*.ts', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')

const asked = (pattern: RegExp) => [
  ...new Set(queries.flatMap((query) => [...query.matchAll(pattern)].map(([, name = '']) => name))),
]

test('the workbook asks for metrics and properties that the app sends, and for fields that its log lines have', () => {
  const metrics = asked(/\bName == "([^"]+)"/g)
  const properties = asked(/Properties\["([^"]+)"\]/g)
  expect(Math.min(metrics.length, properties.length)).toBeGreaterThan(6)
  for (const name of [...metrics, ...properties]) expect(telemetry).toContain(`'${name}'`)
  const line = readFileSync(join(root, 'src', 'base', 'log.ts'), 'utf8')
  for (const field of ['level', 'message']) {
    expect(asked(/\bline\.(\w+)/g)).toContain(field)
    expect(line).toMatch(new RegExp(`JSON\\.stringify\\(\\{[^}]*\\b${field}\\b`))
  }
})
