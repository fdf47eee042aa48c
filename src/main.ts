import './young-objects'
import { app } from '@azure/functions'
import { describeError, createLog } from './base/log'
import { systemClock } from './base/clock'
import { compose } from './compose'
import { readConfig } from './config'
import { registerChecklists } from './functions/durable/register-checklists'
import { beginHosting } from './functions/begin-hosting'
import { beginSharedModel } from './functions/begin-shared-model'
import { beginTuning } from './functions/begin-tuning'
import { beginBatch } from './functions/begin-batch'
import { exportArchive } from './functions/export-archive'
import { inference } from './functions/inference'
import { registerControlPlane } from './functions/register-control-plane'
import { registerTimers } from './functions/timers'
import { directHttp } from './http/direct-http'
import packageJson from '../package.json'

/** Where the Functions host loads the app: the only file that does something when it is imported. */
const log = createLog((line) => void process.stdout.write(`${line}\n`), systemClock.now)
const platform = compose(readConfig(process.env), log, packageJson.version)

app.setup({ enableHttpStream: true })
directHttp(app, 'inference', inference({ ...platform, clock: systemClock }))
registerControlPlane(app, platform.controlPlane, platform.handle)
directHttp(app, 'export-archive', exportArchive(platform.exportArchive))
registerChecklists(platform.checklists)
app.storageQueue('begin-batch', beginBatch(platform))
app.storageQueue('begin-tuning', beginTuning(platform))
app.storageQueue('begin-shared-model', beginSharedModel(platform))
app.storageQueue('begin-hosting', beginHosting(platform))
registerTimers(app, platform.timers)

app.hook.appStart(() =>
  platform.start().catch((error: unknown) => {
    // The host may be up before storage is; the tables are asked for again by whoever needs them first.
    log.error('storage could not be prepared', { error: describeError(error) })
    throw error
  }),
)
app.hook.appTerminate(() => platform.stop())
