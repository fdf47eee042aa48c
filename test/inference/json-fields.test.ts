import fc from 'fast-check'
import { findFields, setFields } from '../../src/inference/json-fields'

const bytesOf = (value: unknown, indent?: number) => Buffer.from(JSON.stringify(value, null, indent))
const json = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 })

describe('the fields of a body', () => {
  it('are found where JSON.parse sees them, for any object and any white space', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, 4), (value, indent) => {
        const bytes = bytesOf(value, indent)
        const { spans, duplicate } = findFields(bytes)
        expect(duplicate).toBeUndefined()
        const found = [...spans].map(([key, { start, end }]) => [key, JSON.parse(bytes.toString('utf8', start, end))])
        expect(Object.fromEntries(found)).toEqual(JSON.parse(bytes.toString()))
      }),
    )
  })

  it('can be set without changing any other byte', () => {
    fc.assert(
      fc.property(json, fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }), (value, changes) => {
        const bytes = bytesOf(value)
        const edits = Object.entries(changes).map(([key, change]) => ({ key, value: JSON.stringify(change) }))
        const result = JSON.parse(setFields(bytes, findFields(bytes), edits).toString()) as object
        const plain = (item: object) => JSON.parse(JSON.stringify(item)) as object
        expect(Object.fromEntries(Object.entries(result))).toEqual(
          Object.fromEntries([...Object.entries(plain(value)), ...Object.entries(plain(changes))]),
        )
      }),
    )
  })

  it('keep numbers that JavaScript would round, and strings with escapes, byte for byte', () => {
    const bytes = Buffer.from('{"seed":12345678901234567890,"a":"x\\"}{,\\\\","model":"m" , "t":1.0e5}')
    const changed = setFields(bytes, findFields(bytes), [{ key: 'model', value: '"other"' }])
    expect(changed.toString()).toBe('{"seed":12345678901234567890,"a":"x\\"}{,\\\\","model":"other" , "t":1.0e5}')
  })

  it('are reported when a key stands twice, however it is spelt', () => {
    expect(findFields(Buffer.from('{"model":"a","\\u006dodel":"b"}')).duplicate).toBe('model')
    expect(findFields(Buffer.from('{"a":{"model":1,"x":[{"model":2}]},"model":"b"}')).duplicate).toBeUndefined()
  })

  it('can be added to an empty object', () => {
    const bytes = Buffer.from(' { } ')
    expect(JSON.parse(setFields(bytes, findFields(bytes), [{ key: 'n', value: '1' }]).toString())).toEqual({ n: 1 })
  })
})
