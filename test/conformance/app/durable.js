const { app } = require('@azure/functions')
const df = require('durable-functions')
const { TableClient } = require('@azure/data-tables')

/** A row for each run of an activity: what the tests count. */
const runs = TableClient.fromConnectionString(process.env.AzureWebJobsStorage, `Runs${process.env.RUN}`, {
  allowInsecureConnection: true,
})
let isTableMade = false
const note = async (name, phase) => {
  if (!isTableMade) await runs.createTable()
  isTableMade = true
  const rowKey = `${Date.now()}-${process.pid}-${Math.random().toString(36).slice(2)}`
  await runs.createEntity({ partitionKey: 'activity', rowKey, what: JSON.stringify({ name, phase, atMs: Date.now() }) })
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

df.app.activity('say', { handler: (text) => `said ${text}` })
df.app.activity('kindOf', { handler: (value) => ({ kind: typeof value, value }) })
df.app.activity('counted', {
  handler: async ({ name, ms = 0 }) => {
    await note(name, 'begin')
    await pause(ms)
    await note(name, 'end')
    return name
  },
})
df.app.activity('failing', {
  handler: () => {
    throw new Error('activity failed on purpose')
  },
})
const attempts = new Map()
df.app.activity('failsTwice', {
  handler: (key) => {
    const attempt = (attempts.get(key) ?? 0) + 1
    attempts.set(key, attempt)
    if (attempt < 3) throw new Error(`attempt ${attempt}`)
    return attempt
  },
})

const counter = (context) => {
  const { df: entity } = context
  const value = entity.getState(() => 0)
  switch (entity.operationName) {
    case 'add':
      return entity.setState(value + (entity.getInput() ?? 1))
    case 'get':
      return entity.return(value)
    case 'fail':
      throw new Error('entity failed on purpose')
    case 'forward':
      return entity.signalEntity(new df.EntityId('counter', entity.getInput()), 'add', 5)
    case 'delete':
      return entity.destructOnExit()
  }
}
df.app.entity('counter', counter)

const orchestrations = {
  *chain(context) {
    const first = yield context.df.callActivity('say', 'a')
    const second = yield context.df.callActivity('say', first)
    return { first, second, input: context.df.getInput() }
  },
  *encodings(context) {
    const values = ['123', 'text', 7, true, null, { a: [1] }, 'ünï"']
    return yield context.df.Task.all(values.map((value) => context.df.callActivity('kindOf', value)))
  },
  *fails(context) {
    yield context.df.callActivity('failing')
  },
  *catches(context) {
    try {
      yield context.df.callActivity('failing')
    } catch (error) {
      return error.message
    }
  },
  *throwsText(context) {
    yield context.df.callActivity('say', 'first')
    throw 'not an error object'
  },
  *retries(context) {
    const options = new df.RetryOptions(20, 5)
    return yield context.df.callActivityWithRetry('failsTwice', options, context.df.instanceId)
  },
  *retriesInVain(context) {
    const options = new df.RetryOptions(20, 3)
    options.backoffCoefficient = 2
    try {
      yield context.df.callActivityWithRetry('failing', options)
    } catch (error) {
      // The numbers of later tasks tell whether host and library still count alike.
      return [error.message, yield context.df.callActivity('say', 'after')]
    }
  },
  *mixed(context) {
    const options = new df.RetryOptions(15, 4)
    const { instanceId } = context.df
    return yield context.df.Task.all([
      context.df.callActivity('say', 'one'),
      context.df.callActivityWithRetry('failsTwice', options, `${instanceId} a`),
      context.df.callSubOrchestrator('child', { text: 'two' }),
      context.df.callActivityWithRetry('failsTwice', options, `${instanceId} b`),
      context.df.callActivity('say', 'three'),
    ])
  },
  *timer(context) {
    const from = context.df.currentUtcDateTime.getTime()
    yield context.df.createTimer(new Date(from + 300))
    return context.df.currentUtcDateTime.getTime() - from
  },
  *event(context) {
    const first = yield context.df.waitForExternalEvent('go')
    const second = yield context.df.waitForExternalEvent('go')
    return [first, second]
  },
  *timeout(context) {
    const waiting = context.df.waitForExternalEvent('go')
    const deadline = context.df.createTimer(
      new Date(context.df.currentUtcDateTime.getTime() + context.df.getInput().ms),
    )
    const winner = yield context.df.Task.any([waiting, deadline])
    if (winner === deadline) return 'timed out'
    deadline.cancel()
    return ['event', winner.result, yield context.df.callActivity('say', 'after')]
  },
  *leftTimer(context) {
    const deadline = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 2_000))
    const winner = yield context.df.Task.any([context.df.callActivity('say', 'x'), deadline])
    return winner.result
  },
  *child(context) {
    const { text, fail } = context.df.getInput()
    if (fail) throw new Error('child failed on purpose')
    return yield context.df.callActivity('say', text)
  },
  *parent(context) {
    const results = [yield context.df.callSubOrchestrator('child', { text: 'x' }, `${context.df.instanceId}-named`)]
    try {
      yield context.df.callSubOrchestrator('child', { fail: true })
    } catch (error) {
      results.push(error.message)
    }
    return results
  },
  *childrenWithRetry(context) {
    const options = new df.RetryOptions(10, 2)
    try {
      yield context.df.callSubOrchestratorWithRetry('child', options, { fail: true })
    } catch (error) {
      return [error.message, yield context.df.callActivity('say', 'after')]
    }
  },
  *again(context) {
    const { left, sum } = context.df.getInput()
    yield context.df.callActivity('say', String(left))
    if (left > 0) context.df.continueAsNew({ left: left - 1, sum: sum + left })
    else return sum
  },
  *status(context) {
    context.df.setCustomStatus({ phase: 'waiting' })
    yield context.df.waitForExternalEvent('go')
    context.df.setCustomStatus({ phase: 'over' })
    return 'ok'
  },
  *entities(context) {
    const id = new df.EntityId('counter', context.df.getInput().key)
    context.df.signalEntity(id, 'add', 2)
    context.df.signalEntity(id, 'add', 3)
    const value = yield context.df.callEntity(id, 'get')
    try {
      yield context.df.callEntity(id, 'fail')
    } catch {
      return [value, 'caught', yield context.df.callActivity('say', 'after')]
    }
  },
  *anyTwice(context) {
    const slow = context.df.waitForExternalEvent('never')
    const first = context.df.callActivity('say', 'a')
    yield context.df.Task.any([first, slow])
    yield context.df.Task.any([first, slow])
    return 'not reached'
  },
  *retryTimeout(context) {
    const options = new df.RetryOptions(10, 3)
    options.retryTimeoutInMilliseconds = 1000
    yield context.df.callActivityWithRetry('failing', options)
  },
  *fanOut(context) {
    const { count } = context.df.getInput()
    const results = yield context.df.Task.all(
      Array.from({ length: count }, (_, i) => context.df.callActivity('kindOf', i)),
    )
    return results.reduce((sum, { value }) => sum + value, 0)
  },
  *large(context) {
    const text = 'x'.repeat(context.df.getInput().characters)
    return yield context.df.callActivity('say', text)
  },
  *everything(context) {
    const { name } = context.df.getInput()
    const counted = (step, ms = 30) => context.df.callActivity('counted', { name: `${name}/${step}`, ms })
    const key = `sum-${name}`
    yield counted('first')
    yield context.df.Task.all([counted('a'), counted('b', 60), counted('c')])
    context.df.signalEntity(new df.EntityId('counter', key), 'add', 3)
    context.df.signalEntity(new df.EntityId('counter', key), 'add', 4)
    yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 200))
    const child = yield context.df.callSubOrchestrator('countedChild', { name: `${name}/child` })
    const sum = yield context.df.callEntity(new df.EntityId('counter', key), 'get')
    const event = yield context.df.waitForExternalEvent('go')
    for (let i = 0; i < 4; i++) yield counted(`loop${i}`)
    return { child, sum, event }
  },
  *countedChild(context) {
    const { name } = context.df.getInput()
    const [one, two] = yield context.df.Task.all([
      context.df.callActivity('counted', { name: `${name}/one`, ms: 40 }),
      context.df.callActivity('counted', { name: `${name}/two`, ms: 40 }),
    ])
    return [one, two]
  },
}
for (const [name, handler] of Object.entries(orchestrations)) df.app.orchestration(name, handler)

