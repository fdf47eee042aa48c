import { findDirectory, PLATFORM_CLIENT_ID, SIMULATED_SECRET } from '../simulator/entra/directories'

/** A token for the simulated ARM, as the platform's own identity gets one. */
export async function armToken(simulatorUrl: string): Promise<string> {
  const answer = await fetch(`${simulatorUrl}/entra/${findDirectory('platform')?.id}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: PLATFORM_CLIENT_ID,
      client_secret: SIMULATED_SECRET,
      scope: 'https://management.azure.com/.default',
    }),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}
