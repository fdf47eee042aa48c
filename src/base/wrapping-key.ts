/** Wraps data keys: a Key Vault key, or a key file on one machine. */
export interface WrappingKey {
  /** `by` names key and version, and is needed to unwrap. */
  wrap(key: Uint8Array): Promise<{ readonly wrapped: Uint8Array; readonly by: string }>
  /** The bytes are the caller's alone, who overwrites them when done. */
  unwrap(wrapped: Uint8Array, by: string): Promise<Uint8Array>
  /** Resolves where its service shows the key to us; absent where it is no service. */
  readonly reach?: () => Promise<void>
}