const clientInput = df.input.durableClient()
const durableHttp = (name, options, handler) =>
  app.http(`${name}Http`, {
    ...options,
    extraInputs: [clientInput],
    handler: (request, context) => handler(df.getClient(context), request),
  })

durableHttp('start', { route: 'start/{name}/{id}', methods: ['POST'] }, async (client, request) => {
  const { name, id: instanceId } = request.params
  try {
    await client.startNew(name, { instanceId, input: await request.json() })
  } catch (error) {
    return { status: 409, body: error.message }
  }
  return client.createCheckStatusResponse(request, instanceId)
})
durableHttp('run', { route: 'run/{name}', methods: ['POST'] }, async (client, request) => {
  const id = await client.startNew(request.params.name, { input: await request.json() })
  return client.waitForCompletionOrCreateCheckStatusResponse(request, id, {
    timeoutInMilliseconds: 25_000,
    retryIntervalInMilliseconds: 40,
  })
})
durableHttp('status', { route: 'status/{id}', methods: ['GET'] }, async (client, request) => ({
  jsonBody: await client.getStatus(request.params.id),
}))
durableHttp('raise', { route: 'raise/{id}/{event}', methods: ['POST'] }, async (client, request) => {
  await client.raiseEvent(request.params.id, request.params.event, await request.json())
  return { status: 202 }
})
durableHttp('entity', { route: 'entity/{key}', methods: ['GET'] }, async (client, request) => ({
  jsonBody: await client.readEntityState(new df.EntityId('counter', request.params.key)),
}))
durableHttp('signal', { route: 'signal/{key}/{operation}', methods: ['POST'] }, async (client, request) => {
  const { key, operation } = request.params
  await client.signalEntity(new df.EntityId('counter', key), operation, await request.json())
  return { status: 202 }
})
