// A link to a page of the console: an ordinary one to the browser, without loading the page anew.
import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react'
import { go, hrefOf, type Params } from './place.js'

interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  readonly to: string
  readonly params?: Params
  readonly children: ReactNode
}

export function Link({ to, params, children, ...rest }: LinkProps) {
  const href = hrefOf(to, params)
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(href)
  }
  return (
    <a {...rest} href={href} onClick={follow}>
      {children}
    </a>
  )
}
