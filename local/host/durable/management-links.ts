/** Where the durable API is reached from outside, and with what. */
export interface ApiAddress {
  /** Without a slash at the end, such as `http://localhost:7071/runtime/webhooks/durabletask`. */
  readonly baseUrl: string
  readonly hubName: string
  readonly key: string
}

/** The links to one instance that are handed to outsiders; `{eventName}` and `{text}` are theirs to fill in. */
export function managementLinks({ baseUrl, hubName, key }: ApiAddress, instanceId: string) {
  const query = `taskHub=${hubName}&connection=Storage&code=${encodeURIComponent(key)}`
  const instance = `${baseUrl}/instances/${instanceId}`
  return {
    id: instanceId,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  }
}

/**
 * The data of a durable client binding. With `rpcBaseUrl` (which must end in a slash) the library sends every call
 * there, without a key; the other addresses serve only as links.
 */
export function clientBindingData(address: ApiAddress, rpcBaseUrl: string): string {
  const { baseUrl, hubName, key } = address
  const code = `code=${encodeURIComponent(key)}`
  const create = `${baseUrl}/orchestrators/{functionName}[/{instanceId}]?${code}`
  return JSON.stringify({
    taskHubName: hubName,
    creationUrls: {
      createNewInstancePostUri: create,
      createAndWaitOnNewInstancePostUri: `${create}&timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}`,
    },
    managementUrls: managementLinks(address, 'INSTANCEID'),
    baseUrl,
    requiredQueryStringParameters: code,
    rpcBaseUrl,
  })
}
