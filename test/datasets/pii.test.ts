import fc from 'fast-check'
import { PII_LINES_LISTED_MAX } from '../../src/datasets/dataset-bounds'
import { findPii, type PiiKind } from '../../src/datasets/pii/find-pii'
import { supervised, validateLines } from './dataset-parts'

const kindsIn = (text: string): PiiKind[] => findPii(text).map(({ kind }) => kind)
const within = (found: string) => [found, `It is ${found}.`, `(${found})`, `id: ${found}, please`, `„${found}“ ö`]

/** Published test numbers and examples of the issuers' own documents. */
const real: readonly (readonly [PiiKind, string])[] = [
  ['email', 'ada.lovelace+news@mail.example.co.uk'],
  ['email', "o'brien_1@example.org"],
  ['phone', '+44 20 7946 0958'],
  ['phone', '+4915123456789'],
  ['phone', '(212) 555-0123'],
  ['phone', '212-555-0123'],
  ['credit_card', '4111 1111 1111 1111'],
  ['credit_card', '4111-1111-1111-1111'],
  ['credit_card', '378282246310005'],
  ['credit_card', '3782 822463 10005'],
  ['credit_card', '5555555555554444'],
  ['iban', 'DE89 3704 0044 0532 0130 00'],
  ['iban', 'GB29NWBK60161331926819'],
  ['iban', 'NO93 8601 1117 947'],
  ['ip_address', '203.0.113.77'],
  ['ip_address', '2001:db8:85a3::8a2e:370:7334'],
  ['us_ssn', '219-09-9999'],
  ['national_id', '12345678Z'],
  ['national_id', 'X1234567L'],
  ['national_id', 'RSSMRA85T10A562S'],
  ['national_id', '2 55 08 14 168 025 38'],
  ['national_id', '86095742719'],
  ['national_id', '44051401359'],
  ['national_id', '529.982.247-25'],
  ['national_id', '131052-308T'],
  ['national_id', '811228-9874'],
  ['national_id', '2345 6789 0124'],
  ['national_id', '943 476 5919'],
  ['national_id', '130 692 544'],
]

describe('identifying data', () => {
  it.each(real)('of the kind %s is found, once, wherever it stands: %s', (kind, found) => {
    for (const text of within(found)) expect([text, kindsIn(text)]).toEqual([text, [kind]])
  })

  it.each([
    'Version 1.2.3.4.5, build 10.20.30',
    'from 127.0.0.1 to 255.255.255.255',
    'at 12:34:56 on 2024-01-02',
    'std::vector and a::b and ::1',
    'the order 4111111111111112 and 1234567890123456',
    'DE89 3704 0044 0532 0130 01',
    '12345678A and X1234567A',
    '000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567, 123-45-0000',
    '2024-11-21T12:30:45 and 3.14159265358979',
    'me@localhost, @handle, a@b, x@y.c, price@100',
    'order 123456789, invoice 98765432109, call 555-0123',
    'https://example.org/a/20241121/1234567890',
    'uuid 123e4567-e89b-12d3-a456-426614174000',
    '529.982.247-26, 111.111.111-11',
    '44051401358 and 86095742718',
    '131052-308A, 321352-308T',
    'RSSMRA85T10A562T',
    '811228-9873',
    '2345 6789 0123',
    '130 692 545',
    '1700000000000',
  ])('is not seen in what only looks like it: %s', (text) => expect(kindsIn(text)).toEqual([]))

  it('with a checksum is found when it is right, and of that kind only then', () => {
    const luhn = (digits: string) => {
      const sum = `${digits}0`
        .split('')
        .toReversed()
        .reduce((all, digit, at) => {
          const value = Number(digit) * (at % 2 === 1 ? 2 : 1)
          return all + (value > 9 ? value - 9 : value)
        }, 0)
      return (10 - (sum % 10)) % 10
    }
    const digits = fc.stringMatching(/^[0-9]{14}$/)
    fc.assert(
      fc.property(digits, fc.integer({ min: 1, max: 9 }), (rest, wrong) => {
        const start = `4${rest}`
        const check = luhn(start)
        expect(kindsIn(`card ${start}${check}`)).toEqual(['credit_card'])
        expect(kindsIn(`card ${start}${(check + wrong) % 10}`)).not.toContain('credit_card')
      }),
    )
  })

  it('in an IBAN is known by modulo 97, so that no digit can be changed', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }),
        fc.nat(17),
        fc.integer({ min: 1, max: 9 }),
        (number, at, by) => {
          const account = number.toString().padStart(18, '0')
          // D = 13, E = 14, and two zeros where the check digits will be.
          const check = (98n - (BigInt(`${account}131400`) % 97n)).toString().padStart(2, '0')
          expect(kindsIn(`DE${check}${account}`)).toEqual(['iban'])
          const changed = account.slice(0, at) + String((Number(account[at]) + by) % 10) + account.slice(at + 1)
          expect(kindsIn(`DE${check}${changed}`)).not.toContain('iban')
        },
      ),
    )
  })

  it('in an IBAN is found where a word in capitals follows', () => {
    expect(kindsIn('PAY TO DE89 3704 0044 0532 0130 00 NOW PLEASE')).toEqual(['iban'])
  })

  it('is looked for in time that grows with the text alone', () => {
    // Each of these would take hours where a pattern tries again from every place; jest's own limit ends the test.
    for (const piece of ['1', '1 ', '1-', '@', 'a@', 'a.', '+1', '(', ':', 'a:', '1.', 'A1 ', 'AA11'])
      expect(kindsIn(piece.repeat(200_000 / piece.length)).length).toBeGreaterThanOrEqual(0)
  })

  it('of a dataset is counted by kind with the lines it stands in, never shown', async () => {
    const of = (content: string) =>
      JSON.stringify({
        messages: [
          { role: 'user', content },
          { role: 'assistant', content: 'Thanks.' },
        ],
      })
    const lines = [...supervised(10), of('ada@example.com and bob@example.com'), of('ada@example.com, 219-09-9999')]
    const { report } = await validateLines(lines, { scanPii: true })
    expect(report.pii).toEqual({
      lines: 2,
      kinds: {
        email: { count: 3, lines: 2, firstLines: [11, 12] },
        us_ssn: { count: 1, lines: 1, firstLines: [12] },
      },
    })
    expect((await validateLines(lines)).report.pii).toBeUndefined()
  })

  it('in a long text is found once each, wherever its windows end', async () => {
    const found = 'ada@example.com or +44 20 7946 0958 or DE89 3704 0044 0532 0130 00; '
    const times = 1_000
    for (const before of [0, 1, 7, 30]) {
      const line = JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(before) + found.repeat(times) }] })
      const { pii } = (await validateLines([line], { scanPii: true })).report
      expect(pii?.kinds).toMatchObject({ email: { count: times }, phone: { count: times }, iban: { count: times } })
    }
  })

  it('in more lines than are listed is counted all the same', async () => {
    const lines = supervised(150).map((line) => line.replace('Where', 'I am a@example.com. Where'))
    const { pii } = (await validateLines(lines, { scanPii: true })).report
    expect(pii?.kinds.email).toMatchObject({ count: 150, lines: 150 })
    expect(pii?.kinds.email?.firstLines).toHaveLength(PII_LINES_LISTED_MAX)
  })
})
