/**
 * The app settings that a backend record may name as holding its key. The settings read them and the operators' API checks
 * against them, so that no record can send another of the app's secrets to a server of an operator's choice.
 */
export const BACKEND_KEY_SETTING = /^(?:AZURE_OPENAI_API_KEY|OPENAI_API_KEY|TENANTRY_BACKEND_KEY_[A-Z0-9_]{1,80})$/
