// A list as a table. Only the rows in sight are in the document, so that 100,000 of them are as quick as ten; j and k
// move along the links of their first cells.
import {
  memo,
  type ReactNode,
  type SyntheticEvent,
  type UIEvent,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { visible } from '../drawn/visible.js'
import { entryHere, leftHere } from '../route/place.js'
import { useOffersActs } from './act.js'
import { count } from './format.js'

export interface Column<Item> {
  readonly name: string
  readonly cell: (item: Item) => ReactNode
  /** `number`: set to the right. `wide`: left out on a narrow screen. `long`: takes the room that is left. `hand`: stays in sight. */
  readonly kind?: 'number' | 'wide' | 'long' | 'hand' | 'wide number' | 'wide long'
}

interface RowsProps<Item> {
  /** Said to those who do not see it. */
  readonly caption: string
  readonly columns: readonly Column<Item>[]
  readonly items: readonly Item[]
  /** `at`: its place in the list. Of rows that only pass by, that place is the key: then they are written over, not moved. */
  readonly keyOf: (item: Item, at: number) => string
  /** Asks for the next page; undefined at the end. */
  readonly more?: (() => void) | undefined
  readonly loading?: boolean
  /** What is shown makes way as soon as what was asked for is there. */
  readonly stale?: boolean
}

/** As in rows.css. On a narrow screen a row may be higher: then a list is scrolled through somewhat faster. */
const rowHeight = 36
const rowsBeside = 12
const rowsInSight = 30
const rowAt = (scrollTop: number) => Math.floor(scrollTop / rowHeight)

export function Rows<Item>(props: RowsProps<Item>) {
  const { caption, columns: all, items, keyOf, more, loading = false, stale = false } = props
  const offersActs = useOffersActs()
  const columns = useMemo(() => all.filter(({ kind }) => offersActs || kind !== 'hand'), [all, offersActs])
  const list = useRef<HTMLElement>(null)
  const [first, setFirst] = useState(() => rowAt(leftHere().scrolled.get(caption) ?? 0))
  const place = `${entryHere()} ${caption}`
  const placed = useRef('')
  useLayoutEffect(() => {
    // Of another search the rows are still to come: until then those before stand as they stood.
    if (stale || list.current === null || placed.current === place) return
    placed.current = place
    comeBack(list.current, caption)
    setFirst(rowAt(list.current.scrollTop))
  }, [stale, place, caption])
  const from = Math.max(0, Math.min(first, items.length - rowsInSight) - rowsBeside)
  const until = Math.min(items.length, first + rowsInSight + rowsBeside)
  const scrolled = ({ currentTarget }: UIEvent<HTMLDivElement>) => {
    setFirst(rowAt(currentTarget.scrollTop))
    leftHere().scrolled.set(caption, currentTarget.scrollTop)
    const left = currentTarget.scrollHeight - currentTarget.scrollTop - currentTarget.clientHeight
    if (left < rowHeight * rowsBeside && !loading) more?.()
  }
  return (
    <>
      <section
        ref={list}
        className="rows"
        aria-label={caption}
        aria-busy={stale}
        tabIndex={0}
        onScroll={scrolled}
        onPointerOver={revealed}
        onFocus={revealed}
      >
        <table aria-rowcount={more === undefined ? items.length + 1 : -1}>
          <caption className="unseen">{caption}</caption>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map(({ name, kind }) => (
                <th key={name} scope="col" className={kind}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Gap rows={from} columns={columns.length} />
            {items.slice(from, until).map((item, at) => (
              <Row key={keyOf(item, from + at)} place={from + at + 2} {...{ item, columns }} />
            ))}
            <Gap rows={items.length - until} columns={columns.length} />
          </tbody>
        </table>
      </section>
      <p className="rows-foot faint" role="status">
        {loading
          ? 'Loading more…'
          : `${count(items.length)} shown${more === undefined ? '' : ', more below'}`}
        {more !== undefined && !loading && (
          <button type="button" className="quiet" onClick={more}>
            Load more
          </button>
        )}
      </p>
    </>
  )
}

// To whoever comes back from a row it is where they left it, and the keyboard goes on from there.
function comeBack(list: HTMLElement, caption: string): void {
  const { scrolled, href } = leftHere()
  list.scrollTop = scrolled.get(caption) ?? 0
  const followed = [...list.querySelectorAll('a')].find((link) => link.getAttribute('href') === href)
  const { activeElement } = document
  // The heading has the focus while nothing else was there to take it.
  if (activeElement === document.body || activeElement?.tagName === 'H1')
    followed?.focus({ preventScroll: true })
}

const isCut = ({ scrollWidth, clientWidth }: Element) => clientWidth > 0 && scrollWidth > clientWidth

// What does not fit its cell is read by pointing at it; on a narrow screen it is wrapped (rows.css), since nobody points there. Copied
// it is whole: the text is in the document.
function revealed({ target }: SyntheticEvent): void {
  const cell = target instanceof Element ? target.closest('td') : null
  if (cell === null) return
  const cut = [cell, ...cell.querySelectorAll('*')].some(isCut)
  if (cut) cell.title = visible(cell.textContent)
  else cell.removeAttribute('title')
}

interface RowProps<Item> {
  readonly item: Item
  readonly columns: readonly Column<Item>[]
  readonly place: number
}

// An answer that is asked for again brings the same items, as far as they are the same: those rows are left alone.
const Row = memo(function Row<Item>({ item, columns, place }: RowProps<Item>) {
  return (
    <tr aria-rowindex={place}>
      {columns.map(({ name, kind, cell }) => (
        <td key={name} className={kind}>
          {kind?.includes('long') ? <span className="few-lines">{cell(item)}</span> : cell(item)}
        </td>
      ))}
    </tr>
  )
}) as <Item>(props: RowProps<Item>) => ReactNode

// Holds the place of rows that are not in the document.
function Gap({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  if (rows <= 0) return null
  return (
    <tr aria-hidden="true" className="gap" style={{ height: rows * rowHeight }}>
      <td colSpan={columns} />
    </tr>
  )
}
