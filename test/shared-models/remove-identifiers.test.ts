import { removeIdentifiers, identifies } from '../../src/shared-models/remove-identifiers'
import { readSharedExample, type SharedExample } from '../../src/shared-models/shared-example'
import { tenantTerms } from '../../src/shared-models/tenant-terms'
import { createTerms } from '../../src/shared-models/terms'
import { newRecord } from '../../src/tenants/edit-record'
import { tenantInput } from '../../src/tenants/tenant-input'

const record = newRecord(
  'ten_01m00000000000000000000000',
  tenantInput.parse({
    displayName: 'Blue Heron Logistics GmbH',
    contact: { email: 'ops@blueheron.example' },
    region: 'local',
    aliases: [{ name: 'heron-support', model: 'gpt-4.1-mini' }],
  }),
  0,
)
const given = {
  kind: 'consent' as const,
  purposeId: 'support' as never,
  sequence: 1,
  atMs: 0,
  by: 'key_01m00000000000000000000000' as const,
  textVersion: 1,
  fileIds: [],
  terms: ['Project Sandpiper'],
}
const terms = createTerms(tenantTerms(record, given))

const said = (...texts: string[]): SharedExample => ({
  messages: texts.map((content, index) => ({ role: index % 2 ? 'assistant' : 'user', content })),
})
const removed = (...texts: string[]) => removeIdentifiers(said(...texts), terms).messages.map(({ content }) => content)

describe('what identifies somebody', () => {
  it.each([
    ['an e-mail address', 'Write to ann.lee@mail.example please', 'Write to [EMAIL_1] please'],
    ['a phone number', 'Call +49 170 1234567 today', 'Call [PHONE_1] today'],
    ['an IBAN', 'Pay to DE89 3704 0044 0532 0130 00 now', 'Pay to [IBAN_1] now'],
    ['a card number', 'Card 4111 1111 1111 1111 was refused', 'Card [CARD_1] was refused'],
    ['an IP address', 'From 203.0.113.7 again', 'From [IP_1] again'],
    ['the tenant’s name', 'I am a customer of Blue Heron Logistics GmbH', 'I am a customer of [NAME_1]'],
    ['its name without the legal form', 'is BLUE-HERON   logistics open', 'is [NAME_1] open'],
    ['the parts of its contact’s address', 'see blueheron.example or @blueheron', 'see [NAME_1] or @[NAME_2]'],
    ['an alias of it', 'You are Heron Support', 'You are [NAME_1]'],
    ['a term that it added', 'When does project\nSandpiper end', 'When does [TERM_1] end'],
    ['a name that is written with what is not seen', 'Blue He\u200bron Logistics', '[NAME_1]'],
  ])('such as %s is replaced', (_, text, expected) => {
    expect(removed(text, 'Fine.')[0]).toBe(expected)
  })

  it('keeps one placeholder within an example, whatever its spelling, so that who is who is still learned', () => {
    expect(removed('I am a@x.example, my wife is b@x.example', 'Dear A@X.example, b@x.example is known')).toEqual([
      'I am [EMAIL_1], my wife is [EMAIL_2]',
      'Dear [EMAIL_1], [EMAIL_2] is known',
    ])
  })

  it('is found again where it was not removed, for the terms of any tenant', () => {
    expect(identifies(said('mail a@x.example', 'Yes.'), createTerms([]))).toBe(true)
    expect(identifies(said('ask Blue Heron Logistics', 'Yes.'), terms)).toBe(true)
    expect(identifies(removeIdentifiers(said('ask Blue Heron Logistics, a@x.example', 'Yes.'), terms), terms)).toBe(
      false,
    )
  })
})

describe('an example that may be shared', () => {
  const read = (value: unknown) => readSharedExample(Buffer.from(JSON.stringify(value)))
  const user = { role: 'user', content: 'Hello' }
  const assistant = { role: 'assistant', content: 'Hi.' }

  it('is a conversation in text, and loses the names of who speaks', () => {
    expect(
      read({
        messages: [
          { ...user, name: 'ann' },
          { ...assistant, weight: 1 },
        ],
      }),
    ).toEqual({
      messages: [user, { ...assistant, weight: 1 }],
    })
    expect(read({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }, assistant] })).toEqual({
      messages: [user, assistant],
    })
  })

  it.each([
    ['tools', { messages: [user, assistant], tools: [] }],
    ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }, assistant] }],
    ['a call of a tool', { messages: [user, { role: 'assistant', tool_calls: [] }, assistant] }],
    ['a message of a tool', { messages: [user, { role: 'tool', content: 'x', tool_call_id: 'c' }, assistant] }],
    ['metadata', { messages: [user, assistant], metadata: { customer: 'ann' } }],
    ['preferences', { input: { messages: [user] }, preferred_output: [assistant], non_preferred_output: [assistant] }],
    ['nothing that is taught', { messages: [user, { ...assistant, weight: 0 }] }],
    ['another last word', { messages: [user, assistant, user] }],
  ])('is none with %s', (_, value) => {
    expect(read(value)).toBe('shape')
  })
})
