import { readFileSync } from 'node:fs'
import { alertKinds } from '../../src/alerts/alert-kinds'

it('docs/alerts.md says of every kind what it means and what to do, and of no other', () => {
  const page = readFileSync('docs/alerts.md', 'utf8')
  const entries = [...page.matchAll(/^### (\S+)\n(.+)\n([^#]*)/gm)].map(([, kind = '', meaning, whatToDo = '']) => {
    // More than a word: somebody reads it at three in the morning.
    expect([kind, whatToDo.trim().length > 60]).toEqual([kind, true])
    return [kind, meaning]
  })
  const byKind = ([one = '']: (string | undefined)[], [other = '']: (string | undefined)[]) => one.localeCompare(other)
  expect(entries.toSorted(byKind)).toEqual(Object.entries(alertKinds).toSorted(byKind))
})
