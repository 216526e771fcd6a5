// The head of a page: its name, which is that of the window too, and what can be done there.
import { type ReactNode, useEffect } from 'react'

interface HeadingProps {
  readonly title: string
  /** Where it stands, above it. */
  readonly above?: ReactNode
  readonly children?: ReactNode
}

export function Heading({ title, above, children }: HeadingProps) {
  useEffect(() => {
    document.title = `${title} · Eventspine`
  }, [title])
  return (
    <header className="heading">
      <div>
        {above !== undefined && <p className="above">{above}</p>}
        <h1 tabIndex={-1}>{title}</h1>
      </div>
      {children !== undefined && <div className="actions">{children}</div>}
    </header>
  )
}
