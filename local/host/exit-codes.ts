/** Tells the launcher not to start this host again: a younger one runs the same durable functions. */
export const EXIT_TAKEN_OVER = 3
