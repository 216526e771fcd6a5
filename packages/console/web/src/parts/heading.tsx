// The head of a page: its name, which is that of the window too, and what can be done there.
import { type ReactNode, useEffect, useRef } from 'react'
import { visible } from '../drawn/visible.js'
import { hasGone } from '../route/place.js'

interface HeadingProps {
  readonly title: string
  /** Where it stands, above it. */
  readonly above?: ReactNode
  readonly children?: ReactNode
}

export function Heading({ title, above, children }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  // What was followed may be gone with its page, and the focus with it: then it is here that reading begins.
  useEffect(() => {
    if (hasGone() && document.activeElement === document.body) heading.current?.focus()
  }, [])
  useEffect(() => {
    document.title = visible(`${title} · Eventspine`)
  }, [title])
  return (
    <header className="heading">
      <div>
        {above !== undefined && <p className="above">{above}</p>}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
      </div>
      {children !== undefined && <div className="actions">{children}</div>}
    </header>
  )
}
