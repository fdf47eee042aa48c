import { encodeIntent, encodeSettled, parseLogLine } from '../../src/metering/log-line'
import type { CallIntent, CallSettlement } from '../../src/metering/usage-record'
import { rollUp } from '../../src/usage/roll-up'

const intent: CallIntent = {
  callId: 'call_1',
  startedAt: Date.UTC(2026, 0, 1),
  tenantId: 'ten_a',
  keyId: 'key_1',
  alias: 'chat',
  model: 'gpt-4.1-mini',
  operation: 'chat.completions',
  requestId: 'request-1',
  estimatedTokens: 100,
}
const settlement: CallSettlement = {
  outcome: 'completed',
  status: 200,
  backendId: 'bke_1',
  deployment: 'gpt',
  region: 'swedencentral',
  usage: { promptTokens: 10, cachedTokens: 0, outputTokens: 5, reasoningTokens: 0 },
  estimated: false,
  costMicroUsd: 7,
  latencyMs: 100,
  firstByteMs: 50,
  attempts: 2,
  hedgedTokens: 10,
  servedAs: { alias: 'other', model: 'gpt-4.1' },
}
const BLOB = '2026/01/01/00/instance/0.log' as Parameters<typeof rollUp>[0]

function parsed(text: string) {
  const line = parseLogLine(text)
  if (!line) throw new Error('the line is not read')
  return line
}

describe('a call that another model answered', () => {
  it('has that model and the hedged prompt in its line, which is read back as it was', () => {
    expect(parsed(encodeSettled(intent, settlement, false))).toEqual({
      kind: 'settled',
      intent,
      settlement,
      intentElsewhere: false,
    })
  })

  it.each([
    ['before its settlement', [encodeIntent(intent), encodeSettled(intent, settlement, false)]],
    ['behind it', [encodeSettled(intent, settlement, false), encodeIntent(intent)]],
  ])('counts there alone, its intent being met %s', (_when, lines) => {
    const [row, ...others] = rollUp(BLOB, lines.map(parsed))
    expect(others).toEqual([])
    expect(row?.groups.map(({ group, sums }) => [group.alias, group.model, sums.calls, sums.unsettled])).toEqual([
      ['other', 'gpt-4.1', 1, 0],
    ])
  })

  it('leaves nothing of its first alias unsettled where the intent lies in another blob', () => {
    const rows = [
      ...rollUp(BLOB, [parsed(encodeIntent(intent))]),
      ...rollUp(BLOB, [parsed(encodeSettled(intent, settlement, true))]),
    ]
    const unsettled = rows.flatMap(({ groups }) => groups).reduce((sum, { sums }) => sum + sums.unsettled, 0)
    const calls = rows.flatMap(({ groups }) => groups).reduce((sum, { sums }) => sum + sums.calls, 0)
    expect([unsettled, calls]).toEqual([0, 1])
  })
})
