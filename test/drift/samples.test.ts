import { askedConversation, TEXT_CHARACTERS_MAX } from '../../src/drift/asked-conversation'
import { driftChart } from '../../src/drift/drift-chart'
import { compareFeatures } from '../../src/drift/judge-drift'
import { languageLabel } from '../../src/drift/language-of'
import { grantSamples, samplingRate } from '../../src/drift/sample-pace'

const DAY_MS = 86_400_000
const MIDNIGHT = Date.UTC(2026, 10, 21)

describe('what a request says', () => {
  const part = (text: string) => ({ type: 'text', text })

  it.each([
    [
      'a chat',
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
      },
      2,
      'Hi',
    ],
    [
      'a chat that ends with a tool',
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'tool', content: '7' },
        ],
      },
      2,
      'Hi',
    ],
    ['parts', { messages: [{ role: 'user', content: [{ type: 'image_url' }, part(''), part('Hi')] }] }, 1, 'Hi'],
    ['a response of a text', { input: 'Hi' }, 1, 'Hi'],
    ['a response of items', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }] }, 1, 'Hi'],
    ['an image alone', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 1, ''],
  ])('is known of %s', (_, body, messages, text) => expect(askedConversation(body)).toEqual({ messages, text }))

  it.each([
    ['goes on from a response', { input: [{ role: 'user', content: 'Hi' }], previous_response_id: 'resp_1' }],
    ['goes on from a response by a text', { input: 'Hi', previous_response_id: 'resp_1' }],
    ['belongs to a conversation', { input: 'Hi', conversation: 'conv_1' }],
    ['is no conversation', { prompt: 'Hi' }],
  ])('is not known where it %s', (_, body) => expect(askedConversation(body)).toBeUndefined())

  it('is bounded, and ends with a whole character', () => {
    const long = askedConversation({ input: `${'x'.repeat(TEXT_CHARACTERS_MAX - 1)}😀 and more` })
    expect(long?.text).toHaveLength(TEXT_CHARACTERS_MAX)
    expect(long?.text.isWellFormed()).toBe(true)
  })
})

describe('samples', () => {
  it('are taken of every call while these are few, and of a share that lasts the day while they are many', () => {
    expect(samplingRate({ callsYesterday: 0, perDayMax: 500 })).toBe(1)
    expect(samplingRate({ callsYesterday: 300, perDayMax: 500 })).toBe(1)
    expect(samplingRate({ callsYesterday: 40_000, perDayMax: 500 })).toBe(0.01)
  })

  it('are given out in slices, never more than a day has', () => {
    let claimed = 0
    for (;;) {
      const granted = grantSamples({ claimed, perDayMax: 500, isFirstDay: false, nowMs: MIDNIGHT })
      if (granted === 0) break
      expect(granted).toBeLessThanOrEqual(25)
      claimed += granted
    }
    expect(claimed).toBe(500)
    expect(grantSamples({ claimed: 600, perDayMax: 500, isFirstDay: false, nowMs: MIDNIGHT })).toBe(0)
  })

  it('of a day that nothing is known of are given out over its hours', () => {
    const first = (claimed: number, hours: number) =>
      grantSamples({ claimed, perDayMax: 500, isFirstDay: true, nowMs: MIDNIGHT + (hours * DAY_MS) / 24 })
    expect(first(0, 0)).toBe(25)
    expect(first(62, 0)).toBe(0)
    expect(first(62, 12)).toBe(25)
    expect(first(500, 23.9)).toBe(0)
  })
})

describe('languages', () => {
  const detector = { name: 'words', languageOf: (text: string) => (text.includes(' der ') ? 'de' : undefined) }

  it('are those that the detector tells, and “und” where it cannot, or nobody could', () => {
    expect(languageLabel(detector, 'Das ist der Anfang der Geschichte')).toBe('de')
    expect(languageLabel(detector, 'lorem ipsum dolor sit amet')).toBe('und')
    expect(languageLabel(detector, 'in der Tat')).toBe('und')
  })
})

describe('a chart', () => {
  it('shows every bin, then over now, in columns of one width', () => {
    const compared = compareFeatures(
      { scripts: { Latn: 300 } },
      { scripts: { Latn: 150, Cyrl: 150 } },
      { warnAt: 0.1, alarmAt: 0.25 },
    )
    const [head, ...lines] = driftChart(compared).split('\n')
    expect(head).toMatch(/^scripts: drifted, index \d\.\d{3}, chance alone up to \d\.\d{3} \(300 then, 300 now\)$/)
    expect(lines).toHaveLength(6)
    expect(lines[3]).toBe(`  ${' '.repeat(20)} █ ${'█'.repeat(10)}${' '.repeat(10)}  50.0 %`)
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1)
  })
})
