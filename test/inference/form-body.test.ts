import fc from 'fast-check'
import { Problem } from '../../src/base/problem'
import { parseForm, partNames, setFormFields, textFields, type Form } from '../../src/inference/form-body'

/** What a client's own encoder makes of a form, read back by the platform's. */
async function encoded(fill: (form: FormData) => void) {
  const form = new FormData()
  fill(form)
  const response = new Response(form)
  return { type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) }
}
const parsed = (bytes: Buffer, type: string | null): Form => {
  const form = parseForm(bytes, type)
  if (form instanceof Problem) throw new Error(form.public)
  return form
}
const decoded = (bytes: Buffer, type: string | null) =>
  new Response(new Uint8Array(bytes), { headers: { 'content-type': type ?? '' } }).formData()

describe('a form', () => {
  it('has the fields and files that the client put in', async () => {
    const { bytes, type } = await encoded((form) => {
      form.set('file', new Blob([Buffer.from([0, 13, 10, 45, 45])]), 'sound "1".wav')
      form.set('model', 'ear')
    })
    const form = parsed(bytes, type)
    expect(form.parts).toMatchObject([{ name: 'file', filename: 'sound "1".wav' }, { name: 'model' }])
    expect(textFields(bytes, form)).toEqual({ model: 'ear' })
    const [file] = form.parts
    expect([...bytes.subarray(file?.start, file?.end)]).toEqual([0, 13, 10, 45, 45])
  })

  it('keeps every other part byte for byte when fields are set, whatever is in it', async () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/)
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, fc.string()),
        fc.uint8Array(),
        name,
        fc.string(),
        async (fields, file, key, value) => {
          fc.pre(!/[\r\n]/.test(value))
          const { bytes, type } = await encoded((form) => {
            for (const [field, text] of Object.entries(fields)) form.set(field, text)
            form.set('a-file', new Blob([new Uint8Array(file)]), 'f')
          })
          const set = setFormFields(bytes, parsed(bytes, type), { [key]: value })
          const before = await decoded(bytes, type)
          const after = await decoded(set, type)
          expect(after.get(key)).toBe(value.toWellFormed())
          for (const field of Object.keys(fields)) if (field !== key) expect(after.get(field)).toBe(before.get(field))
          const kept = after.get('a-file') as unknown as Blob
          expect(Buffer.from(await kept.arrayBuffer())).toEqual(Buffer.from(file))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('that is cut off or has no boundary is refused, and never makes the reader throw', async () => {
    const { bytes, type } = await encoded((form) => form.set('model', 'ear'))
    for (let length = 0; length < bytes.length - 4; length++)
      expect(parseForm(bytes.subarray(0, length), type)).toBeInstanceOf(Problem)
    expect(parseForm(bytes, 'multipart/form-data')).toBeInstanceOf(Problem)
    expect(parseForm(bytes, 'application/json')).toBeInstanceOf(Problem)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        parseForm(Buffer.concat([Buffer.from('--b\r\n'), noise]), 'multipart/form-data; boundary=b')
      }),
    )
  })
})

describe('the head of a part', () => {
  const disposition = (parameters: string) => partNames(`Content-Disposition: form-data; ${parameters}\r\n\r\n`)

  it.each([
    ['a browser and most libraries', 'name="file"; filename="a b.wav"', { name: 'file', filename: 'a b.wav' }],
    ['.NET', "name=file; filename=a.wav; filename*=utf-8''a.wav", { name: 'file', filename: 'a.wav' }],
    ['older urllib3', 'name="file"; filename*=utf-8\'\'%C3%A4.wav', { name: 'file', filename: "utf-8''%C3%A4.wav" }],
    ['older curl', 'name="file"; filename="say \\"hi\\".wav"', { name: 'file', filename: 'say \\"hi\\".wav' }],
    ['Windows', 'name="file"; filename="C:\\sounds\\"', { name: 'file', filename: 'C:\\sounds\\' }],
    ['one that turns the order around', 'filename="a.wav"; name="file"', { name: 'file', filename: 'a.wav' }],
    ['a field', 'name="model"', { name: 'model', filename: undefined }],
  ])('is read as %s writes it', (_who, parameters, names) => {
    expect(disposition(parameters)).toEqual(names)
  })

  it.each([
    ['two names', 'name="a"; name="model"'],
    ['a name within the name of a file', 'filename="a\\"; name="model"'],
    ['a quote within a name', 'name="a\\"; filename=\\"b"'],
    ['a name in another encoding', `name="a"; name*=utf-8''model`],
    ['a name in pieces', 'name*0="mo"; name*1="del"; name="a"'],
    ['something behind a name', 'name="a"model'],
    ['a line that goes on', 'x=1\r\n ; name="model"'],
    ['a line that ends by half', 'name="a"\nContent-Disposition: form-data; name="model"'],
    ['a second disposition', 'name="a"\r\nContent-Disposition: form-data; name="model"'],
    ['a value in another encoding', 'name="a"\r\nContent-Transfer-Encoding: base64'],
    ['no name', 'filename="a"'],
  ])('that has %s is no head, since readers differ on it', (_what, parameters) => {
    expect(disposition(parameters)).toBeUndefined()
  })
})

it.each([
  ['before its first boundary', 'x--b\r\n'],
  ['in a line before its first boundary', 'x\r\n--b\r\n'],
])('a form with something %s is refused', (_where, beginning) => {
  const rest = 'Content-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
  expect(parseForm(Buffer.from(beginning + rest), 'multipart/form-data; boundary=b')).toBeInstanceOf(Problem)
  expect(parseForm(Buffer.from(`\r\n--b \r\n${rest}`), 'multipart/form-data; boundary=b')).toMatchObject({
    parts: [{ name: 'model' }],
  })
})

it.each(['and more', '\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nother\r\n--b--'])(
  'a form with something behind its end is refused: %j',
  (more) => {
    const whole = `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nm\r\n--b--`
    expect(parseForm(Buffer.from(whole), 'multipart/form-data; boundary=b')).toMatchObject({ parts: [{ name: 'a' }] })
    expect(parseForm(Buffer.from(whole + more), 'multipart/form-data; boundary=b')).toBeInstanceOf(Problem)
  },
)
