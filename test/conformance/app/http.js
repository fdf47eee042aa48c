const { app } = require('@azure/functions')

app.setup({ enableHttpStream: true })

const json = (jsonBody, more = {}) => ({ jsonBody, ...more })
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

app.http('plain', { methods: ['GET'], handler: () => ({ body: 'ok' }) })

app.http('echo', {
  methods: ['POST', 'PUT'],
  handler: async (request) =>
    json({
      method: request.method,
      url: request.url,
      query: Object.fromEntries(request.query),
      header: request.headers.get('x-probe'),
      body: await request.text(),
    }),
})

const routed = (name, route) =>
  app.http(name, { methods: ['GET'], route, handler: (request) => json({ name, params: request.params }) })
routed('itemLiteral', 'items/special')
routed('itemNumber', 'items/{id:int}')
routed('itemPlain', 'items/{name}')
routed('itemRest', 'items/{*rest}')
routed('optional', 'optional/{first}/{second?}')

app.http('throws', {
  handler: () => {
    throw new Error('on purpose')
  },
})
app.http('nothing', { methods: ['GET'], handler: () => undefined })

app.http('cookies', {
  methods: ['GET'],
  handler: () => ({
    status: 201,
    cookies: [
      { name: 'a', value: '1' },
      { name: 'b', value: '2', path: '/', httpOnly: true },
    ],
  }),
})

app.http('events', {
  methods: ['GET'],
  handler: (request) => ({
    headers: { 'content-type': 'text/event-stream' },
    body: events(Number(request.query.get('count') ?? 3), Number(request.query.get('pauseMs') ?? 20)),
  }),
})

let streamsEnded = 0
app.http('streamsEnded', { methods: ['GET'], handler: () => json({ streamsEnded }) })

async function* events(count, pauseMs) {
  try {
    for (let i = 0; i < count; i++) {
      yield Buffer.from(`data: ${i}\n\n`)
      await pause(pauseMs)
    }
  } finally {
    streamsEnded++
  }
}

let release = () => {}
app.http('held', { methods: ['GET'], handler: () => ({ body: held() }) })
app.http('release', { methods: ['GET'], handler: () => ({ body: String(release()) }) })

/** Its second part is made when the first has arrived, and its reader says so. */
async function* held() {
  yield Buffer.from('first')
  await new Promise((resolve) => (release = resolve))
  yield Buffer.from('second')
}

app.http('breaks', {
  methods: ['GET'],
  handler: () => ({
    body: (async function* () {
      yield Buffer.from('first part')
      await pause(20)
      throw new Error('the body broke on purpose')
    })(),
  }),
})

app.http('count', {
  methods: ['POST'],
  handler: async (request) => {
    let bytes = 0
    for await (const chunk of request.body ?? []) bytes += chunk.byteLength
    return json({ bytes })
  },
})

app.http('locked', { methods: ['GET'], authLevel: 'function', handler: () => ({ body: 'open' }) })
app.http('bolted', { methods: ['GET'], authLevel: 'admin', handler: () => ({ body: 'open' }) })

app.http('slow', {
  methods: ['GET'],
  handler: async (request) => {
    await pause(Number(request.query.get('ms') ?? 500))
    return { body: 'done' }
  },
})

let starts = 0
app.hook.appStart(() => void starts++)
app.hook.preInvocation((context) => {
  if (context.invocationContext.functionName !== 'hooked') return
  const original = context.functionHandler
  context.functionHandler = async (...args) => ({ jsonBody: { ...(await original(...args)).jsonBody, before: true } })
})
app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName === 'hooked') context.result.jsonBody.after = true
})
app.http('hooked', { methods: ['GET'], handler: () => json({ starts }) })
