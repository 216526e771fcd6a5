// The command palette: to any page or part of the system by a few letters, or to an event, correlation or dead letter by its id.
import { type KeyboardEvent, useState } from 'react'
import { useAnswer } from '../api/asking.js'
import type { SystemMap } from '../api/system-views.js'
import { Dialog } from '../parts/dialog.js'
import { go } from '../route/place.js'
import { type Command, commandsFor } from './commands.js'
import { useSections } from './sections.js'
import { useSession } from './session.js'

export function Palette({ close }: { readonly close: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const { tenant } = useSession()
  // It spans tenants: a key of one is not told. Asked once, as the palette opens.
  const map = useAnswer<SystemMap>(tenant === null ? '/v1/map' : undefined, {}, 0)
  const commands = commandsFor(text, useSections(), map.data?.nodes ?? [])
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
        aria-label="A page, a name, or an id"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={`command-${at}`}
        value={text}
        placeholder="A page, a name, or an id"
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
