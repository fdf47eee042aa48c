import { plainText, wordsOf } from '../../src/shared-models/words'

const words = (text: string) => wordsOf(plainText(text)).map(({ word }) => word)

describe('words', () => {
  it('compare alike whatever their case, their compatible form and what is not seen between their letters', () => {
    expect(words('ACME Åsa')).toEqual(words('a\u200bcme a\u030asa'.normalize('NFD').toUpperCase()))
    expect(words('ＡＣＭＥ')).toEqual(['acme'])
  })

  it('are cut where their script puts no spaces, so that no whole sentence is one of them', () => {
    expect(words('注文はどこですか').length).toBeGreaterThan(2)
    expect(words('คำสั่งซื้อของฉันอยู่ที่ไหน').length).toBeGreaterThan(2)
  })

  it.each(['0170 12 34 56 78', '0170/12345678', '0170-12.34.56 78'])(
    'take a number in groups, "%s", as one, so that its parts are not as common as hours and days',
    (text) => {
      expect(words(`call ${text} now`)).toHaveLength(3)
    },
  )

  it('stand where they say', () => {
    const text = plainText('Where is order 7, Ann-Marie?')
    expect(wordsOf(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      'Where',
      'is',
      'order',
      '7',
      'Ann',
      'Marie',
    ])
  })

  it('of a run of a hundred thousand digits are found in one pass', () => {
    expect(wordsOf('1'.repeat(100_000))).toHaveLength(1)
    expect(wordsOf('1 '.repeat(50_000))).toHaveLength(1)
    expect(wordsOf('1a '.repeat(50_000))).toHaveLength(50_000)
  })
})
