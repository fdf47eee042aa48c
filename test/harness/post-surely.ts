import { randomUUID } from 'node:crypto'
import type { TestStack } from './stack'

/**
 * As a client does whose connection may break: the same request under the same key until it is answered. The first step may begin,
 * and the host be killed, before the request that started the operation has been answered.
 */
export async function postSurely<Answer>(stack: TestStack, path: string, body: object): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${stack.operatorToken}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  }
  for (;;) {
    const answer = await fetch(`${stack.baseUrl}/api/platform${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => undefined)
    if (answer?.status === 202) return JSON.parse(answer.text) as Answer
    // 409: the attempt that broke off still holds the key.
    if (answer && answer.status !== 409) throw new Error(`${answer.status}: ${answer.text}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
