import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { toFile } from 'openai'
import { speechSound } from '../../../local/simulator/audio/speech-sound'
import { soundSeconds } from '../../../local/simulator/audio/sound-length'
import { KEY, runningSimulator } from './running'
import { sdkClients } from './sdk-clients'

const simulator = runningSimulator({
  deployments: {
    whisper: { model: 'whisper-001' },
    listener: { model: 'gpt-4o-transcribe-2025-03-20' },
    speaker: { model: 'gpt-4o-mini-tts-2025-03-20' },
    tts: { model: 'tts-001' },
  },
})
const SECONDS = 8.4
const wav = speechSound('wav', SECONDS, 1)
const wavFile = () => toFile(wav, 'said.wav', { type: 'audio/wav' })

function hear(
  operation: 'transcriptions' | 'translations',
  fields: Readonly<Record<string, string>>,
  file: Blob = new Blob([new Uint8Array(wav)]),
) {
  const body = new FormData()
  for (const [name, value] of Object.entries({ model: 'whisper', ...fields })) body.append(name, value)
  body.set('file', file, fields['name'] ?? 'said.wav')
  return fetch(simulator.url(`/openai/v1/audio/${operation}`), { method: 'POST', headers: { 'api-key': KEY }, body })
}
const speak = (body: object) => simulator.post('/openai/v1/audio/speech', { model: 'tts', voice: 'alloy', ...body })

describe.each(sdkClients(simulator.url))('audio: %s', (_name, makeClient) => {
  it('transcribes, with a duration where the model is billed by the second', async () => {
    const answer = await makeClient().audio.transcriptions.create({ model: 'whisper', file: await wavFile() })
    expect(answer.text).not.toBe('')
    expect(answer.usage).toEqual({ type: 'duration', seconds: 9 })
  })

  it('transcribes, with tokens where the model is billed by them', async () => {
    const answer = await makeClient().audio.transcriptions.create({
      model: 'listener',
      file: await wavFile(),
      prompt: 'names',
    })
    expect(answer.usage).toEqual({
      type: 'tokens',
      input_tokens: 84 + 1,
      input_token_details: { text_tokens: 1, audio_tokens: 84 },
      output_tokens: countTokens(answer.text),
      total_tokens: 85 + countTokens(answer.text),
    })
  })

  it('streams the transcript that it answers in one piece', async () => {
    const client = makeClient()
    const whole = await client.audio.transcriptions.create({ model: 'listener', file: await wavFile() })
    let text = ''
    let done: unknown
    const stream = await client.audio.transcriptions.create({ model: 'listener', file: await wavFile(), stream: true })
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') text += event.delta
      if (event.type === 'transcript.text.done') done = event
    }

    expect(text).toBe(whole.text)
    expect(done).toMatchObject({ text: whole.text, usage: whole.usage })
  })

  it('gives words, segments and subtitles that end when the sound does', async () => {
    const client = makeClient()
    const file = await wavFile()
    const verbose = await client.audio.transcriptions.create({
      model: 'whisper',
      file,
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
    })
    const srt = await client.audio.transcriptions.create({ model: 'whisper', file, response_format: 'srt' })
    const vtt = await client.audio.transcriptions.create({ model: 'whisper', file, response_format: 'vtt' })

    expect(verbose).toMatchObject({ task: 'transcribe', language: 'english', duration: SECONDS, usage: { seconds: 9 } })
    expect(verbose.segments?.at(-1)?.end).toBeCloseTo(SECONDS, 2)
    expect(verbose.words?.at(-1)?.end).toBeCloseTo(SECONDS, 2)
    expect(
      verbose.segments
        ?.map(({ text }) => text)
        .join('')
        .trim(),
    ).toBe(verbose.text)
    expect(srt).toMatch(/^1\n00:00:00,000 --> /)
    expect(srt).toMatch(/ --> 00:00:08,400\n[^\n]+\n\n$/)
    expect(vtt.startsWith('WEBVTT\n\n00:00:00.000 --> ')).toBe(true)
  })

  it('translates', async () => {
    const answer = await makeClient().audio.translations.create({ model: 'whisper', file: await wavFile() })
    expect(Object.keys(answer)).toEqual(['text'])
  })

  it('speaks, in the format that is asked for', async () => {
    const client = makeClient()
    const mp3 = await client.audio.speech.create({ model: 'tts', voice: 'alloy', input: 'Good evening, all of you.' })
    const asWav = { model: 'speaker', voice: 'alloy', input: 'x'.repeat(150), response_format: 'wav' } as const
    const spoken = Buffer.from(await (await client.audio.speech.create(asWav)).arrayBuffer())

    expect(mp3.headers.get('content-type')).toBe('audio/mpeg')
    expect(Buffer.from(await mp3.arrayBuffer()).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xfb]))
    expect(soundSeconds(spoken)).toBeCloseTo(10, 3)
  })
})

