// Where the console begins in the browser: the theme before the first paint, the key out of the address, then the pages.
import { QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { client } from './api/asking.js'
import { exchangeKey, SessionGate } from './frame/session.js'
import { applyTheme } from './frame/theme.js'
import { Pages } from './pages.js'
import './style/main.css'

applyTheme()
await exchangeKey()
// In a window that shows the console already, such an address loads nothing anew.
window.addEventListener('hashchange', async () => {
  if (await exchangeKey()) await client.resetQueries()
})
const place = document.getElementById('console')
if (place !== null) {
  createRoot(place).render(
    <QueryClientProvider client={client}>
      <SessionGate>
        <Pages />
      </SessionGate>
    </QueryClientProvider>,
  )
}
