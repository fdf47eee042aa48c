import fc from 'fast-check'
import { commonExample, noteWords, WordTally } from '../../src/shared-models/common-words'
import type { SharedExample } from '../../src/shared-models/shared-example'
import { plainText, wordsOf } from '../../src/shared-models/words'

const said = (text: string): SharedExample => ({
  messages: [
    { role: 'user', content: text },
    { role: 'assistant', content: 'yes' },
  ],
})

/** Each tenant's texts, as a build goes through them. */
function cleaned(tenants: readonly (readonly string[])[], tenantsMin: number): (string | undefined)[][] {
  const tally = new WordTally()
  for (const texts of tenants) {
    const words = new Set<string>()
    for (const text of texts) noteWords(said(plainText(text)), words)
    tally.add(words)
  }
  const common = new Set(tally.common(tenantsMin))
  return tenants.map((texts) => texts.map((text) => commonExample(said(plainText(text)), common)?.messages[0]?.content))
}

const ask = (name: string) => `please tell me where the order of ${name} is now, I have waited for it`

describe('words that too few tenants use', () => {
  it('are replaced, the same one by the same placeholder', () => {
    const [first] = cleaned(
      [
        [`${ask('Quillfeather')} says Quillfeather`, 'says'],
        [ask('x'), 'says'],
        [ask('x'), 'says'],
      ],
      3,
    )
    expect(first?.[0]).toBe('please tell me where the order of [WORD_1] is now, I have waited for it says [WORD_1]')
  })

  it('count once for a tenant, however often it uses them', () => {
    const often = Array.from({ length: 50 }, () => ask('Quillfeather'))
    expect(cleaned([often, [ask('x')], [ask('x')]], 3)[0]?.[0]).toContain('[WORD_1]')
  })

  it('take the whole example with them where they are too much of it', () => {
    const common = ask('x')
    expect(cleaned([['Quillfeather met Ossian at Tarn Hows'], [common], [common]], 3)[0]?.[0]).toBeUndefined()
  })

  it('are in no text that is left, whatever the texts are', () => {
    const word = fc.stringMatching(/^[a-e]{1,3}$/)
    const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '))
    const texts = fc.array(fc.array(text, { maxLength: 6 }), { minLength: 3, maxLength: 6 })
    fc.assert(
      fc.property(texts, fc.integer({ min: 3, max: 5 }), (tenants, tenantsMin) => {
        const users = (word: string) =>
          tenants.filter((own) => own.some((each) => wordsOf(each).some((known) => known.word === word))).length
        for (const content of cleaned(tenants, tenantsMin).flat())
          for (const { word } of wordsOf((content ?? '').replaceAll(/\[WORD_\d+\]/g, ' ')))
            if (users(word) < tenantsMin) throw new Error(`"${word}" is left, and ${users(word)} tenants use it`)
      }),
    )
  })
})
