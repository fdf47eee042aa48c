import { createAzure } from '@ai-sdk/azure'
import { DallEAPIWrapper } from '@langchain/openai'
import { experimental_generateImage as generateImage } from 'ai'
import { toFile } from 'openai'
import { makeMediaTenant, usageByOperation } from '../harness/media-tenant'
import { chatAlias } from '../harness/stack'
import { aiSdkUrls, mediaStack } from './media-stack'
import { sdkClients } from './sdk-clients'

const { stack, target } = mediaStack()
const model = 'gpt-image-1'
const prompt = 'a harbour'
const picture = (name = 'a.png') => toFile(Buffer.from('any image'), name, { type: 'image/png' })
const isPng = (base64: string | undefined) =>
  Buffer.from(base64 ?? '', 'base64')
    .subarray(1, 4)
    .toString() === 'PNG'

describe.each(sdkClients)('images with $name', ({ make }) => {
  it('are generated, with their tokens', async () => {
    const answer = await make(target()).images.generate({ model, prompt, n: 2, quality: 'low' })
    expect(answer.data?.map(({ b64_json }) => isPng(b64_json))).toEqual([true, true])
    expect(answer.usage?.output_tokens).toBeGreaterThan(0)
  })

  it('stream in part and then whole', async () => {
    const request = { model, prompt, quality: 'low', stream: true, partial_images: 2 } as const
    const events = await Array.fromAsync(await make(target()).images.generate(request))
    expect(events.map(({ type }) => type)).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ])
    expect(events.every(({ b64_json }) => isPng(b64_json))).toBe(true)
  })

  it('are edited, by a version from before edits too', async () => {
    const image = [await picture('a.png'), await picture('b.png')]
    const answer = await make(target()).images.edit({ model, image, prompt, quality: 'low' })
    expect(isPng(answer.data?.[0]?.b64_json)).toBe(true)
    expect(answer.usage?.input_tokens_details?.image_tokens).toBeGreaterThan(0)
  })

  it('are edited with a mask, by the version that has edits', async () => {
    const client = make(target(), { defaultQuery: { 'api-version': '2025-04-01-preview' } })
    const answer = await client.images.edit({ model, image: await picture(), mask: await picture(), prompt })
    expect(isPng(answer.data?.[0]?.b64_json)).toBe(true)
  })

  it('that are edited stream too', async () => {
    const request = { model, image: await picture(), prompt, quality: 'low', stream: true, partial_images: 1 } as const
    const events = await Array.fromAsync(await make(target()).images.edit(request))
    expect(events.map(({ type }) => type)).toEqual(['image_edit.partial_image', 'image_edit.completed'])
  })

  it('are refused in the service’s own words where the service judges', async () => {
    const error = make(target()).images.generate({ model, prompt, size: '256x256' })
    await expect(error).rejects.toMatchObject({ status: 400, param: 'size' })
  })

  it('of an alias that has none are refused before the service is asked', async () => {
    const before = (await stack().ledger()).length
    const error = make(target()).images.edit({ model: 'speaker', image: await picture(), prompt })
    await expect(error).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'model' })
    expect(await stack().ledger()).toHaveLength(before)
  })
})

describe.each(aiSdkUrls('2025-04-01-preview'))('images with @ai-sdk/azure $urls', ({ settings }) => {
  const image = () =>
    createAzure({ baseURL: `${target().baseUrl}/openai`, apiKey: target().apiKey, ...settings }).image(model)

  it('are generated', async () => {
    const { images } = await generateImage({ model: image(), prompt, n: 2, maxRetries: 0 })
    expect(images.map(({ base64 }) => isPng(base64))).toEqual([true, true])
  })

  it('are edited', async () => {
    const source = new Uint8Array(Buffer.from('any image'))
    const { images } = await generateImage({
      model: image(),
      prompt: { text: prompt, images: [source], mask: source },
      maxRetries: 0,
    })
    expect(isPng(images[0]?.base64)).toBe(true)
  })
})

it('LangChain’s wrapper gets an image of DALL·E by its address', async () => {
  await stack().configureSimulator({ deployments: { 'dall-e-3': { model: 'dall-e-3' } } })
  const backend = await stack().makeBackend('dall-e-3')
  const alias = chatAlias('dall-e-3', [[backend]], { model: 'dall-e-3', capabilities: ['images'] })
  const { apiKey } = await stack().makeTenant({ aliases: [alias] })
  const wrapper = new DallEAPIWrapper({ apiKey, baseUrl: `${target().baseUrl}/openai/v1`, model: 'dall-e-3' })
  expect(await wrapper.invoke(prompt)).toMatch(/^https:/)
})

it('the deployment of the path wins over the model of the form', async () => {
  for (const { make } of sdkClients.filter(({ name }) => name.includes('AzureOpenAI'))) {
    const client = make(target(), { deployment: model })
    const answer = await client.images.edit({ model: 'no-such-model', image: await picture(), prompt, quality: 'low' })
    expect(isPng(answer.data?.[0]?.b64_json)).toBe(true)
  }
})

it('all of them are counted by image and by token, streams too', async () => {
  const own = await makeMediaTenant(stack())
  const images = sdkClients[0]?.make({ ...target(), apiKey: own.apiKey }).images
  const whole = await images?.generate({ model, prompt, n: 2, quality: 'low' })
  await Array.fromAsync((await images?.generate({ model, prompt, quality: 'low', stream: true })) ?? [])
  const edited = await images?.edit({ model, prompt, image: await picture(), quality: 'low' })
  const rows = await usageByOperation(stack(), own)
  const perImage = (whole?.usage?.output_tokens ?? 0) / 2
  expect(rows['images.generations']).toMatchObject({ calls: 2, unsettled: 0, images: 3, outputTokens: 3 * perImage })
  expect(rows['images.edits']).toMatchObject({ calls: 1, images: 1, promptTokens: edited?.usage?.input_tokens })
})
