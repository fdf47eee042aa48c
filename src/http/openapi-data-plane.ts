import { z } from 'zod'
import type { Operation, OperationName } from '../inference/operation'
import { operations } from '../inference/operations'
import type { OpenApiOperation, OpenApiParameter, OpenApiResponse } from './openapi-document'
import { batchDescriptions } from './openapi-batches'
import { fileDescriptions } from './openapi-files'
import { response, responseDescriptions } from './openapi-responses'
import type { SchemaCollection } from './openapi-schemas'
import { addStored } from './openapi-stored'

/**
 * The model calls, one path of each URL family. Bodies and answers are OpenAI's own and pass through; described is what the
 * platform itself reads. A new operation does not compile until it is described here.
 */
export function addDataPlane(
  paths: Record<string, Record<string, OpenApiOperation>>,
  collection: SchemaCollection,
): void {
  for (const operation of operations) {
    paths[`/openai/v1${operation.path}`] = {
      [operation.method.toLowerCase()]: callOf(collection, operation, 'v1'),
    }
    paths[`/openai/deployments/{deployment}${operation.path}`] = {
      [operation.method.toLowerCase()]: callOf(collection, operation, 'deployments'),
    }
  }
  paths['/openai/v1/models'] = { get: modelsOf(collection) }
  addStored(
    paths,
    collection,
    [...fileDescriptions, ...batchDescriptions, ...responseDescriptions],
    refusals(collection),
  )
}

const usage = z
  .looseObject({ prompt_tokens: z.int(), completion_tokens: z.int().optional(), total_tokens: z.int() })
  .meta({ id: 'TokenUsage' })

const images = z
  .looseObject({ created: z.int(), data: z.array(z.looseObject({})), usage: z.looseObject({}).optional() })
  .meta({ id: 'Images' })
const file = z.string().meta({ description: 'A file.', format: 'binary' })
const soundToText = z.looseObject({
  model: z.string().meta({ description: 'One of your model aliases.', examples: ['ear'] }),
  file,
  response_format: z.string().optional().meta({ description: '`json`, `text`, `srt`, `verbose_json` or `vtt`.' }),
})
const transcript = z.looseObject({ text: z.string() }).meta({ id: 'Transcript' })

const calls: Record<OperationName, { summary: string; request: z.ZodObject; answer: z.ZodType }> = {
  'chat.completions': {
    summary: 'Answers a conversation, at once or as a stream of events.',
    request: z.looseObject({
      model: z.string().meta({ description: 'One of your model aliases.', examples: ['chat'] }),
      messages: z
        .array(z.looseObject({ role: z.string().meta({ examples: ['user'] }), content: z.unknown().optional() }))
        .min(1)
        .meta({ examples: [[{ role: 'user', content: 'Hello' }]] }),
      stream: z.boolean().optional(),
      max_completion_tokens: z.int().min(1).optional().meta({ description: 'Up to the alias’s cap.' }),
    }),
    answer: z
      .looseObject({ id: z.string(), object: z.string(), choices: z.array(z.looseObject({})), usage: usage.optional() })
      .meta({ id: 'ChatCompletion' }),
  },
  completions: {
    summary: 'Goes on with a text, at once or as a stream of events.',
    request: z.looseObject({
      model: z.string().meta({ description: 'One of your model aliases.', examples: ['instruct'] }),
      prompt: z.union([z.string(), z.array(z.string()), z.array(z.int())]).meta({ examples: ['Once upon a time'] }),
      stream: z.boolean().optional(),
      max_tokens: z.int().min(1).optional().meta({ description: 'Up to the alias’s cap.' }),
    }),
    answer: z
      .looseObject({ id: z.string(), object: z.string(), choices: z.array(z.looseObject({})), usage: usage.optional() })
      .meta({ id: 'Completion' }),
  },
  responses: {
    summary: 'Answers in items, at once, as a stream of events, or in the background.',
    request: z.looseObject({
      model: z.string().meta({ description: 'One of your model aliases.', examples: ['chat'] }),
      input: z.union([z.string(), z.array(z.looseObject({}))]).meta({ examples: ['Hello'] }),
      instructions: z.string().optional(),
      stream: z.boolean().optional(),
      max_output_tokens: z.int().min(1).optional().meta({ description: 'Up to the alias’s cap.' }),
      store: z.boolean().optional().meta({ description: 'Kept for 30 days unless it is false.' }),
      background: z.boolean().optional().meta({ description: 'Answered at once; ask for it later by its id.' }),
      previous_response_id: z.string().optional().meta({ description: 'A stored response of yours to go on from.' }),
    }),
    answer: response,
  },
  embeddings: {
    summary: 'Turns text into vectors.',
    request: z.looseObject({
      model: z.string().meta({ description: 'One of your model aliases.', examples: ['embed'] }),
      input: z.union([z.string(), z.array(z.string()), z.array(z.int())]).meta({ examples: ['Hello'] }),
    }),
    answer: z
      .looseObject({ object: z.string(), data: z.array(z.looseObject({})), usage: usage.optional() })
      .meta({ id: 'Embeddings' }),
  },
  'images.generations': {
    summary: 'Draws images from a description.',
    request: z.looseObject({
      model: z.string().meta({ description: 'One of your model aliases.', examples: ['image'] }),
      prompt: z.string().meta({ examples: ['A lighthouse at dawn'] }),
      n: z.int().min(1).max(10).optional(),
      stream: z.boolean().optional(),
    }),
    answer: images,
  },
  'images.edits': {
    summary: 'Draws images from others and a description.',
    request: z.looseObject({
      model: z.string().meta({ description: 'One of your model aliases.', examples: ['image'] }),
      image: file,
      prompt: z.string().meta({ examples: ['The same by night'] }),
      n: z.int().min(1).max(10).optional(),
    }),
    answer: images,
  },
  'audio.transcriptions': {
    summary: 'Writes down what is said, in its own language.',
    request: soundToText,
    answer: transcript,
  },
  'audio.translations': { summary: 'Writes down what is said, in English.', request: soundToText, answer: transcript },
  'audio.speech': {
    summary: 'Speaks a text.',
    request: z.looseObject({
      model: z.string().meta({ description: 'One of your model aliases.', examples: ['voice'] }),
      input: z
        .string()
        .max(4_096)
        .meta({ examples: ['Hello'] }),
      voice: z.string().meta({ examples: ['alloy'] }),
    }),
    answer: z.string().meta({ description: 'Sound, in the format that was asked for.' }),
  },
}

