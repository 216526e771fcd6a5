// The command palette: to any page by a few letters, or to an event, correlation or dead letter by its id.
import { type KeyboardEvent, useState } from 'react'
import { Dialog } from '../parts/dialog.js'
import { go, hrefOf } from '../route/place.js'
import { type Section, useSections } from './sections.js'

interface Command {
  readonly name: string
  readonly href: string
}

/** Lists that people come for, by the words for what they want to do there. */
const lists = [
  { name: 'Workflows awaiting approval', page: 'workflows', state: 'awaiting-approval' },
  { name: 'Workflows that need attention', page: 'workflows', state: 'needs-attention' },
] as const

function commandsFor(text: string, sections: readonly Section[]): Command[] {
  const wanted = text.trim().toLowerCase()
  const pages = sections
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .map(({ name, page }) => ({ name, href: hrefOf(page) }))
  if (wanted === '') return pages
  const found = lists.filter(({ name }) => name.toLowerCase().includes(wanted))
  const id = text.trim()
  return [
    ...pages,
    ...found.map(({ name, page, state }) => ({ name, href: hrefOf(page, { state }) })),
    { name: `Event ${id}`, href: hrefOf('events', { id }) },
    { name: `Events of the correlation ${id}`, href: hrefOf('events', { correlation: id }) },
    { name: `Events of the type ${id}`, href: hrefOf('events', { type: id }) },
    { name: `Dead letter ${id}`, href: hrefOf('dead-letters', { letter: id }) },
    { name: `Dead letters that say “${id}”`, href: hrefOf('dead-letters', { error: id }) },
  ]
}

export function Palette({ close }: { readonly close: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const commands = commandsFor(text, useSections())
  const run = ({ href }: Command) => {
    close()
    go(href)
  }
  const pressed = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (by !== 0) setAt((at + by + commands.length) % commands.length)
    const chosen = commands[at]
    if (event.key === 'Enter' && chosen !== undefined) run(chosen)
    if (by !== 0 || event.key === 'Enter') event.preventDefault()
  }
  return (
    <Dialog title="Go to" close={close}>
      <input
        role="combobox"
        aria-label="A page, or an id"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={`command-${at}`}
        value={text}
        placeholder="A page, or an id"
        autoComplete="off"
        maxLength={400}
        onKeyDown={pressed}
        onChange={({ target }) => {
          setText(target.value)
          setAt(0)
        }}
      />
      <div id="commands" role="listbox" aria-label="Where to" className="commands">
        {commands.map((command, index) => (
          <div
            key={command.href}
            id={`command-${index}`}
            role="option"
            aria-selected={index === at}
            tabIndex={-1}
            onClick={() => run(command)}
            onKeyDown={pressed}
          >
            {command.name}
          </div>
        ))}
      </div>
    </Dialog>
  )
}
