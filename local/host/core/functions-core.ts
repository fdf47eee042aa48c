import { Module } from 'node:module'
import type { HostLog, LogLevel } from '../log'
import type { Registry } from './registry'
import type { FunctionCallback, FunctionMetadata, HookCallback, ProgrammingModel } from './worker-types'

const MODULE_ID = '@azure/functions-core'
/** The versions that apps may compare with: a worker and a host that know streaming and log hooks. */
const WORKER_VERSION = '3.10.1'
const HOST_VERSION = '4.1036.0.0'

type Require = (this: unknown, id: string) => unknown

/**
 * Makes `require('@azure/functions-core')` answer with this host, the way the real Node worker does it:
 * `Module.prototype.require` is replaced, which CommonJS apps, ESM apps and their bundles all pass through.
 */
export function installFunctionsCore(registry: Registry, log: HostLog): void {
  const core = createFunctionsCore(registry, log)
  const prototype = Module.prototype as unknown as { require: Require }
  const original = prototype.require
  prototype.require = function (id) {
    return id === MODULE_ID ? core : original.call(this, id)
  }
}

function createFunctionsCore(registry: Registry, log: HostLog) {
  return {
    version: WORKER_VERSION,
    hostVersion: HOST_VERSION,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
      new Disposable(registry.addFunction(metadata, callback)),
    setProgrammingModel: (model: ProgrammingModel) => {
      registry.programmingModel = model
    },
    getProgrammingModel: () => registry.programmingModel,
    registerHook: (name: string, callback: HookCallback) => new Disposable(registry.addHook(name, callback)),
    // The library refuses streaming when this is missing: that is how it recognises an old host.
    log: (level: LogLevel, category: string, message: string) => log.write(level, category, message),
    Disposable,
  }
}

class Disposable {
  private onDispose: (() => unknown) | undefined

  constructor(onDispose: () => unknown) {
    this.onDispose = onDispose
  }

  static from(...parts: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const part of parts) part.dispose()
    })
  }

  dispose(): void {
    this.onDispose?.()
    this.onDispose = undefined
  }
}
