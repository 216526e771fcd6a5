// Light or dark: as the system has it, until somebody chooses.
import { useSyncExternalStore } from 'react'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const stored = 'eventspine-theme'
const listeners = new Set<() => void>()

function chosen(): Theme {
  const text = window.localStorage.getItem(stored)
  return themes.find((theme) => theme === text) ?? 'system'
}

/** Marks the document, before the first paint and at each choice. */
export function applyTheme(theme: Theme = chosen()): void {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme')
  else document.documentElement.dataset.theme = theme
}

export function chooseTheme(theme: Theme): void {
  window.localStorage.setItem(stored, theme)
  applyTheme(theme)
  for (const listener of listeners) listener()
}

export const useTheme = (): Theme =>
  useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, chosen)
