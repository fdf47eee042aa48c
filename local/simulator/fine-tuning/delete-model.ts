import { InvalidRequest } from '../request-fields'
import { inUse, notFoundThing } from '../stored/refusals'
import { sendObject, type ServeStored } from '../stored/stored-call'

/** Deletes a tuned model or a checkpoint. One that is deployed, in whichever account, stays. */
export const deleteModel: ServeStored = (call) => {
  const { store, route, exchange } = call
  const id = route.id ?? ''
  const model = store.models.get(id)
  if (model === undefined) throw new InvalidRequest(notFoundThing(route.family, 'Model', id))
  const [deployment] = call.deploymentsOf(id)
  if (deployment !== undefined) {
    throw new InvalidRequest(
      inUse(route.family, `The model '${id}' cannot be deleted: it is deployed as '${deployment}'.`),
    )
  }
  store.models.delete(id)
  exchange.record.answerId = id
  sendObject(call, { id, object: 'model', deleted: true })
}
