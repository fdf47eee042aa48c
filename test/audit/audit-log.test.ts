import { verifyChain } from '../../src/audit/verify-chain'
import { auditLogOn, auditStorageForTest, event, otherScope, scope } from './audit-fixtures'

const wholeChain = async (log: ReturnType<typeof auditLogOn>) => {
  const entries = await log.page(scope, { after: 0, limit: 1_000 })
  return { entries, verdict: verifyChain(entries, { end: await log.head(scope) }) }
}

describe('an audit log', () => {
  it('gives back what was appended, numbered from 1, each entry naming the one before', async () => {
    const log = auditLogOn(await auditStorageForTest())
    expect(await log.head(scope)).toEqual({ sequence: 0, hash: '0'.repeat(64) })
    const first = await log.append(scope, event('one', { details: { status: 201, replayed: false } }))
    const second = await log.append(scope, event('two'))
    expect(first).toMatchObject({ ...event('one'), sequence: 1, previousHash: '0'.repeat(64) })
    expect(second).toMatchObject({ sequence: 2, previousHash: first.hash })
    expect(await log.page(scope, { after: 0, limit: 10 })).toEqual([first, second])
    expect(await log.head(scope)).toEqual({ sequence: 2, hash: second.hash })
  })

  it('keeps each tenant’s chain and the platform’s apart', async () => {
    const log = auditLogOn(await auditStorageForTest())
    await Promise.all([
      log.append(scope, event('a')),
      log.append(otherScope, event('b')),
      log.append('platform', event('p')),
    ])
    const names = async (chain: Parameters<typeof log.page>[0]) =>
      (await log.page(chain, { after: 0, limit: 10 })).map(({ requestId, sequence }) => [requestId, sequence])
    expect(await names(scope)).toEqual([['a', 1]])
    expect(await names(otherScope)).toEqual([['b', 1]])
    expect(await names('platform')).toEqual([['p', 1]])
  })

  it('shows every entry once, page by page', async () => {
    const log = auditLogOn(await auditStorageForTest())
    await Promise.all(Array.from({ length: 25 }, (_, i) => log.append(scope, event(`req_${i}`))))
    const seen: number[] = []
    for (let after = 0; ; after = seen.at(-1) ?? 0) {
      const page = await log.page(scope, { after, limit: 10 })
      expect(page.length).toBeLessThanOrEqual(10)
      if (page.length === 0) break
      seen.push(...page.map(({ sequence }) => sequence))
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
  })

  it('keeps entries that were handed in together in their order, in more than one transaction', async () => {
    const log = auditLogOn(await auditStorageForTest())
    const names = Array.from({ length: 230 }, (_, i) => `req_${i}`)
    await Promise.all(names.map((name) => log.append(scope, event(name))))
    const { entries, verdict } = await wholeChain(log)
    expect(entries.map(({ requestId }) => requestId)).toEqual(names)
    expect(verdict.faults).toEqual([])
  })

  it('keeps one chain without gaps, forks and losses when five instances write to it at once', async () => {
    const storage = await auditStorageForTest()
    const instances = Array.from({ length: 5 }, () => auditLogOn(storage))
    const appended = await Promise.all(
      instances.map(async (log, n) => {
        const numbers: number[] = []
        for (let i = 0; i < 12; i++) {
          const burst = Array.from({ length: 1 + (i % 3) }, (_, b) => log.append(scope, event(`req_${n}_${i}_${b}`)))
          numbers.push(...(await Promise.all(burst)).map(({ sequence }) => sequence))
        }
        return numbers
      }),
    )
    const [log] = instances
    const { entries, verdict } = await wholeChain(log ?? auditLogOn(storage))
    expect(verdict.faults).toEqual([])
    expect(appended.flat().sort((a, b) => a - b)).toEqual(entries.map(({ sequence }) => sequence))
    expect(new Set(entries.map(({ requestId }) => requestId)).size).toBe(5 * 24)
    // Nobody was overtaken by a later entry of its own.
    for (const numbers of appended) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })

  it('cuts text that is too long rather than lose the entry, and what was cut still verifies', async () => {
    const log = auditLogOn(await auditStorageForTest())
    const long = '\u{1F600}'.repeat(5_000)
    const details = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}${long}`, long]))
    await log.append(scope, event(long, { target: long, action: long, details, actor: { kind: 'user', id: long } }))
    const { entries, verdict } = await wholeChain(log)
    expect(verdict.faults).toEqual([])
    expect(JSON.stringify(entries[0]).length).toBeLessThan(8_192)
  })

  it('takes an append in one request to storage once the chain’s end is known', async () => {
    const storage = await auditStorageForTest()
    let requests = 0
    const table: typeof storage.table = (name) => {
      const client = storage.table(name)
      client.pipeline.addPolicy({ name: 'counting', sendRequest: (request, next) => (requests++, next(request)) })
      return client
    }
    const log = auditLogOn({ ...storage, table })
    await log.append(scope, event('first'))
    requests = 0
    for (let i = 0; i < 5; i++) await log.append(scope, event(`req_${i}`))
    expect(requests).toBe(5)
  })
})
