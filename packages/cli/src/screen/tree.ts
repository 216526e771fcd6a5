// A tree drawn with lines.
import { dim, type Text } from './text.js'

export interface Branch {
  readonly text: Text
  readonly children: readonly Branch[]
}

const linesMax = 500

/** One line per node, the root first; at most 500. */
export function tree(root: Branch): Text[] {
  const lines: Text[] = [root.text]
  grow(root.children, '', lines)
  if (lines.length <= linesMax) return lines
  return [...lines.slice(0, linesMax), dim(`… ${lines.length - linesMax} more`)]
}

function grow(children: readonly Branch[], indent: string, lines: Text[]): void {
  children.forEach((child, index) => {
    const isLast = index === children.length - 1
    lines.push([dim(`${indent}${isLast ? '└─ ' : '├─ '}`), child.text])
    grow(child.children, `${indent}${isLast ? '   ' : '│  '}`, lines)
  })
}
