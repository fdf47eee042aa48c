import { createReadStream, readFileSync } from 'node:fs'
import { faultCodes } from '../../src/datasets/fault-codes'
import { trainingModels } from '../../src/datasets/training-models'
import { findLeakage } from '../../src/datasets/find-leakage'
import { validateDataset } from '../../src/datasets/validate-dataset'
import { violations } from './violations'

const page = readFileSync('docs/datasets.md', 'utf8')
const sections = new Map(
  page
    .split(/^#### /m)
    .slice(1)
    .map((section) => [/^`(\w+)`/.exec(section)?.[1], section]),
)

describe('docs/datasets.md', () => {
  it('has an entry for every fault and for nothing else, in the order of the code', () => {
    expect([...sections.keys()]).toEqual(Object.keys(faultCodes))
  })

  it.each(Object.entries(faultCodes))(
    'says of %s what would be valid, and whether it is a warning',
    (code, { severity, valid }) => {
      const section = sections.get(code) ?? ''
      expect(section).toContain(`Valid: ${valid}\n`)
      expect(/^`\w+` \(warning\)/.test(section)).toBe(severity === 'warning')
    },
  )

  it.each(violations.map((violation) => [violation.code, violation] as const))(
    'shows for %s a line that breaks it, and what a report says then',
    (code, { line, path, reason }) => {
      expect(sections.get(code)).toContain(line)
      expect(sections.get(code)).toContain(`${path === '' ? '' : `\`${path}\`: `}“${reason}”`)
    },
  )

  it('lists every base model', () => {
    for (const family of Object.keys(trainingModels.models)) expect(page).toContain(family)
  })
})

describe('the example datasets', () => {
  const validate = (role: 'training' | 'validation') =>
    validateDataset(createReadStream(`examples/datasets/support-${role}.jsonl`), {
      method: 'supervised',
      baseModel: 'gpt-4.1-2025-04-14',
      role,
      scanPii: true,
    })

  it('have no fault, no duplicate, no identifying data, and nothing in common', async () => {
    const [training, validation] = await Promise.all([validate('training'), validate('validation')])
    for (const { report } of [training, validation]) {
      expect(report.faults).toMatchObject({ errors: 0, warnings: 0 })
      expect(report.duplicates.normalized.lines).toBe(0)
      expect(report.pii).toEqual({ lines: 0, kinds: {} })
    }
    expect(findLeakage(training.sketch, validation.sketch).leaked.lines).toBe(0)
  })
})
