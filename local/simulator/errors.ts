/** A refusal ready to send: Azure's and OpenAI's own bodies, so that clients meet here what they meet there. */
export interface Refusal {
  readonly status: number
  /** JSON text. */
  readonly body: string
  /** Names and values in turn. */
  readonly headers?: readonly string[]
}

/** The dialect of an endpoint: Azure's, or that of a plain OpenAI-compatible server. */
export type Dialect = 'azure' | 'compatible'

const azureError = (status: number, code: string, message: string): Refusal => ({
  status,
  body: JSON.stringify({ error: { code, message } }),
})

/** The OpenAI envelope, which Azure uses too once a request has reached the model's own front end. */
export function invalidRequest(
  message: string,
  more: { param?: string | null; code?: string | null; status?: number } = {},
): Refusal {
  const { param = null, code = null, status = 400 } = more
  return { status, body: JSON.stringify({ error: { message, type: 'invalid_request_error', param, code } }) }
}

const badKey: Record<Dialect, Refusal> = {
  azure: azureError(
    401,
    '401',
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
  ),
  compatible: invalidRequest('Incorrect API key provided.', { status: 401, code: 'invalid_api_key' }),
}
export const accessDenied = (dialect: Dialect): Refusal => badKey[dialect]

/** Azure's token front end does not use the error envelope. */
export const badToken: Refusal = {
  status: 401,
  body: JSON.stringify({
    statusCode: 401,
    message:
      'Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.',
  }),
}

export const keysDisabled = azureError(
  403,
  'AuthenticationTypeDisabled',
  'Key based authentication is disabled for this resource.',
)
export const publicAccessDisabled = azureError(
  403,
  '403',
  'Public access is disabled. Please configure private endpoint.',
)
export const otherDirectory = azureError(401, '401', 'Token tenant does not match resource tenant.')
export const lacksDataAction = (principalId: string, { action, operation }: { action: string; operation: string }) =>
  azureError(
    401,
    'PermissionDenied',
    `The principal \`${principalId}\` lacks the required data action \`${action}\` to perform \`${operation}\` operation.`,
  )

export const resourceNotFound = azureError(404, '404', 'Resource not found')

const azureDeploymentNotFound = azureError(
  404,
  'DeploymentNotFound',
  'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
)
export function deploymentNotFound(dialect: Dialect, model: string): Refusal {
  if (dialect === 'azure') return azureDeploymentNotFound
  return invalidRequest(`The model \`${model}\` does not exist or you do not have access to it.`, {
    status: 404,
    code: 'model_not_found',
  })
}

export function operationNotSupported(operation: string, model: string): Refusal {
  return azureError(
    400,
    'OperationNotSupported',
    `The ${operation} operation does not work with the specified model, ${model}. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.`,
  )
}

export const unparsableJson = invalidRequest(
  'We could not parse the JSON body of your request. (HINT: This likely means you aren’t using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)',
)

export const unparsableForm = invalidRequest('Could not parse multipart form')

export const bodyTooLarge = azureError(413, '413', 'The request body is too large.')

export function contextLengthExceeded(tokensMax: number, tokens: number, param = 'messages'): Refusal {
  return invalidRequest(
    `This model's maximum context length is ${tokensMax} tokens. However, your ${param} resulted in ${tokens} tokens. Please reduce the length of the ${param}.`,
    { param, code: 'context_length_exceeded' },
  )
}

export const unsupportedParameter = (param: string, instead?: string): Refusal =>
  invalidRequest(
    `Unsupported parameter: '${param}' is not supported with this model.${instead === undefined ? '' : ` Use '${instead}' instead.`}`,
    { param, code: 'unsupported_parameter' },
  )

export const serverErrorMessage =
  'The server had an error while processing your request. Sorry about that! You can retry your request, or contact us through an Azure support request at: https://go.microsoft.com/fwlink/?linkid=2213926 if you keep seeing this error.'
const serverError = JSON.stringify({
  error: { message: serverErrorMessage, type: 'server_error', param: null, code: null },
})
/** The error of a stream that breaks after its first byte. */
export const serverErrorEvent = `data: ${serverError}\n\n`

export const fullMessage =
  'The deployment is at capacity and cannot take this request now. Please retry, or raise the provisioned throughput.'
/** A throttle that comes inside an answer of 200, before its first token. */
export const throttledEvent = `data: ${JSON.stringify({ error: { message: fullMessage, type: 'too_many_requests', param: null, code: '429' } })}\n\n`

/** The body that the service sends with a status, for faults that are asked for by status. */
export function errorForStatus(status: number): Refusal {
  switch (status) {
    case 401:
      return badToken
    case 403:
      return azureError(403, '403', 'Access denied due to Virtual Network/Firewall rules.')
    case 404:
      return azureDeploymentNotFound
    case 408:
      return azureError(408, 'Timeout', 'The operation was timeout.')
    default:
      return status >= 500
        ? { status, body: serverError }
        : invalidRequest(`The request failed with status ${status}.`, { status })
  }
}

/** What a throttle says about the wait; `headers` beside `retry-after` are the limit's own. */
export function tooManyRequests(message: string, retryAfterMs: number, headers: readonly string[]): Refusal {
  const retryAfter = ['retry-after', String(Math.ceil(retryAfterMs / 1_000)), 'retry-after-ms', String(retryAfterMs)]
  return { ...azureError(429, '429', message), headers: [...retryAfter, ...headers] }
}

export const highDemandMessage = (retryAfterMs: number): string =>
  `The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load. For improved capacity reliability, consider switching to Provisioned Throughput. Please retry after ${Math.ceil(retryAfterMs / 1_000)} seconds.`
