// The console as static files: hashed names, no inline script, nothing fetched from elsewhere.
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
  oxc: { jsx: { runtime: 'automatic' } },
}
