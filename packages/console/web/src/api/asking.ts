// Answers of the API for pages: kept, asked for again while somebody looks, and anew after each change.
import { QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { addressOf, get, type Query } from './client.js'
import { Problem } from './problem.js'
import type { Page } from './views.js'

const retriesMax = 2
/** How often a page that is looked at asks again. */
export const refreshMs = 3_000

export const client = new QueryClient({
  defaultOptions: {
    // Offline is told, as any other failure is. What is held back until the network returns would be carried out behind the back of
    // whoever gave it up meanwhile.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 1_000,
      // A refusal stays one; what did not get through may.
      retry: (failures, error) =>
        failures < retriesMax && error instanceof Problem && (error.status === 0 || error.status >= 502),
    },
  },
})

export interface Asked<Answer> {
  readonly data: Answer | undefined
  /** When the data came, in milliseconds since 1970; 0 before. */
  readonly atMs: number
  readonly problem: Problem | null
  /** It is on its way. */
  readonly asking: boolean
  /** Asks anew, and waits for no answer to what was asked before. */
  readonly again: () => void
}

/** One answer. `everyMs`: 0 asks once; after a refusal it is asked again no later than a page would. An undefined path asks nothing. */
export function useAnswer<Answer>(
  path: string | undefined,
  query: Query = {},
  everyMs = refreshMs,
): Asked<Answer> {
  const { data, dataUpdatedAt, error, isFetching, refetch } = useQuery<Answer, Problem>({
    queryKey: [path, query],
    queryFn: ({ signal }) => get<Answer>(path ?? '', query, signal),
    enabled: path !== undefined,
    refetchInterval: ({ state }) =>
      everyMs === 0 ? false : state.status === 'error' ? Math.min(everyMs, refreshMs) : everyMs,
  })
  return { data, atMs: dataUpdatedAt, problem: error, asking: isFetching, again: () => void refetch() }
}

export interface AskedPages<Item> extends Asked<readonly Item[]> {
  /** Undefined at the end. */
  readonly more: (() => void) | undefined
  readonly loading: boolean
  /** With a pattern: so many were looked at so far. */
  readonly scanned: number | undefined
  /** What is shown was asked for with another search, and stays until the new one is answered. */
  readonly stale: boolean
}

const itemsInPage = 100

/** A list, page after page. Only its first page is asked for again by itself: further ones would move under the eyes. */
export function usePages<Item>(path: string, query: Query = {}): AskedPages<Item> {
  const found = useInfiniteQuery<
    Page<Item>,
    Problem,
    { readonly items: readonly Item[]; readonly scanned: number | undefined },
    readonly unknown[],
    string | undefined
  >({
    queryKey: [path, query, 'pages'],
    queryFn: ({ pageParam, signal }) =>
      get<Page<Item>>(path, { ...query, limit: itemsInPage, cursor: pageParam }, signal),
    initialPageParam: undefined,
    getNextPageParam: (last) => last.cursor ?? undefined,
    select: ({ pages }) => ({
      items: pages.flatMap(({ items }) => items),
      scanned:
        pages[0]?.scanned === undefined
          ? undefined
          : pages.reduce((sum, each) => sum + (each.scanned ?? 0), 0),
    }),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : refreshMs),
    // Else a search through a long log would begin anew for whoever comes back to its window.
    refetchOnWindowFocus: ({ state }) => (state.data?.pages.length ?? 0) <= 1,
    refetchOnReconnect: ({ state }) => (state.data?.pages.length ?? 0) <= 1,
    // Of the same list with another search: the page does not fall empty and fill again at each.
    placeholderData: (before, asked) => (asked?.queryKey[0] === path ? before : undefined),
  })
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage, isPlaceholderData } = found
  return {
    data: data?.items,
    atMs: found.dataUpdatedAt,
    scanned: data?.scanned,
    problem: error,
    asking: found.isFetching,
    again: () => void refetch(),
    more: hasNextPage ? () => void fetchNextPage() : undefined,
    loading: isFetchingNextPage,
    stale: isPlaceholderData,
  }
}

export interface Doing<Input, Answer> {
  readonly run: (input: Input) => Promise<Answer>
  readonly busy: boolean
  readonly problem: Problem | null
  readonly forget: () => void
}

/** A change, one at a time. All that is shown is asked for anew behind it. Whoever leaves before it is answered is not called back:
 *  the page that they look at by then is not the one that asked. */
export function useDoing<Input, Answer>(act: (input: Input) => Promise<Answer>): Doing<Input, Answer> {
  const queries = useQueryClient()
  const isGone = useRef(false)
  const isLeft = useRef(false)
  useEffect(() => {
    isGone.current = false
    return () => {
      isGone.current = true
    }
  }, [])
  const { mutateAsync, isPending, error, reset } = useMutation<Answer, Problem, Input>({
    mutationFn: (input) =>
      act(input).finally(() => {
        isLeft.current = isGone.current
      }),
    onSettled: () => queries.invalidateQueries(),
  })
  // That it is busy is drawn a moment later: a second click before that is the same act.
  const underWay = useRef<Promise<Answer>>(undefined)
  const run = (input: Input) => {
    underWay.current ??= begun(input)
    return underWay.current
  }
  const begun = (input: Input) =>
    new Promise<Answer>((resolve, reject) => {
      const unlessLeft = (settle: () => void) => !isLeft.current && settle()
      const ended = mutateAsync(input).finally(() => {
        underWay.current = undefined
      })
      ended.then(
        (answer) => unlessLeft(() => resolve(answer)),
        (problem: unknown) => unlessLeft(() => reject(problem)),
      )
    })
  return { run, busy: isPending, problem: error, forget: reset }
}

export { addressOf }
