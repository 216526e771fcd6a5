// How old a reading was when it came in. What a gateway kept for a day while it was cut off is for the charts: nobody is woken for what was
// yesterday. Judged by when it entered the log, and not by when it is handled: a function that is behind is no reason for silence.

export interface Arrival {
  /** When it entered the log, by the clock of whoever published it; in ms since 1970. */
  readonly arrivedMs: number
  /** What was older by then came too late to be told of. */
  readonly ageMsMax: number
}

export const isTooLate = (takenMs: number, { arrivedMs, ageMsMax }: Arrival): boolean =>
  arrivedMs - takenMs > ageMsMax
