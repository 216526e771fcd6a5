// Elements made by hand: text is always text, whoever wrote it, since nothing here reads HTML.

type Child = Node | string | null
type Attributes = Readonly<Record<string, string | number | boolean | null>>

/** `make('p', { class: 'faint' }, 'text')`. An attribute that is null or false is left out. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  return furnished(document.createElement(name), attributes, children)
}

export function draw<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  return furnished(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children)
}

function furnished<Of extends Element>(element: Of, attributes: Attributes, children: readonly Child[]): Of {
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  element.append(...children.filter((child) => child !== null))
  return element
}

/** A button that does something. */
export function button(text: string, act: () => unknown, attributes: Attributes = {}): HTMLButtonElement {
  const made = make('button', { type: 'button', ...attributes }, text)
  made.addEventListener('click', () => void act())
  return made
}

/** Writes only what is another one: a text that stays the same costs no layout. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function dress(element: Element, name: string): void {
  if (element.getAttribute('class') !== name) element.setAttribute('class', name)
}

/**
 * Children by key: those that are there are kept, and moved only where their order is another; new ones are made, others removed. `show`
 * writes an item into its element.
 */
export function patch<Item>(
  parent: Element,
  items: readonly Item[],
  keyOf: (item: Item) => string,
  create: (item: Item) => HTMLElement,
  show: (element: HTMLElement, item: Item) => void = () => {},
): void {
  const before = new Map<string, HTMLElement>()
  const wanted = new Set(items.map(keyOf))
  // First: behind one that has gone, all others would stand at another place, and a thousand tiles would be moved.
  for (const child of [...parent.children] as HTMLElement[]) {
    const key = child.dataset['key'] ?? ''
    if (wanted.has(key)) before.set(key, child)
    else child.remove()
  }
  let place = parent.firstElementChild
  for (const item of items) {
    const key = keyOf(item)
    const element = before.get(key) ?? create(item)
    element.dataset['key'] = key
    show(element, item)
    if (element === place) place = place.nextElementSibling
    else parent.insertBefore(element, place)
  }
}
