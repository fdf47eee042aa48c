import { createFailedAttempts } from '../../src/access/failed-attempts'
import { Problem } from '../../src/base/problem'
import { handClock } from '../harness/hand-clock'

const refused = new Problem('invalid_api_key', 'No.')
const from = (address: string) => new Headers({ 'x-forwarded-for': address })

describe('an address whose credentials fail', () => {
  it('is told to wait after twenty, longer each time and never longer than a minute', () => {
    const attempts = createFailedAttempts(handClock())
    const waits = Array.from({ length: 40 }, () => attempts.after(refused, from('10.0.0.1')).retryAfterMs)
    expect(waits.slice(0, 20)).toEqual(Array<undefined>(20).fill(undefined))
    expect(waits.slice(20, 24)).toEqual([1_000, 2_000, 4_000, 8_000])
    expect(waits.at(-1)).toBe(60_000)
  })

  it('is the last hop’s, whatever the client says of others, with or without a port', () => {
    const attempts = createFailedAttempts(handClock())
    for (let i = 0; i < 25; i++) attempts.after(refused, from(`${i}.1.1.1, 10.0.0.1:${50_000 + i}`))
    expect(attempts.after(refused, from('10.0.0.1')).code).toBe('too_many_failed_attempts')
    expect(attempts.after(refused, from('10.0.0.2'))).toBe(refused)
  })

  it('is forgiven after five minutes of quiet', async () => {
    const clock = handClock()
    const attempts = createFailedAttempts(clock)
    for (let i = 0; i < 25; i++) attempts.after(refused, from('10.0.0.1'))
    await clock.advance(300_000)
    expect(attempts.after(refused, from('10.0.0.1'))).toBe(refused)
  })

  it('is counted for refused credentials only, and without a known address not at all', () => {
    const attempts = createFailedAttempts(handClock())
    const forbidden = new Problem('insufficient_scope', 'No.')
    for (let i = 0; i < 50; i++) {
      expect(attempts.after(forbidden, from('10.0.0.1'))).toBe(forbidden)
      expect(attempts.after(refused, new Headers())).toBe(refused)
    }
  })

  it('takes bounded memory, however many addresses try', () => {
    const attempts = createFailedAttempts(handClock())
    for (let i = 0; i < 25; i++) attempts.after(refused, from('10.9.9.9'))
    for (let i = 0; i < 10_000; i++) attempts.after(refused, from(`10.1.${i >> 8}.${i & 255}`))
    // The oldest has made room.
    expect(attempts.after(refused, from('10.9.9.9'))).toBe(refused)
  })
})
