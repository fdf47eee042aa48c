import fc from 'fast-check'
import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base'
import { z } from 'zod'
import { generateText, vocabularyOf } from '../../../local/simulator/generate-text'
import { jsonFromSchema, UnusableSchema } from '../../../local/simulator/json-from-schema'
import { seededRandom } from '../../../local/simulator/random'
import { stringFromPattern } from '../../../local/simulator/string-from-pattern'
import { loadTokenizer } from '../../../local/simulator/tokens'
import { startSimulator } from '../../../local/simulator/simulator'
import { KEY, quickDeployments, runningSimulator, user } from './running'

const simulator = runningSimulator()

describe('generated text', () => {
  it.each([
    ['o200k_base', countO200k],
    ['cl100k_base', countCl100k],
  ] as const)('has exactly the asked number of %s tokens and is the same for the same seed', async (name, count) => {
    const vocabulary = vocabularyOf(await loadTokenizer(name))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.nat(), (tokens, seed) => {
        const pieces = generateText(vocabulary, seed, tokens)
        expect(pieces).toHaveLength(tokens)
        expect(count(pieces.join(''))).toBe(tokens)
        expect(generateText(vocabulary, seed, tokens)).toEqual(pieces)
      }),
    )
  })

  it('is cut into one string per token, whatever characters the tokens split', async () => {
    const tokenizer = await loadTokenizer('o200k_base')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const whole = text.toWellFormed()
        const pieces = tokenizer.pieces(whole)
        expect(pieces.join('')).toBe(whole)
        expect(pieces).toHaveLength(tokenizer.count(whole))
      }),
    )
  })

  it('follows the seed and the messages, on any deployment and any start of the simulator', async () => {
    const config = { deployments: quickDeployments }
    const [one, same, other] = await Promise.all([
      startSimulator({ config, seed: 7 }),
      startSimulator({ config, seed: 7 }),
      startSimulator({ config, seed: 8 }),
    ])
    const ask = async (url: string, text: string) => {
      const answer = await fetch(`${url}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { 'api-key': KEY },
        body: JSON.stringify({ model: 'chat', ...user(text) }),
      })
      return ((await answer.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content
    }
    const first = await ask(one.url, 'a question')

    expect(await ask(same.url, 'a question')).toBe(first)
    expect(await ask(one.url, 'a question')).toBe(first)
    expect(await ask(other.url, 'a question')).not.toBe(first)
    expect(await ask(one.url, 'another question')).not.toBe(first)
    await Promise.all([one.close(), same.close(), other.close()])
  })
})

const tree = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 3, maxLength: 5 },
        children: { type: 'array', items: { $ref: '#/$defs/node' } },
        parent: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
      },
      required: ['name', 'children', 'parent'],
      additionalProperties: false,
    },
  },
}
const schemas: [string, object][] = [
  [
    'an enum and a const',
    {
      type: 'object',
      properties: { a: { enum: ['x', 'y', 3] }, b: { const: 'c' } },
      required: ['a', 'b'],
      additionalProperties: false,
    },
  ],
  [
    'bounded numbers',
    {
      type: 'object',
      properties: {
        a: { type: 'integer', minimum: -3, maximum: 2 },
        b: { type: 'number', exclusiveMinimum: 0, maximum: 0.004 },
        c: { type: 'integer', multipleOf: 7, minimum: 15 },
      },
      required: ['a', 'b', 'c'],
      additionalProperties: false,
    },
  ],
  [
    'formats',
    {
      type: 'object',
      properties: {
        at: { type: 'string', format: 'date-time' },
        on: { type: 'string', format: 'date' },
        id: { type: 'string', format: 'uuid' },
        mail: { type: 'string', format: 'email' },
        from: { type: 'string', format: 'ipv4' },
      },
      required: ['at', 'on', 'id', 'mail', 'from'],
      additionalProperties: false,
    },
  ],
  ['a pattern', { type: 'string', pattern: '^[A-Z]{2}-\\d{3,5}(?:/[a-f0-9]+)?$' }],
  [
    'nullable types and tuples of booleans',
    {
      type: 'object',
      properties: {
        a: { type: ['string', 'null'] },
        b: { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 4 },
      },
      required: ['a', 'b'],
      additionalProperties: false,
    },
  ],
  [
    'alternatives',
    {
      anyOf: [
        {
          type: 'object',
          properties: { kind: { const: 'a' }, n: { type: 'integer' } },
          required: ['kind', 'n'],
          additionalProperties: false,
        },
        { type: 'array', items: { type: 'string' } },
      ],
    },
  ],
  ['a recursive tree', tree],
]

describe('generated JSON', () => {
  it.each(schemas)('is valid against a schema with %s, for every seed', (_name, schema) => {
    const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const value = JSON.parse(JSON.stringify(jsonFromSchema(schema, seededRandom(seed)))) as unknown
        expect(validator.safeParse(value).error).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  it('takes a pattern apart as the regular expression does', () => {
    const patterns = [
      '^(red|green|blue)-\\w{2,4}$',
      '[^a-z]+x?',
      '\\d+\\.\\d{2}',
      '(a(b|c)*){2}',
      '[\\w.-]+@[a-z]+\\.com',
      '\\[x\\]',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...patterns), fc.nat(), (pattern, seed) => {
        expect(stringFromPattern(pattern, seededRandom(seed))).toMatch(new RegExp(`^(?:${pattern})$`))
      }),
    )
  })

  it('refuses a schema that requires itself without end', () => {
    const endless = { type: 'object', properties: { self: { $ref: '#' } }, required: ['self'] }
    expect(() => jsonFromSchema(endless, seededRandom(1))).toThrow(UnusableSchema)
  })

  it('comes as the answer to json_schema, streamed and whole, and as the arguments of a forced tool', async () => {
    const format = { type: 'json_schema', json_schema: { name: 'tree', strict: true, schema: tree } }
    const validator = z.fromJSONSchema(tree as Parameters<typeof z.fromJSONSchema>[0])
    const whole = await simulator.chat('chat', { ...user('make a tree'), response_format: format })
    const { choices } = (await whole.json()) as { choices: { message: { content: string } }[] }
    const forced = await simulator.chat('chat', {
      ...user('go'),
      tools: [{ type: 'function', function: { name: 'plant', parameters: tree } }],
      tool_choice: { type: 'function', function: { name: 'plant' } },
    })
    const called = (await forced.json()) as {
      choices: { finish_reason: string; message: { tool_calls: { function: { arguments: string } }[] } }[]
    }

    expect(validator.safeParse(JSON.parse(choices[0]?.message.content ?? '')).success).toBe(true)
    const args = called.choices[0]?.message.tool_calls[0]?.function.arguments ?? ''
    expect(validator.safeParse(JSON.parse(args)).success).toBe(true)
    expect(called.choices[0]?.finish_reason).toBe('stop')
  })

  it('is an object for json_object, and a schema that cannot be met is a 400', async () => {
    const object = await simulator.chat('chat', { ...user('as json'), response_format: { type: 'json_object' } })
    const { choices } = (await object.json()) as { choices: { message: { content: string } }[] }
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ answer: expect.any(String) as string })

    const json_schema = { name: 'bad', schema: { $ref: '#/nowhere' } }
    const refused = await simulator.chat('chat', {
      ...user('x'),
      response_format: { type: 'json_schema', json_schema },
    })
    expect(refused.status).toBe(400)
  })
})
