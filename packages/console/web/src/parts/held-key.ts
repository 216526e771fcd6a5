// A key that is held down: the browser says that it is pressed, again and again.
import type { KeyboardEvent } from 'react'

/** Enter acts once: else whoever leans on Enter opens a question, answers it, and opens it again. */
export function once(event: KeyboardEvent): void {
  if (event.repeat && event.key === 'Enter') event.preventDefault()
}
