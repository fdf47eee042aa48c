import { readUpstreamHeaders } from '../../src/azure/upstream-headers'
import { readQuota } from '../../src/fairness/read-quota'
import { readRetryAfterMs, readUtilization } from '../../src/routing/retry-after'

const raw = (...texts: string[]) => texts.map((text) => Buffer.from(text, 'latin1'))

describe('the headers of a backend', () => {
  it('are read whatever their case, and those that nobody reads are passed over', () => {
    const received = raw(
      'Content-Type',
      'text/event-stream',
      'RETRY-AFTER-MS',
      '250',
      'x-powered-by',
      'it',
      'x-ms-region',
      'Sweden',
    )
    expect(readUpstreamHeaders(received)).toEqual({
      'content-type': 'text/event-stream',
      'retry-after-ms': '250',
      'x-ms-region': 'Sweden',
    })
  })

  it('count by the first of their name, keep their bytes, and are no others of the same length', () => {
    const received = raw(
      'retry-after',
      '1',
      'Retry-After',
      '2',
      'retry-afteR',
      '3',
      'retry_after',
      '4',
      'content-typo',
      'a',
    )
    expect(readUpstreamHeaders(received)).toEqual({ 'retry-after': '1' })
    expect(readUpstreamHeaders(raw('x-ms-region', 'é'))).toEqual({ 'x-ms-region': 'é' })
  })

  it('tell of a quota, of a wait and of how full a backend is', () => {
    const quota = [
      'X-RateLimit-Limit-Tokens',
      '240000',
      'x-ratelimit-remaining-tokens',
      '1200',
      'x-ratelimit-reset-tokens',
      '7',
    ]
    expect(readQuota(readUpstreamHeaders(raw(...quota)))).toEqual({
      tokensMax: 240_000,
      tokensLeft: 1_200,
      resetMs: 7_000,
    })
    expect(readRetryAfterMs(readUpstreamHeaders(raw('Retry-After', '3')), '', 0)).toBe(3_000)
    expect(readUtilization(readUpstreamHeaders(raw('Azure-OpenAI-Deployment-Utilization', '87.5%')))).toBe(0.875)
  })

  it('may be none, or end with a name', () => {
    expect(readUpstreamHeaders([])).toEqual({})
    expect(readUpstreamHeaders(raw('retry-after'))).toEqual({})
  })
})
