import { Problem } from '../../../../src/base/problem'
import { parseForm, textFields } from '../../../../src/inference/form-body'
import type { Operation } from '../../../../src/inference/operation'
import { operations } from '../../../../src/inference/operations'
import type { Shot } from '../../../chaos/surfaces'

/** A body that no client should send, made from a right one, and what it gets. */
export interface BadBody {
  readonly what: string
  readonly make: (right: Shot) => { contentType?: string; body: Shot['body'] }
  readonly status: number
  readonly code: string
  readonly param?: string
}

const DEEP = 10_000
const deepArray = '['.repeat(DEEP) + ']'.repeat(DEEP)
const deepObject = '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP)

/** The same JSON body with some fields set; `undefined` leaves one out. */
export const jsonOf = ({ contentType, body }: Shot, fields: object) => ({
  contentType,
  body: JSON.stringify({ ...(JSON.parse(body.toString()) as object), ...fields }),
})

/** The same form with some fields in place of its own. */
export function formOf({ contentType, body }: Shot, fields: Readonly<Record<string, string>>) {
  const bytes = Buffer.from(body)
  const form = parseForm(bytes, contentType)
  if (form instanceof Problem) throw new Error(form.public)
  const line = Buffer.from(`--${form.boundary}`)
  const kept = form.parts
    .filter(({ name }) => !Object.hasOwn(fields, name))
    .map(({ name, filename, start, end }) =>
      Buffer.concat([Buffer.from(partHead(name, filename)), bytes.subarray(start, end)]),
    )
  const set = Object.entries(fields).map(([name, value]) => Buffer.from(partHead(name) + value))
  const parts = [...kept, ...set].flatMap((part) => [line, Buffer.from('\r\n'), part, Buffer.from('\r\n')])
  return { contentType, body: Buffer.concat([...parts, line, Buffer.from('--\r\n')]) }
}

const partHead = (name: string, filename?: string) =>
  `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n`

/** What a surface reads of a body; a field of a new surface is found by its being read. */
export function fieldsRead(operation: Operation, { contentType, body }: Shot): string[] {
  const fields = new Set(['model', 'stream'])
  const watched = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (of, key) => {
        if (typeof key === 'string') fields.add(key)
        return Reflect.get(of, key) as unknown
      },
    })
  const form = operation.body === 'form' ? parseForm(Buffer.from(body), contentType) : undefined
  if (form instanceof Problem) throw new Error(form.public)
  const texts: Readonly<Record<string, unknown>> | Problem = form
    ? textFields(Buffer.from(body), form)
    : (JSON.parse(body.toString()) as Record<string, unknown>)
  if (texts instanceof Problem) throw new Error(texts.public)
  const files = form?.parts.filter(({ filename }) => filename !== undefined).map(({ name }) => name) ?? []
  operation.read(watched(texts), files)
  operation.requestedOutput?.({ body: watched(texts), fileBytes: 1 } as unknown as Parameters<
    typeof operation.promptTokens
  >[0])
  return [...fields]
}

export const wrongValues: readonly unknown[] = [
  null,
  true,
  'true',
  '',
  'text',
  'constructor',
  '__proto__',
  'toString',
  '\u0000\u001f\ud800',
  // Words: the simulator counts tokens in a time that grows with the square of a word's length.
  'x '.repeat(150_000),
  0,
  -1,
  1.5,
  1e300,
  Number.MAX_SAFE_INTEGER,
  '9'.repeat(400),
  [],
  [null],
  [[]],
  [[[]]],
  Array(3_000).fill('x'),
  [{}],
  {},
  { type: 'constructor' },
  { toJSON: 1 },
  { length: 3 },
]

export function badBodies(operation: Operation): BadBody[] {
  return [...ofEvery(operation), ...(operation.body === 'json' ? ofJson : ofForm)]
}

