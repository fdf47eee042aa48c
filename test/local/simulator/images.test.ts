import { inflateSync } from 'node:zlib'
import { toFile } from 'openai'
import { runningSimulator } from './running'
import { sdkClients } from './sdk-clients'

const simulator = runningSimulator({
  deployments: { image: { model: 'gpt-image-1-2025-04-15' }, dalle: { model: 'dall-e-3' } },
})
const generate = (body: object) => simulator.post('/openai/v1/images/generations', { model: 'image', ...body })

/** Width and height that a PNG states, once its pixels are found to be of that size. */
function sizeOfPng(base64: string | undefined): [number, number] {
  const png = Buffer.from(base64 ?? '', 'base64')
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const pixels: Buffer[] = []
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      pixels.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  expect(inflateSync(Buffer.concat(pixels))).toHaveLength((width * 3 + 1) * height)
  return [width, height]
}

describe.each(sdkClients(simulator.url))('images: %s', (_name, makeClient) => {
  it('generates images of the size that is asked for, and reports their tokens', async () => {
    const answer = await makeClient().images.generate({
      model: 'image',
      prompt: 'a harbour',
      n: 2,
      size: '1536x1024',
      quality: 'medium',
    })

    expect(answer.data).toHaveLength(2)
    expect(sizeOfPng(answer.data?.[0]?.b64_json)).toEqual([1_536, 1_024])
    expect(answer.usage).toEqual({
      input_tokens: 2,
      input_tokens_details: { text_tokens: 2, image_tokens: 0 },
      output_tokens: 2 * 1_584,
      total_tokens: 2 + 2 * 1_584,
    })
  })

  it('edits images, whose tokens are counted beside the prompt’s', async () => {
    const image = await toFile(Buffer.from('any image'), 'a.png', { type: 'image/png' })
    const answer = await makeClient().images.edit({ model: 'image', image: [image, image], prompt: 'a harbour' })

    expect(answer.data).toHaveLength(1)
    expect(answer.usage?.input_tokens_details).toEqual({ text_tokens: 2, image_tokens: 2 * 581 })
  })

  it('streams partial images and then the whole one, with the usage', async () => {
    const request = { model: 'image', prompt: 'a harbour', stream: true, partial_images: 2, quality: 'low' } as const
    const types: string[] = []
    let usage: unknown
    for await (const event of await makeClient().images.generate(request)) {
      types.push(event.type)
      expect(sizeOfPng(event.b64_json)).toEqual([1_024, 1_024])
      if (event.type === 'image_generation.completed') usage = event.usage
    }

    expect(types).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ])
    expect(usage).toMatchObject({ output_tokens: 272 + 2 * 100 })
  })
})

describe('an image', () => {
  it('of an older model comes by its address, with the revised prompt and what the filter found', async () => {
    const answer = await generate({ model: 'dalle', prompt: 'a harbour' })
    const body = (await answer.json()) as { data: object[] }

    expect(body).not.toHaveProperty('usage')
    expect(body.data).toMatchObject([
      {
        url: expect.stringMatching(/^https:/) as string,
        revised_prompt: expect.stringContaining('a harbour') as string,
        content_filter_results: { violence: { filtered: false } },
        prompt_filter_results: { jailbreak: { detected: false } },
      },
    ])
  })

  it('is as large as it is asked to be, and still an image', async () => {
    const answer = await generate({ prompt: '[[bytes:3000000]]' })
    const { data } = (await answer.json()) as { data: { b64_json: string }[] }
    expect(Buffer.from(data[0]?.b64_json ?? '', 'base64')).toHaveLength(3_000_000)
    expect(sizeOfPng(data[0]?.b64_json)).toEqual([1_024, 1_024])
  })

  it('is recorded with its tokens and its number', async () => {
    const { last } = await simulator.ledger()
    await generate({ prompt: 'a harbour', n: 3, quality: 'low' })
    expect(await simulator.recorded(last)).toMatchObject([
      { operation: 'images.generations', images: 3, promptTokens: 2, outputTokens: 3 * 272, outcome: 'completed' },
    ])
  })

  it('fails as it is told to: instead of an answer, by the filter, and within a stream', async () => {
    expect((await generate({ prompt: '[[fault:status:503]]' })).status).toBe(503)
    expect(await (await generate({ prompt: '[[filter:prompt]]' })).json()).toMatchObject({
      error: { code: 'content_filter' },
    })
    const broken = await generate({ prompt: '[[fault:mid-stream-error:1]]', stream: true, partial_images: 2 })
    const text = await broken.text()
    expect(text.match(/^event: .*$/gm)).toEqual(['event: image_generation.partial_image', 'event: error'])
  })

  it.each([
    ['no prompt', {}, 'prompt'],
    ['too many', { prompt: 'a', n: 11 }, 'n'],
    ['a size that there is not', { prompt: 'a', size: '7x7' }, 'size'],
    ['more than one in a stream', { prompt: 'a', n: 2, stream: true }, 'n'],
    ['what older models take', { prompt: 'a', response_format: 'url' }, 'response_format'],
    ['a stream of an older model', { model: 'dalle', prompt: 'a', stream: true }, 'stream'],
  ])('with %s is refused and names the parameter', async (_name, body, param) => {
    const answer = await generate(body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { param } })
  })

  it('is not edited without one, nor by an older model', async () => {
    const edit = (model: string) => {
      const body = new FormData()
      body.set('model', model)
      body.set('prompt', 'a')
      return fetch(simulator.url('/openai/v1/images/edits'), {
        method: 'POST',
        headers: { 'api-key': 'simulator-key' },
        body,
      })
    }
    expect(await (await edit('image')).json()).toMatchObject({ error: { param: 'image' } })
    expect(await (await edit('dalle')).json()).toMatchObject({ error: { code: 'OperationNotSupported' } })
    expect((await edit('absent')).status).toBe(404)
  })
})
