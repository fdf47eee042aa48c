import fc from 'fast-check'
import { isObject } from '../../src/base/json-object'
import { isJsonObject } from '../../src/inference/json-grammar'

const whole = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 })
const words = ['{', '}', '[', ']', ',', ':', '"a"', '"\\""', '0', '01', '-2.5e+3', '1.', 'true', 'null', ' ', 'x', '"']
const texts = fc.array(fc.constantFrom(...words), { maxLength: 9 }).map((some) => some.join(''))

/** As the engine's own parser sees it. */
function isObjectFor(text: string): boolean {
  try {
    return isObject(JSON.parse(text))
  } catch {
    return false
  }
}

describe('an object of JSON', () => {
  it('is known as it was written, and wherever it is cut it is none', () => {
    fc.assert(
      fc.property(whole, fc.constantFrom(undefined, 2), fc.nat(), (value, indent, cut) => {
        const bytes = Buffer.from(JSON.stringify(value, null, indent))
        expect(isJsonObject(bytes)).toBe(true)
        expect(isJsonObject(bytes.subarray(0, cut % bytes.length))).toBe(false)
      }),
    )
  })

  it('is what the parser takes for one, of whatever pieces a text is made', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const one of [text, `{"a":${text}}`, `{${text}}`])
          expect([one, isJsonObject(Buffer.from(one))]).toEqual([one, isObjectFor(one)])
      }),
      { numRuns: 2_000 },
    )
  })

  it('is none where it is nested without end, and that is found without using up the stack', () => {
    expect(isJsonObject(Buffer.from(`{"a":${'['.repeat(100_000)}`))).toBe(false)
  })
})
