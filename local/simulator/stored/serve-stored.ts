import { cancelBatch, createBatch, listBatches, retrieveBatch } from '../batches/serve-batches'
import { resourceNotFound } from '../errors'
import { playInsteadOfAnswer } from '../fault-play'
import { firstFor } from '../faults'
import {
  cancelJob,
  createJob,
  deleteJob,
  listCheckpoints,
  listEvents,
  listJobs,
  pauseJob,
  resumeJob,
  retrieveJob,
} from '../fine-tuning/serve-jobs'
import { deleteModel } from '../fine-tuning/delete-model'
import { importFile } from '../files/import-file'
import { createFile, deleteFile, fileContent, listFiles, retrieveFile } from '../files/serve-files'
import { addPart, cancelUpload, completeUpload, createUpload } from '../files/serve-uploads'
import { lateMs } from '../inference-call'
import { cancelResponse, deleteResponse, listInputItems, retrieveResponse } from '../responses/stored-responses'
import type { Collection } from '../route'
import { nowMs } from '../ticker-wheel'
import type { ServeStored, StoredCall } from './stored-call'

/** What can be asked of each collection, by method and place: `GET {id}/content`. */
const serving: Readonly<Record<Collection, Readonly<Record<string, ServeStored>>>> = {
  responses: {
    'GET {id}': retrieveResponse,
    'DELETE {id}': deleteResponse,
    'POST {id}/cancel': cancelResponse,
    'GET {id}/input_items': listInputItems,
  },
  files: {
    POST: createFile,
    GET: listFiles,
    'GET {id}': retrieveFile,
    'GET {id}/content': fileContent,
    'DELETE {id}': deleteFile,
    'POST/import': importFile,
  },
  uploads: {
    POST: createUpload,
    'POST {id}/parts': addPart,
    'POST {id}/complete': completeUpload,
    'POST {id}/cancel': cancelUpload,
  },
  batches: {
    POST: createBatch,
    GET: listBatches,
    'GET {id}': retrieveBatch,
    'POST {id}/cancel': cancelBatch,
  },
  'fine_tuning/jobs': {
    POST: createJob,
    GET: listJobs,
    'GET {id}': retrieveJob,
    'DELETE {id}': deleteJob,
    'POST {id}/cancel': cancelJob,
    'POST {id}/pause': pauseJob,
    'POST {id}/resume': resumeJob,
    'GET {id}/events': listEvents,
    'GET {id}/checkpoints': listCheckpoints,
  },
  models: { 'DELETE {id}': deleteModel },
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
  const operation = `${collection.replace('/', '.')}.${action ?? names[asked] ?? ''}`
  exchange.record.operation = operation
  const fault = firstFor(headerFaults, '') ?? resource.storedFaults.choose(operation)
  if (fault !== undefined && playInsteadOfAnswer(exchange, fault)) return
  const late = lateMs(fault)
  if (late > 0) await new Promise<void>((resolve) => resource.wheel.at(nowMs() + late, resolve))
  resource.trainer.settle()
  return serve({ ...call, fault })
}
