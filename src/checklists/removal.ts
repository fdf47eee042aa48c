/** How far something is that is being deleted; asked again and again until it is gone. */
export type Removal =
  | { readonly kind: 'removed' }
  /** Under way, and asking again shows how far it is: a cloud takes minutes to delete a resource. */
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
