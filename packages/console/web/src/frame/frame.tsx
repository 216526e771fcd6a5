// What stands around every page: navigation, who is signed in, the theme, help and the palette.
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Dialog } from '../parts/dialog.js'
import { Link } from '../route/link.js'
import { usePlace, whenFree } from '../route/place.js'
import { keysKnown, useKeys } from './keys.js'
import { Palette } from './palette.js'
import { useSections } from './sections.js'
import { useSession } from './session.js'
import { chooseTheme, type Theme, themes, useTheme } from './theme.js'

export function Frame({ children }: { readonly children: ReactNode }) {
  const [open, setOpen] = useState<'help' | 'palette'>()
  useKeys({ help: () => setOpen('help'), palette: () => setOpen('palette') })
  const close = () => setOpen(undefined)
  return (
    <div className="frame">
      <a className="skip" href="#content">
        To the content
      </a>
      <aside>
        <p className="name">
          <Link to="">Eventspine</Link>
        </p>
        <Navigation />
        <div className="frame-foot">
          <button type="button" className="quiet" onClick={() => setOpen('palette')}>
            Go to… <kbd>Ctrl K</kbd>
          </button>
          <button type="button" className="quiet" onClick={() => setOpen('help')}>
            Keys <kbd>?</kbd>
          </button>
          <ThemeSwitch />
          <Person />
        </div>
      </aside>
      <main id="content">{children}</main>
      {open === 'palette' && <Palette close={close} />}
      {open === 'help' && <Help close={close} />}
    </div>
  )
}

// On a narrow screen the names stand in one line, and that of the page may be out of sight.
function useInSight(page: string) {
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    const [line, current] = [list.current, list.current?.querySelector('[aria-current]')]
    if (line === null || !(current instanceof HTMLElement)) return
    line.scrollLeft = current.offsetLeft - line.offsetLeft - (line.clientWidth - current.clientWidth) / 2
  }, [page])
  return list
}

function Navigation() {
  const { page } = usePlace()
  const shown = useSections()
  const list = useInSight(page)
  return (
    <nav aria-label="Pages">
      <ul ref={list}>
        {shown.map((section) => (
          <li key={section.page}>
            <Link to={section.page} aria-current={section.page === page ? 'page' : undefined}>
              {section.name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function ThemeSwitch() {
  const theme = useTheme()
  return (
    <label className="theme">
      Theme
      <select value={theme} onChange={({ target }) => chooseTheme(target.value as Theme)}>
        {themes.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  )
}

const roleSays = {
  viewer: 'viewer: sees, and changes nothing',
  operator: 'operator',
  admin: 'admin',
} as const

function Person() {
  const { actor, tenant, csrf, scopes, role, leave, change } = useSession()
  return (
    <div className="person">
      <p>
        {actor}
        {tenant !== null && <span className="faint"> · {tenant}</span>}
      </p>
      <p className="faint">{role === null ? `may ${scopes.join(', ')}` : roleSays[role]}</p>
      {csrf === null ? (
        <button type="button" onClick={change}>
          Sign in to operate
        </button>
      ) : (
        <button type="button" className="quiet" onClick={() => whenFree(() => void leave())}>
          Sign out
        </button>
      )}
    </div>
  )
}

function Help({ close }: { readonly close: () => void }) {
  return (
    <Dialog title="Keys" close={close}>
      <dl className="facts">
        {keysKnown.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" className="actions">
        <button type="submit">Close</button>
      </form>
    </Dialog>
  )
}
