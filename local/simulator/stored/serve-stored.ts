import { resourceNotFound } from '../errors'
import { playInsteadOfAnswer } from '../fault-play'
import { firstFor } from '../faults'
import { cancelResponse, deleteResponse, listInputItems, retrieveResponse } from '../responses/stored-responses'
import type { Collection } from '../route'
import type { ServeStored, StoredCall } from './stored-call'

/** What can be asked of each collection, by method and place: `GET {id}/content`. */
const serving: Readonly<Record<Collection, Readonly<Record<string, ServeStored>>>> = {
  responses: {
    'GET {id}': retrieveResponse,
    'DELETE {id}': deleteResponse,
    'POST {id}/cancel': cancelResponse,
    'GET {id}/input_items': listInputItems,
  },
  files: {},
  uploads: {},
  batches: {},
}

/** How the ledger names what an action does not name. */
const names: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'list',
  'GET {id}': 'retrieve',
  'DELETE {id}': 'delete',
}

/** Serves a call for something that an account keeps. Throws InvalidRequest for one that the service would refuse. */
export async function serveStored(call: StoredCall): Promise<void> {
  const { exchange, route, resource, headerFaults } = call
  const { collection, method, id, action } = route
  const asked = `${method}${id === undefined ? '' : ' {id}'}${action === undefined ? '' : `/${action}`}`
  const serve = serving[collection][asked]
  if (serve === undefined) return exchange.refuse(resourceNotFound)
  const operation = `${collection}.${action ?? names[asked] ?? ''}`
  exchange.record.operation = operation
  const fault = firstFor(headerFaults, '') ?? resource.storedFaults.choose(operation)
  if (fault !== undefined && playInsteadOfAnswer(exchange, fault)) return
  return serve(call)
}
