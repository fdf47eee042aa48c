import { readRetryAfterMs, readUtilization } from '../../src/routing/retry-after'

const now = Date.UTC(2026, 0, 1)

describe("a backend's wait", () => {
  it.each([
    ['the milliseconds before the seconds', { 'retry-after-ms': '300', 'retry-after': '9' }, '', 300],
    ['seconds', { 'retry-after': '2' }, '', 2_000],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:00:05 GMT' }, '', 5_000],
    ['a date that has passed', { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, '', 0],
    ['the longer of the resets', { 'x-ratelimit-reset-requests': '1', 'x-ratelimit-reset-tokens': '45' }, '', 45_000],
    ['the old spelling of the reset', { 'x-rate-limit-reset-tokens': '55' }, '', 55_000],
    ['the message', {}, 'Please retry after 20 seconds.', 20_000],
    ['a second where nothing is said', {}, 'slow down', 1_000],
    ['what is no number as nothing said', { 'retry-after': 'soon', 'retry-after-ms': '-5' }, '', 1_000],
  ])('is read from %s', (_source, headers, message, expected) => {
    expect(readRetryAfterMs(headers, message, now)).toBe(expected)
  })
})

describe('the utilisation header', () => {
  it.each([
    ['87.5%', 0.875],
    ['100', 1],
    ['101.3 %', 1.013],
    ['99,5%', 0.995],
    ['', undefined],
    ['-3%', undefined],
    ['none', undefined],
    [undefined, undefined],
  ])('%s is read as %s', (value, expected) => {
    expect(readUtilization(value === undefined ? {} : { 'azure-openai-deployment-utilization': value })).toBe(expected)
  })
})