describe('a transcription', () => {
  it('is recorded with the seconds that were heard, and with tokens where there are any', async () => {
    const { last } = await simulator.ledger()
    await hear('transcriptions', {})
    await hear('transcriptions', { model: 'listener', prompt: '[[tokens:4]]' })
    const [older, newer] = await simulator.recorded(last, 2)

    expect(older).toMatchObject({ operation: 'audio.transcriptions', promptTokens: 0, outputTokens: 0 })
    expect(older?.audioSeconds).toBeCloseTo(SECONDS, 3)
    expect(newer).toMatchObject({ outputTokens: 4, tokensSent: 4, outcome: 'completed' })
    expect(newer?.promptTokens).toBeGreaterThan(84)
  })

  it('is the same for the same sound, and another for another', async () => {
    const text = async (sound: Buffer) =>
      (await hear('transcriptions', { response_format: 'text' }, new Blob([new Uint8Array(sound)]))).text()
    const other = Buffer.from(wav)
    other.writeInt16LE(77, 100)

    expect(await text(wav)).toBe(await text(wav))
    expect(await text(other)).not.toBe(await text(wav))
  })

  it.each([
    ['a file of no known format', { name: 'said.txt' }, 'whisper', 'file'],
    ['a format that newer models have not', { response_format: 'srt' }, 'listener', 'response_format'],
    ['an unknown format', { response_format: 'pdf' }, 'whisper', 'response_format'],
  ])('with %s is refused and names the parameter', async (_name, fields, model, param) => {
    const answer = await hear('transcriptions', { model, ...fields })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { param } })
  })

  it('of more than 25 MB is refused, and a newer model translates nothing', async () => {
    const large = new Blob([new Uint8Array(25 * 1_024 * 1_024 + 1)])
    expect((await hear('transcriptions', {}, large)).status).toBe(413)
    expect(await (await hear('translations', { model: 'listener' })).json()).toMatchObject({
      error: { code: 'OperationNotSupported' },
    })
  })

  it('fails as it is told to, within a stream too', async () => {
    expect((await hear('transcriptions', { prompt: '[[fault:status:503]]' })).status).toBe(503)
    const broken = await hear('transcriptions', {
      model: 'listener',
      stream: 'true',
      prompt: '[[fault:mid-stream-error:2]]',
    })
    const events = (await broken.text()).trim().split('\n\n')
    expect(events).toHaveLength(3)
    expect(events[2]).toContain('"server_error"')
  })
})

describe('speech', () => {
  it('as events says what it came to, and the events are the sound', async () => {
    const request = { model: 'speaker', input: 'Good evening to you all.', response_format: 'pcm' }
    const whole = Buffer.from(await (await speak(request)).arrayBuffer())
    const events = (await (await speak({ ...request, stream_format: 'sse' })).text())
      .trim()
      .split('\n\n')
      .map((event) => JSON.parse(event.slice('data: '.length)) as { type: string; audio?: string; usage?: object })

    expect(Buffer.concat(events.map(({ audio = '' }) => Buffer.from(audio, 'base64'))).equals(whole)).toBe(true)
    expect(events.at(-1)).toEqual({
      type: 'speech.audio.done',
      usage: { input_tokens: 6, output_tokens: 32, total_tokens: 38 },
    })
  })

  it('is recorded with its seconds, and with its tokens where there are any', async () => {
    const { last } = await simulator.ledger()
    await (await speak({ input: 'x'.repeat(150) })).arrayBuffer()
    await (await speak({ model: 'speaker', input: 'Good evening to you all.' })).arrayBuffer()

    expect(await simulator.recorded(last, 2)).toMatchObject([
      { operation: 'audio.speech', audioSeconds: 10, outputTokens: 0, outcome: 'completed' },
      { promptTokens: 6, outputTokens: 32, tokensSent: 32 },
    ])
  })

  it('comes in parts, and its sound can end in the middle', async () => {
    const answer = await speak({ input: 'x'.repeat(300) })
    expect(answer.headers.get('content-length')).toBeNull()
    const cut = await speak({ input: `${'x'.repeat(3_000)}[[fault:cut:2]]` })
    await expect(cut.arrayBuffer()).rejects.toThrow()
    const broken = await speak({ input: `${'x'.repeat(3_000)}[[fault:mid-stream-error:2]]` })
    await expect(broken.arrayBuffer()).rejects.toThrow()
  })

  it.each([
    ['no input', { input: '' }, 'input'],
    ['too much input', { input: 'x'.repeat(4_097) }, 'input'],
    ['no voice', { input: 'x', voice: undefined }, 'voice'],
    ['an unknown format', { input: 'x', response_format: 'midi' }, 'response_format'],
    ['events of an older model', { input: 'x', stream_format: 'sse' }, 'stream_format'],
  ])('with %s is refused and names the parameter', async (_name, body, param) => {
    const answer = await speak(body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { param } })
  })
})

it('a sound is as long as its header says, or as its bytes let expect', () => {
  expect(soundSeconds(wav)).toBeCloseTo(SECONDS, 3)
  expect(soundSeconds(Buffer.alloc(160_000))).toBe(10)
  expect(soundSeconds(wav.subarray(0, 44 + 48_000))).toBe(1)
})
