// Faults of webhooks as dead letters show them: what is wrong, and no insides of the engine.

/** Without the stack: it would show where in the engine it was found, and nothing of the user's. */
export function fault<Kind extends Error>(error: Kind): Kind {
  delete error.stack
  return error
}
