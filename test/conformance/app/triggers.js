const { app, output, trigger } = require('@azure/functions')
const { TableClient } = require('@azure/data-tables')

/** What the tests look at: functions leave a row for each run in the table that RUN names. */
const runs = TableClient.fromConnectionString(process.env.AzureWebJobsStorage, `Runs${process.env.RUN}`, {
  allowInsecureConnection: true,
})
let count = 0
const note = async (name, what) => {
  await runs.createTable()
  const rowKey = `${Date.now()}-${process.pid}-${String(++count).padStart(6, '0')}`
  await runs.createEntity({ partitionKey: name, rowKey, what: JSON.stringify(what) })
}

const onFailure = (text) => {
  if (String(text).includes('fail')) throw new Error('on purpose')
}

app.timer('everySecond', {
  schedule: '* * * * * *',
  handler: (timer) => note('everySecond', { isPastDue: timer.isPastDue, next: timer.scheduleStatus.next }),
})
app.timer('yearly', {
  schedule: '0 0 0 1 1 *',
  handler: (timer) => note('yearly', { isPastDue: timer.isPastDue, schedule: timer.schedule }),
})

app.storageQueue('orders', {
  queueName: 'orders-%RUN%',
  connection: 'AzureWebJobsStorage',
  return: output.storageQueue({ queueName: 'receipts-%RUN%', connection: 'AzureWebJobsStorage' }),
  extraOutputs: [output.storageBlob({ path: 'receipts-%RUN%/{id}/{customer}.txt', connection: 'AzureWebJobsStorage' })],
  handler: async (order, context) => {
    onFailure(order.customer)
    const [blob] = context.options.extraOutputs
    context.extraOutputs.set(blob, `receipt of ${order.customer}`)
    await note('orders', { order, dequeueCount: context.triggerMetadata.dequeueCount })
    return [{ paid: order.customer }, 'thanks']
  },
})

app.storageBlob('uploads', {
  path: 'uploads-%RUN%/{tenant}/{name}.txt',
  connection: 'AzureWebJobsStorage',
  handler: async (content, context) => {
    await note('uploads', { text: content.toString(), metadata: context.triggerMetadata })
    onFailure(content)
  },
})

app.generic('byHand', {
  trigger: trigger.generic({ type: 'manualTrigger' }),
  handler: (input) => note('byHand', { input }),
})