/** Another surface whose alias cannot do it. */
function ofEvery({ name, capability, body }: Operation): BadBody[] {
  const other = operations.find((each) => each.capability !== capability)?.name ?? name
  const withModel = (model: string) => (right: Shot) =>
    body === 'json' ? jsonOf(right, { model }) : formOf(right, { model })
  const unknown = { status: 404, code: 'DeploymentNotFound', param: 'model' }
  return [
    { what: 'an unknown alias', make: withModel('no-such-alias'), ...unknown },
    { what: 'an alias like a prototype', make: withModel('__proto__'), ...unknown },
    { what: 'an alias like a method', make: withModel('constructor'), ...unknown },
    { what: 'an alias like a path', make: withModel('../../../etc/passwd'), ...unknown },
    {
      what: 'an alias of another surface',
      make: withModel(other),
      status: 400,
      code: 'unsupported_parameter',
      param: 'model',
    },
    { what: 'an empty alias', make: withModel(''), status: 400, code: 'invalid_request', param: 'model' },
    {
      what: 'a huge alias',
      make: withModel('x'.repeat(100_000)),
      status: 400,
      code: 'invalid_request',
      param: 'model',
    },
  ]
}

const text = (body: string | Buffer) => () => ({ contentType: 'application/json', body })
const notJson = { status: 400, code: 'invalid_json' }

/** Inserted behind the opening brace. */
const withRaw = (raw: string) => (right: Shot) => ({
  contentType: right.contentType,
  body: right.body.toString().replace('{', `{${raw},`),
})

/** Bodies that are no JSON object, by what is wrong. */
export const noJson: Readonly<Record<string, string>> = {
  'an empty body': '',
  blanks: ' \n',
  'an end that is missing': '{"model":"x"',
  'JSON and more': '{"model":"x"}{}',
  'single quotes': "{'model':'x'}",
  'an array': '[]',
  null: 'null',
  'a number': '1',
  'a string': '"x"',
  'a byte order mark': '\ufeff{"model":"x"}',
  'a NUL': '{"model":"\0"}',
  'arrays 10,000 deep': deepArray,
  'arrays 10,000 deep that are not closed': '['.repeat(DEEP),
  'a million brackets': '['.repeat(1_000_000),
}

const ofJson: readonly BadBody[] = [
  ...Object.entries(noJson).map(([what, body]) => ({ what, make: text(body), ...notJson })),
  { what: 'bytes that are no UTF-8', make: text(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), ...notJson },
  { what: 'UTF-16', make: ({ body }) => text(Buffer.from(body.toString(), 'utf16le'))(), ...notJson },
  {
    what: 'a form',
    make: ({ body }) => ({ contentType: 'multipart/form-data; boundary=x', body: `--x\r\n${body.toString()}` }),
    ...notJson,
  },
  { what: 'objects 10,000 deep', make: text(deepObject), status: 400, code: 'invalid_request', param: 'model' },
  {
    what: 'a model that is a number',
    make: (right) => jsonOf(right, { model: 7 }),
    status: 400,
    code: 'invalid_request',
    param: 'model',
  },
  {
    what: 'a model that is a list',
    make: (right) => jsonOf(right, { model: ['x'] }),
    status: 400,
    code: 'invalid_request',
    param: 'model',
  },
  {
    what: 'no model',
    make: (right) => jsonOf(right, { model: undefined }),
    status: 400,
    code: 'invalid_request',
    param: 'model',
  },
  {
    what: 'the model in a prototype',
    make: (right) => ({
      ...jsonOf(right, { model: undefined }),
      body: jsonOf(right, { model: undefined }).body.replace('{', '{"__proto__":{"model":"x"},'),
    }),
    status: 400,
    code: 'invalid_request',
    param: 'model',
  },
  { what: 'the model twice', make: withRaw('"model":"x"'), status: 400, code: 'invalid_request', param: 'model' },
  {
    what: 'the model twice, once in escapes',
    make: withRaw('"\\u006dodel":"x"'),
    status: 400,
    code: 'invalid_request',
    param: 'model',
  },
  {
    what: 'a prototype twice',
    make: withRaw('"__proto__":1,"__proto__":2'),
    status: 400,
    code: 'invalid_request',
    param: '__proto__',
  },
]

const X = 'multipart/form-data; boundary=x'
const part = (head: string, value: string) => `--x\r\n${head}\r\n\r\n${value}\r\n`
const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value)
const end = '--x--\r\n'
const badForm = { status: 400, code: 'invalid_request' }
const form = (body: string) => () => ({ contentType: X, body })
const file = (name: string, value: string) =>
  part(`Content-Disposition: form-data; name="${name}"; filename="f.wav"`, value)