const models = z
  .object({
    object: z.literal('list'),
    data: z.array(z.object({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })),
  })
  .meta({ id: 'Models' })

const openAiError = z
  .object({
    error: z.looseObject({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: 'OpenAiError' })

const security = [{ apiKey: [] }, { bearer: [] }]

const ofDeployment: OpenApiParameter[] = [
  {
    name: 'deployment',
    in: 'path',
    required: true,
    description: 'One of your model aliases.',
    schema: { type: 'string' },
  },
  {
    name: 'api-version',
    in: 'query',
    required: true,
    description: 'Azure OpenAI’s, such as `2024-10-21`.',
    schema: { type: 'string', examples: ['2024-10-21'] },
  },
]

function callOf(
  collection: SchemaCollection,
  { name, events: shape, body: kind, answersBytes }: Operation,
  family: 'v1' | 'deployments',
): OpenApiOperation {
  const { summary, request, answer } = calls[name]
  const body = family === 'v1' ? request : request.partial({ model: true })
  const answers = { [answersBytes ? 'audio/*' : 'application/json']: { schema: collection.add(answer, 'output') } }
  const type = kind === 'form' ? 'multipart/form-data' : 'application/json'
  const events = { 'text/event-stream': { schema: { type: 'string' } } }
  return {
    operationId: `${name.replaceAll(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())}${family === 'v1' ? '' : 'ByDeployment'}`,
    tags: ['Inference'],
    summary: family === 'v1' ? summary : `${summary} Azure OpenAI’s URL.`,
    security,
    parameters: family === 'v1' ? [] : ofDeployment,
    requestBody: { required: true, content: { [type]: { schema: collection.add(body, 'input') } } },
    responses: {
      200: { description: 'As OpenAI answers.', content: shape ? { ...answers, ...events } : answers },
      ...refusals(collection),
    },
    'x-permission': 'inference.call',
  }
}

function modelsOf(collection: SchemaCollection): OpenApiOperation {
  return {
    operationId: 'listModels',
    tags: ['Inference'],
    summary: 'Lists the model aliases that this credential may use.',
    security,
    parameters: [],
    responses: {
      200: {
        description: 'The aliases.',
        content: { 'application/json': { schema: collection.add(models, 'output') } },
      },
      ...refusals(collection),
    },
  }
}

function refusals(collection: SchemaCollection): Record<string, OpenApiResponse> {
  const content = { 'application/json': { schema: collection.add(openAiError, 'output') } }
  return { default: { description: 'OpenAI’s error body, with a code of the platform or of the provider.', content } }
}
