/** What can be asked of a model: where it is asked, and the right that it takes. */
export interface ModelOperation {
  /** Below a deployment, or below `/openai/v1`. */
  readonly path: string
  readonly body: 'json' | 'form'
  /** Where the classic family has it: below the deployment, or below `/openai` with the deployment in the body. */
  readonly classic: 'deployment' | 'account' | 'either'
  /** The first dated version that has it; absent: all have it. */
  readonly since?: string
  /** As Azure's 429 names it. */
  readonly azureName: string
  /** As Azure's 400 names it where the model cannot do it. */
  readonly plainName: string
  /** The data action, after `Microsoft.CognitiveServices/accounts/OpenAI/`. */
  readonly action: string
}

const table = {
  chat: {
    path: 'chat/completions',
    body: 'json',
    classic: 'deployment',
    azureName: 'ChatCompletions_Create',
    plainName: 'chatCompletion',
    action: 'deployments/chat/completions/action',
  },
  completions: {
    path: 'completions',
    body: 'json',
    classic: 'deployment',
    azureName: 'Completions_Create',
    plainName: 'completion',
    action: 'deployments/completions/action',
  },
  responses: {
    path: 'responses',
    body: 'json',
    classic: 'account',
    since: '2025-03-01-preview',
    azureName: 'Responses_Create',
    plainName: 'responses',
    action: 'responses/write',
  },
  embeddings: {
    path: 'embeddings',
    body: 'json',
    classic: 'deployment',
    azureName: 'Embeddings_Create',
    plainName: 'embeddings',
    action: 'deployments/embeddings/action',
  },
  'images.generations': {
    path: 'images/generations',
    body: 'json',
    classic: 'deployment',
    azureName: 'ImageGenerations_Create',
    plainName: 'imageGenerations',
    action: 'images/generations/action',
  },
  'images.edits': {
    path: 'images/edits',
    body: 'form',
    classic: 'either',
    since: '2025-04-01-preview',
    azureName: 'ImageEdits_Create',
    plainName: 'imageEdits',
    action: 'images/generations/action',
  },
  'audio.transcriptions': {
    path: 'audio/transcriptions',
    body: 'form',
    classic: 'deployment',
    azureName: 'Transcriptions_Create',
    plainName: 'audioTranscription',
    action: 'deployments/audio/action',
  },
  'audio.translations': {
    path: 'audio/translations',
    body: 'form',
    classic: 'deployment',
    azureName: 'Translations_Create',
    plainName: 'audioTranslation',
    action: 'deployments/audio/action',
  },
  'audio.speech': {
    path: 'audio/speech',
    body: 'json',
    classic: 'deployment',
    azureName: 'Speech_Create',
    plainName: 'audioSpeech',
    action: 'deployments/audio/action',
  },
} as const satisfies Record<string, ModelOperation>

export type OperationName = keyof typeof table

export const modelOperations: Readonly<Record<OperationName, ModelOperation>> = table

const byPath = new Map<string, OperationName>(
  (Object.keys(table) as OperationName[]).map((name) => [table[name].path, name]),
)

/** The operation at a path below a deployment or below `/openai/v1`. */
export const operationAt = (path: string): OperationName | undefined => byPath.get(path)
