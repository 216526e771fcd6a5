// The keyboard: the same keys on every page, and none while somebody writes.
import { useEffect } from 'react'
import { rowBehind, type Spot } from './row-behind.js'

export const keysKnown: readonly (readonly [string, string])[] = [
  ['/', 'Search on this page, or where there is nothing to search for on it, go to any'],
  ['j', 'Next row'],
  ['k', 'Row before'],
  ['Enter', 'Open the row'],
  ['Ctrl K', 'Go to any page, event or dead letter (⌘ K on a Mac)'],
  ['?', 'This help'],
  ['Esc', 'Close what is open'],
]

interface Actions {
  readonly help: () => void
  readonly palette: () => void
}

export function useKeys({ help, palette }: Actions): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        return palette()
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return
      if (document.querySelector('dialog[open]') !== null) return
      if (event.key === '?') help()
      else if (event.key === '/') search(palette)
      else if (event.key === 'j') move(1)
      else if (event.key === 'k') move(-1)
      else return
      event.preventDefault()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [help, palette])
}

const isWriting = (target: EventTarget | null) =>
  target instanceof HTMLInputElement ||
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement

function search(palette: () => void): void {
  const field = document.querySelector<HTMLElement>('[data-search]')
  if (field === null) palette()
  else field.focus()
}

// Row by row: the link of its first cell has the focus, or the row itself where there is none.
function move(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.rows tbody tr:not(.gap)')]
  const next = rows[rowBehind(rows.map(spotOf), by)]
  if (next === undefined) return
  const link = next.querySelector<HTMLElement>('td:first-child a')
  if (link === null) next.tabIndex = -1
  const taker = link ?? next
  taker.focus()
}

function spotOf(row: HTMLElement): Spot {
  const { top, bottom } = row.getBoundingClientRect()
  const list = row.closest('.rows')?.getBoundingClientRect()
  const from = Math.max(0, (list?.top ?? 0) + (row.closest('table')?.tHead?.offsetHeight ?? 0))
  const until = Math.min(window.innerHeight, list?.bottom ?? window.innerHeight)
  return {
    chosen: row.contains(document.activeElement),
    inSight: bottom > from && top < until,
    whole: top >= from && bottom <= until,
  }
}
