import fc from 'fast-check'
import { encodeIntent, encodeSettled, encodeTally, parseLogLine } from '../../src/metering/log-line'
import type { CallIntent, CallSettlement, CallTally } from '../../src/metering/usage-record'
import { intentOf, settlementOf } from './records'

const text = fc.string({ unit: 'binary', maxLength: 60 })
const whole = fc.nat()

const intents: fc.Arbitrary<CallIntent> = fc
  .record({ startedAt: whole, alias: text, model: text, operation: text, requestId: text, estimatedTokens: whole })
  .map((fields) => intentOf('x', fields))

const settlements: fc.Arbitrary<CallSettlement> = fc
  .record({
    outcome: fc.constantFrom('completed', 'rejected', 'failed', 'interrupted'),
    status: whole,
    deployment: fc.option(text, { nil: undefined }),
    region: fc.option(text, { nil: undefined }),
    estimated: fc.boolean(),
    costMicroUsd: fc.option(whole, { nil: undefined }),
    latencyMs: whole,
    firstByteMs: fc.option(whole, { nil: undefined }),
    attempts: whole,
    queuedMs: fc.option(whole, { nil: undefined }),
    throttledAttempts: fc.option(whole, { nil: undefined }),
  } as const)
  .map((fields) => settlementOf(fields))

const tallies: fc.Arbitrary<CallTally> = fc.record({
  tallyId: fc.constant('tly_x-1' as const),
  startedAt: whole,
  tenantId: fc.constant('ten_a' as const),
  keyId: fc.constant('key_1' as const),
  alias: text,
  model: text,
  operation: text,
  code: text,
  status: whole,
  calls: whole,
})

describe('a log line', () => {
  it('says again what was written, whatever the texts contain, and is one line', () => {
    fc.assert(
      fc.property(intents, settlements, fc.boolean(), (intent, settlement, intentElsewhere) => {
        const lines = [encodeIntent(intent), encodeSettled(intent, settlement, intentElsewhere)]
        for (const line of lines) expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(lines.map((line) => parseLogLine(line))).toEqual([
          { kind: 'intent', intent },
          { kind: 'settled', intent, settlement, intentElsewhere },
        ])
      }),
    )
  })

  it('of refused calls says again what was written, whatever the texts contain, and is one line', () => {
    fc.assert(
      fc.property(tallies, (tally) => {
        const line = encodeTally(tally)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(parseLogLine(line)).toEqual({ kind: 'tally', tally })
      }),
    )
  })

  it('of the version before is read as it was: without waits and throttled attempts', () => {
    const line = encodeSettled(intentOf('x'), settlementOf(), false).replace('"v":2', '"v":1')
    expect(parseLogLine(line)).toEqual({
      kind: 'settled',
      intent: intentOf('x'),
      settlement: settlementOf(),
      intentElsewhere: false,
    })
  })

  it('is cut where a text is long, so that no client can make lines large', () => {
    const long = '\u0001'.repeat(1_000_000)
    const intent = intentOf('x', { requestId: long, alias: long, model: long, operation: long })
    const line = encodeSettled(intent, settlementOf({ deployment: long, region: long }), false)

    expect(Buffer.byteLength(line)).toBeLessThan(6_000)
    expect(parseLogLine(line)).toMatchObject({ intent: { requestId: '\u0001'.repeat(128) } })
  })

  it.each([NaN, Infinity, -5, 1e300])('counts what is no count (%p) as zero', (promptTokens) => {
    const usage = { ...settlementOf().usage, promptTokens }
    const line = parseLogLine(encodeSettled(intentOf('x'), settlementOf({ usage, latencyMs: 1.6 }), false))

    expect(line).toMatchObject({ settlement: { usage: { promptTokens: 0 }, latencyMs: 2 } })
  })

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"v":1}',
    '{"v":1,"k":"i","id":"call_1"}',
    '{"v":2,"k":"t"}',
    '{"v":2,"k":"constructor"}',
    encodeIntent(intentOf('x')).slice(5),
  ])('is recognised as damaged: %p', (damaged) => expect(parseLogLine(damaged)).toBeUndefined())

  it('of a version that is not known is refused rather than passed over', () => {
    expect(() => parseLogLine('{"v":3,"k":"i"}')).toThrow('unknown version 3')
  })
})
