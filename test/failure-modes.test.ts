import { readFileSync } from 'node:fs'
import { problemCodes } from '../src/base/problem-codes'

const page = readFileSync('docs/failure-modes.md', 'utf8')

it('docs/failure-modes.md has exactly one entry for every code, with its status', () => {
  const entries = [...page.matchAll(/^### (\S+)\n(\d{3})/gm)].map(([, code, status]) => `${code} ${status}`)
  const registry = Object.entries(problemCodes).map(([code, { status }]) => `${code} ${status}`)
  expect(entries.sort()).toEqual(registry.sort())
})
