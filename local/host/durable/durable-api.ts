import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerJson, readText } from '../http/host-answers'
import { Routes } from '../http/routes'
import { entityOperations } from './entity-operations'
import { instanceOperations } from './instance-operations'
import type { ApiDeps, ApiOperation } from './api-operation'

const BODY_BYTES_MAX = 16_777_216

/**
 * The HTTP API of durable functions, as in the extension. It is served twice: to the public, with keys, and to the
 * client library in this process over a loopback port, without.
 */
export function createDurableApi(deps: ApiDeps) {
  const routes = new Routes<ApiOperation>()
  for (const { method, route, operation } of [...instanceOperations(deps), ...entityOperations(deps)]) {
    routes.add(route, [method], operation)
  }
  /** `path` is what comes after the API's prefix, with a slash in front. */
  return async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
    const [pathOnly = '', search = ''] = path.split('?', 2)
    const match = routes.match(req.method ?? 'GET', pathOnly)
    if (!match) return answerJson(res, 404)
    const query = new URLSearchParams(search)
    const otherHub = query.get('taskHub')
    if (otherHub !== null && otherHub.toLowerCase() !== deps.address.hubName.toLowerCase()) {
      return answerJson(res, 400, { message: `This host serves the task hub ${deps.address.hubName} only` })
    }
    const body = await readText(req, BODY_BYTES_MAX)
    if (body === undefined) return answerJson(res, 413)
    const { status, json, headers } = await match.value({ params: match.params, query, headers: req.headers, body })
    answerJson(res, status, json, headers)
  }
}
