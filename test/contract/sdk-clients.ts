import * as openai7 from 'openai'
import * as openai6 from 'openai-6'

export type OpenAI = openai7.OpenAI

export interface SdkClient {
  readonly name: string
  readonly sdk: typeof openai7
  make(target: { baseUrl: string; apiKey: string }, more?: object): OpenAI
}

/** The two majors of `openai` that are in use; what a test calls they have in common. */
const majors = { 'openai 7': openai7, 'openai 6': openai6 as unknown as typeof openai7 }

/** Each of them as a client of Azure and as one of v1. Neither retries unless a test says so. */
export const sdkClients: readonly SdkClient[] = Object.entries(majors).flatMap(([name, sdk]) => [
  {
    name: `${name} AzureOpenAI`,
    sdk,
    make: ({ baseUrl, apiKey }, more) =>
      new sdk.AzureOpenAI({ endpoint: baseUrl, apiKey, apiVersion: '2024-10-21', maxRetries: 0, ...more }),
  },
  {
    name: `${name} OpenAI on v1`,
    sdk,
    make: ({ baseUrl, apiKey }, more) =>
      new sdk.OpenAI({ baseURL: `${baseUrl}/openai/v1`, apiKey, maxRetries: 0, ...more }),
  },
])
