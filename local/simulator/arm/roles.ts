/** A built-in role as far as it matters here. Ids and rights: Azure's built-in roles page. */
export interface Role {
  readonly id: string
  readonly name: string
  /** Whether it holds for an action of the control plane, `Microsoft.CognitiveServices/accounts/write`. */
  readonly allows: (action: string) => boolean
  /** Whether it lets its holder call models. */
  readonly inference: boolean
  /** Whether it lets its holder train models. */
  readonly training: boolean
}

const nothing = () => false
const starting =
  (...starts: readonly string[]) =>
  (action: string) =>
    starts.some((start) => action.toLowerCase().startsWith(start.toLowerCase()))
const isAuthorization = starting('Microsoft.Authorization/')
const isRead = (action: string) => action.endsWith('/read')

const role = (
  id: string,
  name: string,
  allows: Role['allows'] = nothing,
  data: { readonly inference?: boolean; readonly training?: boolean } = {},
): Role => ({
  id,
  name,
  allows,
  inference: data.inference === true,
  training: data.training === true,
})

export const builtInRoles: readonly Role[] = [
  role('8e3af657-a8ff-443c-a75c-2fe8c4bcb635', 'Owner', () => true),
  role('b24988ac-6180-42a0-ab88-20f7382dd24c', 'Contributor', (action) => !isAuthorization(action) || isRead(action)),
  role('acdd72a7-3385-48ef-bd42-f606fba81ae7', 'Reader', isRead),
  role(
    'f58310d9-a9f6-439a-9e8d-f62e7b41a168',
    'Role Based Access Control Administrator',
    (action) => isAuthorization(action) || isRead(action),
  ),
  role(
    '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9',
    'User Access Administrator',
    (action) => isAuthorization(action) || isRead(action),
  ),
  role(
    '25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68',
    'Cognitive Services Contributor',
    (action) => starting('Microsoft.CognitiveServices/')(action) || isRead(action),
  ),
  role(
    'a001fd3d-188f-4b5d-821b-7da978bf7442',
    'Cognitive Services OpenAI Contributor',
    (action) =>
      starting('Microsoft.CognitiveServices/accounts/deployments/')(action) ||
      (isRead(action) && starting('Microsoft.CognitiveServices/', 'Microsoft.Authorization/')(action)),
    { inference: true, training: true },
  ),
  role('53ca6127-db72-4b80-b1b0-d745d6d5456d', 'Azure AI User', isRead, { inference: true, training: true }),
  role(
    '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
    'Cognitive Services OpenAI User',
    (action) => isRead(action) && starting('Microsoft.CognitiveServices/', 'Microsoft.Authorization/')(action),
    { inference: true },
  ),
  role('43d0d8ad-25c7-4714-9337-8ba259a9fe05', 'Monitoring Reader', isRead),
  role('a97b65f3-24c7-4388-baec-2e87135dc908', 'Cognitive Services User', isRead, { inference: true }),
  role(
    '17d1049b-9a84-46fb-8f53-869881c3d3ab',
    'Storage Account Contributor',
    (action) => starting('Microsoft.Storage/')(action) || isRead(action),
  ),
  role('b7e6dc6d-f1e8-4753-8033-0f276bb0955b', 'Storage Blob Data Owner'),
  role('ba92f5b4-2d11-453d-a403-e96b0029c9fe', 'Storage Blob Data Contributor'),
  role('974c5e8b-45b9-4653-ba55-5f855dd0fb88', 'Storage Queue Data Contributor'),
  role('0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3', 'Storage Table Data Contributor'),
]

export const findRole = (idOrName: string) =>
  builtInRoles.find(({ id, name }) => id === idOrName.toLowerCase() || name === idOrName)
