// What the JSX of the console becomes (vite.config.mjs): elements of React whose text is made visible, wherever it comes from. Here
// and not on each page, since a page that forgot it would show what it does not see.
import { jsx as element, jsxs as elements, Fragment } from 'react/jsx-runtime'
import { visible } from './visible.js'

export { Fragment }

type Create = typeof element
type Props = Readonly<Record<string, unknown>>

/** Attributes that are read by people. What stands in a field is not among them: it is sent as it is. */
const read = ['title', 'aria-label', 'placeholder', 'alt'] as const

export const jsx: Create = (type, props, key) => element(type, drawn(type, props as Props), key)
export const jsxs: Create = (type, props, key) => elements(type, drawn(type, props as Props), key)

// A component hands on what it is given: only what stands in the document itself is drawn.
function drawn(type: unknown, props: Props): Props {
  if (typeof type !== 'string' && type !== Fragment) return props
  const said = read.filter((name) => typeof props[name] === 'string')
  const attributes = said.map((name) => [name, visible(String(props[name]))])
  const children = 'children' in props ? { children: text(props.children) } : {}
  return { ...props, ...Object.fromEntries(attributes), ...children }
}

function text(child: unknown): unknown {
  if (typeof child === 'string') return visible(child)
  return Array.isArray(child) ? child.map(text) : child
}
