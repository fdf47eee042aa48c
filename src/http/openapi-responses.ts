import { z } from 'zod'
import { responseStatuses } from '../inference/binding'
import { inQuery, type StoredDescription } from './openapi-stored'

const id = z.string().meta({ examples: ['resp_01jcv9x2q3r4s5t6v7w8x9y0z1'] })

export const response = z
  .looseObject({
    id,
    object: z.literal('response'),
    status: z.enum(responseStatuses),
    output: z.array(z.looseObject({})),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int() }).nullable(),
  })
  .meta({ id: 'Response' })

const items = z
  .object({
    object: z.literal('list'),
    data: z.array(z.looseObject({ id: z.string() })),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'ResponseItems' })

const text = { type: 'string' as const }
const include = inQuery('include[]', 'What else to show of it, as OpenAI names it.', text)

/** Stored responses: their answers pass through, with ids of the platform's in place of the account's. */
export const responseDescriptions: readonly StoredDescription[] = [
  {
    name: 'responses.retrieve',
    method: 'get',
    path: '/responses/{id}',
    summary: 'Shows a stored response, or its events where it was made in the background as a stream.',
    query: [
      inQuery('stream', '`true` for its events, those to come included.', text),
      inQuery('starting_after', 'The number of the last event that was seen.', text),
      include,
    ],
    answer: response,
  },
  {
    name: 'responses.delete',
    method: 'delete',
    path: '/responses/{id}',
    summary: 'Deletes a stored response; one in the background is called off.',
    answer: z.object({ id, object: z.literal('response.deleted'), deleted: z.literal(true) }),
  },
  {
    name: 'responses.cancel',
    method: 'post',
    path: '/responses/{id}/cancel',
    summary: 'Calls off a response in the background.',
    answer: response,
  },
  {
    name: 'responses.inputItems',
    method: 'get',
    path: '/responses/{id}/input_items',
    summary: 'Lists what a stored response has read.',
    query: [
      inQuery('limit', 'At most 100; 20 unless it is given.', text),
      inQuery('order', '`asc` or `desc`, which is usual.', text),
      inQuery('after', 'The id of an item behind which the page begins.', text),
      inQuery('before', 'The id of an item before which it ends.', text),
      include,
    ],
    answer: items,
  },
]
