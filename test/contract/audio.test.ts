import { createAzure } from '@ai-sdk/azure'
import { experimental_generateSpeech as generateSpeech, experimental_transcribe as transcribe } from 'ai'
import { toFile } from 'openai'
import { makeMediaTenant, SOUND_SECONDS, sound, usageByOperation } from '../harness/media-tenant'
import { aiSdkUrls, mediaStack } from './media-stack'
import { sdkClients } from './sdk-clients'

const { stack, target } = mediaStack()
const said = () => toFile(sound(), 'said.wav', { type: 'audio/wav' })
const input = 'Good evening, all of you, wherever you are tonight.'

describe.each(sdkClients)('audio with $name', ({ make }) => {
  it('is transcribed to JSON, with seconds or tokens as the model counts', async () => {
    const { transcriptions } = make(target()).audio
    const older = await transcriptions.create({ model: 'whisper', file: await said() })
    const newer = await transcriptions.create({ model: 'listener', file: await said(), prompt: 'names' })
    expect(older.text).not.toBe('')
    expect(older.usage).toEqual({ type: 'duration', seconds: Math.ceil(SOUND_SECONDS) })
    expect(newer.usage).toMatchObject({ type: 'tokens', input_tokens: 85 })
  })

  it('is transcribed to text, subtitles and verbose JSON', async () => {
    const { transcriptions } = make(target()).audio
    const file = await said()
    const request = { model: 'whisper', file } as const
    const text: unknown = await transcriptions.create({ ...request, response_format: 'text' })
    const srt: unknown = await transcriptions.create({ ...request, response_format: 'srt' })
    const vtt: unknown = await transcriptions.create({ ...request, response_format: 'vtt' })
    const verbose = await transcriptions.create({
      ...request,
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
    })
    expect(verbose.text.trim()).toBe(String(text).trim())
    expect(verbose.duration).toBeCloseTo(SOUND_SECONDS, 2)
    expect(verbose.words?.at(-1)?.end).toBeCloseTo(SOUND_SECONDS, 2)
    expect(srt).toMatch(/^1\n00:00:00,000 --> /)
    expect(vtt).toMatch(/^WEBVTT\n\n/)
  })

  it('is transcribed as a stream', async () => {
    const { transcriptions } = make(target()).audio
    const file = await said()
    const whole = await transcriptions.create({ model: 'listener', file })
    const events = await Array.fromAsync(await transcriptions.create({ model: 'listener', file, stream: true }))
    const deltas = events.map((event) => (event.type === 'transcript.text.delta' ? event.delta : ''))
    expect(deltas.join('')).toBe(whole.text)
    expect(events.at(-1)).toMatchObject({ type: 'transcript.text.done', text: whole.text, usage: whole.usage })
  })

  it('is translated to JSON, text and verbose JSON', async () => {
    const { translations } = make(target()).audio
    const file = await said()
    const plain = await translations.create({ model: 'whisper', file })
    const text: unknown = await translations.create({ model: 'whisper', file, response_format: 'text' })
    const verbose = await translations.create({ model: 'whisper', file, response_format: 'verbose_json' })
    expect(plain.text).not.toBe('')
    expect(String(text).trim()).toBe(plain.text.trim())
    expect(verbose).toMatchObject({ duration: SOUND_SECONDS })
  })

  it('is spoken, in bytes of the format that is asked for', async () => {
    const { speech } = make(target()).audio
    const mp3 = await speech.create({ model: 'speaker', voice: 'alloy', input })
    const wav = await speech.create({ model: 'speaker', voice: 'alloy', input, response_format: 'wav' })
    expect(mp3.headers.get('content-type')).toBe('audio/mpeg')
    expect(Buffer.from(await mp3.arrayBuffer()).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xfb]))
    expect(wav.headers.get('content-type')).toBe('audio/wav')
    expect(
      Buffer.from(await wav.arrayBuffer())
        .subarray(0, 4)
        .toString(),
    ).toBe('RIFF')
  })

  it('is refused by its field, before the service is asked, where it cannot be heard', async () => {
    const before = (await stack().ledger()).length
    const error = make(target()).audio.translations.create({ model: 'speaker', file: await said() })
    await expect(error).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'model' })
    expect(await stack().ledger()).toHaveLength(before)
  })
})

it('speech comes in the pieces in which the service makes it', async () => {
  await stack().configureSimulator({
    deployments: { 'gpt-4o-mini-tts': { latency: { firstTokenMs: 0, tokensPerSecond: 150, jitter: 0 } } },
  })
  const speech = sdkClients[0]?.make(target()).audio.speech
  const answer = await speech?.create({
    model: 'speaker',
    voice: 'alloy',
    input: 'x'.repeat(300),
    response_format: 'pcm',
  })
  let pieces = 0
  for await (const piece of answer?.body ?? []) pieces += piece.length > 0 ? 1 : 0
  expect(pieces).toBeGreaterThan(1)
})

describe.each(aiSdkUrls('2024-10-21'))('audio with @ai-sdk/azure $urls', ({ settings }) => {
  const azure = () => createAzure({ baseURL: `${target().baseUrl}/openai`, apiKey: target().apiKey, ...settings })

  it('is transcribed', async () => {
    const { text } = await transcribe({ model: azure().transcription('whisper'), audio: sound(), maxRetries: 0 })
    expect(text).not.toBe('')
  })

  it('is spoken', async () => {
    const { audio } = await generateSpeech({ model: azure().speech('speaker'), text: input, maxRetries: 0 })
    expect(Buffer.from(audio.uint8Array).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xfb]))
  })
})

it('all of it is counted: seconds, tokens and characters', async () => {
  const own = await makeMediaTenant(stack())
  const audio = sdkClients[0]?.make({ ...target(), apiKey: own.apiKey }).audio
  await audio?.transcriptions.create({ model: 'whisper', file: await said(), response_format: 'srt' })
  const newer = await audio?.transcriptions.create({ model: 'listener', file: await said() })
  await audio?.translations.create({ model: 'whisper', file: await said(), response_format: 'verbose_json' })
  const spoken = await audio?.speech.create({ model: 'speaker', voice: 'alloy', input })
  await spoken?.arrayBuffer()
  const rows = await usageByOperation(stack(), own)
  const tokens = newer?.usage?.type === 'tokens' ? newer.usage : undefined
  expect(rows['audio.transcriptions']).toMatchObject({
    calls: 2,
    unsettled: 0,
    audioMs: SOUND_SECONDS * 1_000,
    promptTokens: tokens?.input_tokens,
    outputTokens: tokens?.output_tokens,
  })
  expect(rows['audio.translations']).toMatchObject({ calls: 1, unsettled: 0, audioMs: SOUND_SECONDS * 1_000 })
  expect(rows['audio.speech']).toMatchObject({ calls: 1, unsettled: 0, characters: input.length })
})
