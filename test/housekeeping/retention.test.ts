import { readFileSync } from 'node:fs'
import { describeKept } from '../../src/housekeeping/housekeeping-view'
import { purgeIds } from '../../src/housekeeping/purge'
import { retention } from '../../src/housekeeping/retention'
import { dueAfterDays, secretKinds } from '../../src/housekeeping/rotation-report'
import { allStorageNeeds } from '../../src/storage-needs'

const page = readFileSync('docs/housekeeping.md', 'utf8')
const timers = readFileSync('src/functions/timers.ts', 'utf8')
const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
const tableUnder = (heading: string) => {
  const section = page.split(`## ${heading}`)[1]?.split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (What \||---)/.test(line))
    .map(cells)
}

// Whoever keeps something new is caught here: it has to be entered in src/housekeeping/retention.ts and docs/housekeeping.md.
it.each(['tables', 'containers', 'queues'] as const)(
  'each of the %s that the app makes stands in the table, and no others',
  (kind) => {
    const named = new Set(retention.flatMap(({ holds }) => holds[kind] ?? []))
    expect([...named].toSorted()).toEqual([...new Set(allStorageNeeds[kind])].toSorted())
  },
)

it('the page shows the table, line by line', () => {
  expect(tableUnder('What is kept')).toEqual(retention.map(({ what, kept, why }) => [what, describeKept(kept), why]))
})

it('every purge has its line, and every timer that is said to remove something is there', () => {
  const removers = retention.flatMap(({ kept }) => (kept.kind === 'for' ? [kept.by] : []))
  const purged = removers.flatMap((by) => (by.kind === 'purge' ? [by.id] : []))
  expect(purged.toSorted()).toEqual([...purgeIds].toSorted())
  for (const by of removers) if (by.kind === 'timer') expect(timers).toContain(`'${by.name}':`)
})

it('the page says when each kind of secret is due, and how to rotate it', () => {
  const told = tableUnder('What is due to be rotated').map(([kind, days]) => [kind, days])
  expect(told).toEqual(secretKinds.map((kind) => [`\`${kind}\``, String(dueAfterDays[kind])]))
})
