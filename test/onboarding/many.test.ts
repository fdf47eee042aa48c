import { startTestStack } from '../harness/stack'

it('many onboardings at once all complete, each with its limits whole', async () => {
  const stack = await startTestStack()
  try {
    const backendId = await stack.makeBackend('gpt-4.1-mini')
    const ended = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const { onboardingId } = await stack.platform.post<{ onboardingId: string }>('/tenants', {
          displayName: `Tenant ${i}`,
          contact: { email: 'admin@many.example' },
          region: 'swedencentral',
          // A tenant that may call once a minute must not have spent that on its own validation.
          limitOverrides: { requestsPerMinute: 1 },
          aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }] }],
        })
        return stack.platform.ended(onboardingId)
      }),
    )
    expect(ended.filter(({ state }) => state !== 'completed')).toEqual([])
    const shown = await fetch(ended[0]?.credentials?.url ?? '')
    const { apiKey } = (await shown.json()) as { apiKey: string }
    const call = () =>
      fetch(`${stack.baseUrl}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { 'api-key': apiKey, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hi' }] }),
      })
    expect([(await call()).status, (await call()).status]).toEqual([200, 429])
  } finally {
    await stack.stop()
  }
})
