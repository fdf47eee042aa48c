import OpenAI7, { AzureOpenAI as AzureOpenAI7 } from 'openai'
import OpenAI6, { AzureOpenAI as AzureOpenAI6 } from 'openai-6'
import { KEY } from './running'

/**
 * Both majors of the SDK on both URL families. Their types differ in fields that no test here looks at, so all are used
 * as the newer one.
 */
export function sdkClients(url: (path: string) => string, apiVersion = '2025-04-01-preview') {
  const azure = { apiKey: KEY, apiVersion, maxRetries: 0 }
  const v1 = () => ({ apiKey: KEY, baseURL: url('/openai/v1'), maxRetries: 0 })
  return [
    ['openai 7, classic Azure', () => new AzureOpenAI7({ ...azure, endpoint: url('') })],
    ['openai 6, classic Azure', () => new AzureOpenAI6({ ...azure, endpoint: url('') }) as unknown as OpenAI7],
    ['openai 7, v1', () => new OpenAI7(v1())],
    ['openai 6, v1', () => new OpenAI6(v1()) as unknown as OpenAI7],
  ] as const
}