const behindHead =
  (more: string) =>
  ({ contentType, body }: Shot) => {
    const boundary = /boundary=(.+)/.exec(contentType)?.[1] ?? ''
    return { contentType, body: Buffer.concat([Buffer.from(`--${boundary}\r\n${more}\r\n`), Buffer.from(body)]) }
  }

const ofForm: readonly BadBody[] = [
  { what: 'an empty body', make: form(''), ...badForm },
  {
    what: 'JSON in place of a form',
    make: () => ({ contentType: 'application/json', body: '{"model":"x"}' }),
    ...badForm,
  },
  { what: 'no content type', make: ({ body }) => ({ body: Buffer.from(body) }), ...badForm },
  { what: 'no boundary', make: ({ body }) => ({ contentType: 'multipart/form-data', body }), ...badForm },
  {
    what: 'an empty boundary',
    make: ({ body }) => ({ contentType: 'multipart/form-data; boundary=""', body }),
    ...badForm,
  },
  {
    what: 'a boundary that is too long',
    make: ({ body }) => ({ contentType: `multipart/form-data; boundary=${'b'.repeat(71)}`, body }),
    ...badForm,
  },
  { what: 'another boundary than the one it says', make: ({ body }) => ({ contentType: X, body }), ...badForm },
  { what: 'no end', make: ({ contentType, body }) => ({ contentType, body: body.slice(0, -8) }), ...badForm },
  { what: 'the boundary alone', make: form('--x'), ...badForm },
  { what: 'the end alone', make: form(end), ...badForm },
  {
    what: 'more behind the end',
    make: ({ contentType, body }) => ({
      contentType,
      body: Buffer.concat([Buffer.from(body), Buffer.from('and more')]),
    }),
    ...badForm,
  },
  {
    what: 'more before the beginning',
    make: ({ contentType, body }) => ({
      contentType,
      body: Buffer.concat([Buffer.from('more\r\n'), Buffer.from(body)]),
    }),
    ...badForm,
  },
  { what: 'a part without a name', make: form(part('Content-Disposition: form-data', 'x') + end), ...badForm },
  { what: 'a part without a disposition', make: form(part('Content-Type: text/plain', 'x') + end), ...badForm },
  {
    what: 'a part with two dispositions',
    make: behindHead(
      'Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"\r\n\r\nx',
    ),
    ...badForm,
  },
  {
    what: 'a part with two names',
    make: behindHead('Content-Disposition: form-data; name="a"; name="model"\r\n\r\nx'),
    ...badForm,
  },
  {
    what: 'a part with a quote in its name',
    make: behindHead('Content-Disposition: form-data; name="a\\"; filename=\\"b"\r\n\r\nx'),
    ...badForm,
  },
  {
    what: 'a part whose head does not end',
    make: form('--x\r\nContent-Disposition: form-data; name="a"\r\n--x--\r\n'),
    ...badForm,
  },
  {
    what: 'a head of 20 KB',
    make: form(part(`Content-Disposition: form-data; name="a"\r\nX-More: ${'y'.repeat(20_000)}`, 'x') + end),
    ...badForm,
  },
  {
    what: '101 parts',
    make: form(Array.from({ length: 101 }, (_, n) => field(`f${n}`, 'x')).join('') + end),
    ...badForm,
  },
  { what: 'a field of 300 KB', make: form(field('model', 'x'.repeat(300_000)) + end), ...badForm },
  {
    what: 'a model in base 64',
    make: behindHead('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\neA=='),
    ...badForm,
  },
  { what: 'no file', make: form(field('model', 'x') + field('prompt', 'p') + end), ...badForm },
  {
    what: 'no model',
    make: form(file('file', 'x') + file('image', 'x') + field('prompt', 'p') + end),
    ...badForm,
    param: 'model',
  },
  {
    what: 'a model that is a file',
    make: form(file('model', 'x') + file('file', 'x') + file('image', 'x') + field('prompt', 'p') + end),
    ...badForm,
    param: 'model',
  },
  {
    what: 'the model twice',
    make: behindHead('Content-Disposition: form-data; name="model"\r\n\r\nx'),
    ...badForm,
    param: 'model',
  },
  {
    what: 'the model twice, once as a file',
    make: behindHead('Content-Disposition: form-data; name="model"; filename="f"\r\n\r\nx'),
    ...badForm,
    param: 'model',
  },
]
