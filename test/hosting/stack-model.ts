import { OpenAI, toFile } from 'openai'
import { eventually } from '../conformance/eventually'
import { resourcesOf } from '../harness/azure-resources'
import type { TestStack, TestTenant } from '../harness/stack'
import { jobEnded, lessons } from '../tuning/tuning-stack'

export interface ShownModel {
  readonly id: string
  readonly name: string
  readonly deployment: { readonly state: string }
  readonly history: readonly { readonly event: string; readonly by: string; readonly detail?: string }[]
}

/** What a killed host had under way its successor gets when its lease has run out. */
const WAIT_MS_MAX = 240_000

/** A tenant's tuned model on the real stack, by its API alone. */
export function modelOf(stack: TestStack, { tenantId, apiKey }: TestTenant) {
  const client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey, maxRetries: 0 })
  const ask = async <T>(method: string, path: string, body?: object): Promise<{ status: number; body: T }> => {
    const answer = await fetch(`${stack.baseUrl}/api/tenant${path}`, {
      method,
      headers: { 'api-key': apiKey, 'content-type': 'application/json', 'if-match': '*' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: answer.status, body: (await answer.json()) as T }
  }
  const only = async (): Promise<ShownModel> => {
    const { models } = (await ask<{ models: ShownModel[] }>('GET', '/models')).body
    return (await ask<ShownModel>('GET', `/models/${models[0]?.id}`)).body
  }
  return {
    client,
    ask,
    only,
    train: async () => {
      const file = await client.files.create({ file: await toFile(lessons(10), 'train.jsonl'), purpose: 'fine-tune' })
      const made = await client.fineTuning.jobs.create({ model: 'gpt-4.1-mini-2025-04-14', training_file: file.id })
      const job = await jobEnded(client, made.id)
      if (job.status !== 'succeeded') throw new Error(`${job.status}: ${job.error?.message}`)
      return only()
    },
    /** An answer of whatever kind, as it came. */
    call: (model: string) =>
      fetch(`${stack.baseUrl}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { 'api-key': apiKey, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Question 3?' }], max_tokens: 20 }),
      }),
    isNow: (state: string) =>
      eventually(
        `the model is ${state}`,
        async () => {
          const model = await only()
          return model.deployment.state === state ? model : undefined
        },
        WAIT_MS_MAX,
      ),
    ended: (operationId: string) =>
      eventually(
        `${operationId} has ended`,
        async () => {
          const { body } = await ask<{ state: string }>('GET', `/operations/${operationId}`)
          return body.state === 'running' ? undefined : body
        },
        WAIT_MS_MAX,
      ),
    deployments: async () =>
      (await resourcesOf(stack, tenantId)).filter(
        ({ id, type }) => type.endsWith('/deployments') && !id.endsWith('-chat'),
      ),
    hosted: async () => {
      const { rows } = (
        await ask<{ rows: { operation: string; costMicroUsd: number; calls: number }[] }>(
          'GET',
          '/usage?groupBy=operation',
        )
      ).body
      return rows.find(({ operation }) => operation === 'fine_tuning.hosting')
    },
  }
}

/** Azure takes down what nobody has called for 15 days: 16 of them pass there, and our timer looks. */
export async function passDaysUpstream(stack: TestStack, days = 16): Promise<void> {
  const answer = await fetch(`${stack.simulatorUrl}/simulator/advance`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ hostingSeconds: days * 86_400 }),
  })
  if (!answer.ok) throw new Error(await answer.text())
}

export async function runTimer({ baseUrl }: Pick<TestStack, 'baseUrl'>, name = 'look-after-models'): Promise<void> {
  const answer = await fetch(`${baseUrl}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  })
  if (answer.status !== 202) throw new Error(`${name} answered ${answer.status}`)
}
