import { Problem } from '../../src/base/problem'
import { matchPath } from '../../src/inference/match-path'
import { parseCall, type Call } from '../../src/inference/read-call'

function targetOf(path: string) {
  const target = matchPath('POST', `/openai/v1${path}`, new URLSearchParams())
  if (target instanceof Problem || target.kind !== 'call') throw new Error('not a call')
  return target
}
const read = (path: string, body: object) => parseCall(targetOf(path), Buffer.from(JSON.stringify(body)))
async function readForm(path: string, fields: Record<string, string | Blob>) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, 'f')
  }
  const response = new Response(form)
  return parseCall(targetOf(path), Buffer.from(await response.arrayBuffer()), response.headers.get('content-type'))
}
const call = (result: Call | Problem): Call => {
  if (result instanceof Problem) throw new Error(result.public)
  return result
}
const usageOf = (made: Call, answer: string) => made.operation.usageOf?.(Buffer.from(answer), made)
const sound = new Blob([new Uint8Array(4_000)])

it.each<[string, object, string]>([
  ['/completions', { model: 'm', prompt: {} }, 'prompt'],
  ['/completions', { model: 'm', prompt: [] }, 'prompt'],
  ['/completions', { model: 'm', prompt: 'p', n: 0 }, 'n'],
  ['/completions', { model: 'm', prompt: 'p', best_of: 129 }, 'best_of'],
  ['/images/generations', { model: 'm' }, 'prompt'],
  ['/images/generations', { model: 'm', prompt: '' }, 'prompt'],
  ['/images/generations', { model: 'm', prompt: 'x'.repeat(32_001) }, 'prompt'],
  ['/images/generations', { model: 'm', prompt: 'p', n: 11 }, 'n'],
  ['/audio/speech', { model: 'm' }, 'input'],
  ['/audio/speech', { model: 'm', input: 'x'.repeat(4_097) }, 'input'],
  ['/audio/speech', { model: 'm', input: 'x', stream_format: 'sse' }, 'stream_format'],
])('POST %s with %j is refused by its field', (path, body, param) => {
  expect(read(path, body)).toMatchObject({ code: 'invalid_request', param })
})

it('forms are refused without their file, and for a field that stands twice', async () => {
  expect(await readForm('/audio/transcriptions', { model: 'm' })).toMatchObject({ param: 'file' })
  expect(await readForm('/images/edits', { model: 'm', prompt: 'p' })).toMatchObject({ param: 'image' })
  expect(await readForm('/audio/translations', { file: sound, model: 'm', stream: 'true' })).toMatchObject({
    param: 'stream',
  })
  const form = new FormData()
  form.append('model', 'mine')
  form.append('model', 'another')
  form.append('file', sound, 'f')
  const response = new Response(form)
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(parseCall(targetOf('/audio/transcriptions'), bytes, response.headers.get('content-type'))).toMatchObject({
    param: 'model',
  })
})

it('a form is read as what its texts stand for', async () => {
  const edit = call(
    await readForm('/images/edits', { model: 'm', prompt: 'p', n: '3', stream: 'true', 'image[]': sound }),
  )
  expect(edit).toMatchObject({ alias: 'm', choices: 3, stream: true, files: ['image[]'], fileBytes: 4_000 })
})

it('completions reserve for every answer of every prompt, the thrown away ones too', () => {
  expect(call(read('/completions', { model: 'm', prompt: ['a', 'b'], n: 2, best_of: 5 })).choices).toBe(10)
  expect(call(read('/completions', { model: 'm', prompt: [1, 2, 3] })).choices).toBe(1)
})

it('usage of images is their tokens where the answer tells them, and always how many they are', () => {
  const made = call(read('/images/generations', { model: 'm', prompt: 'p' }))
  const usage = '{"input_tokens":50,"output_tokens":4160,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}'
  expect(usageOf(made, `{"data":[{"b64_json":"aa"},{"b64_json":"bb"}],"usage":${usage}}`)).toMatchObject({
    promptTokens: 50,
    outputTokens: 4_160,
    media: { images: 2, imageTokens: 40 },
  })
  expect(usageOf(made, '{"data":[{"url":"https://a","revised_prompt":"say \\"url\\": it"}]}')).toMatchObject({
    promptTokens: 0,
    media: { images: 1 },
  })
})

it.each<[string, string, object]>([
  ['tokens', '{"text":"a","usage":{"type":"tokens","input_tokens":14,"output_tokens":5}}', { promptTokens: 14 }],
  ['seconds', '{"text":"a","usage":{"type":"duration","seconds":9}}', { media: { audioMs: 9_000 } }],
  ['verbose JSON', '{"task":"transcribe","duration":8.47,"text":"a"}', { media: { audioMs: 8_470 } }],
  [
    'SRT',
    '1\n00:00:00,000 --> 00:00:04,000\na\n\n2\n00:00:04,000 --> 01:00:07,250\nb\n',
    { media: { audioMs: 3_607_250 } },
  ],
  ['VTT', 'WEBVTT\n\n00:00.000 --> 01:07.500\na\n', { media: { audioMs: 67_500 } }],
])('usage of sound is read from %s', async (_, answer, usage) => {
  const made = call(await readForm('/audio/transcriptions', { file: sound, model: 'm' }))
  expect(usageOf(made, answer)).toMatchObject(usage)
})

it('plain text of sound tells no usage, and our estimate counts', async () => {
  const made = call(await readForm('/audio/transcriptions', { file: sound, model: 'm', response_format: 'text' }))
  expect(usageOf(made, 'what was said')).toBeUndefined()
  expect(made.operation.promptTokens(made)).toBeGreaterThan(0)
})
