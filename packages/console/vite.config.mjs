// The console as static files: hashed names, no inline script, nothing fetched from elsewhere.
import { fileURLToPath } from 'node:url'

export default {
  root: 'web',
  base: '/console/',
  build: {
    emptyOutDir: true,
    target: 'es2023',
    // A file in the HTML would be an inline script or a data: URL to the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // All text that is drawn goes through src/drawn.
  oxc: { jsx: { runtime: 'automatic', importSource: 'drawn' } },
  resolve: {
    // Of the library one file alone is bundled: how text is shown is the same on the terminal.
    alias: {
      'drawn/jsx-runtime': fileURLToPath(new URL('web/src/drawn/jsx-runtime.ts', import.meta.url)),
      'eventspine/text': fileURLToPath(new URL('../eventspine/src/text.ts', import.meta.url)),
    },
  },
}
