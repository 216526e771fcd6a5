// Dead letters back to life, and history delivered again.
export type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterState,
  Redrive,
  RedrivePort,
  RedrivePreview,
  RedriveRequest,
  RedriveState,
  Replay,
  ReplayPort,
  ReplayRequest,
} from './port.js'
export {
  checkName,
  checkReason,
  checkRounds,
  checkText,
  completeRedrive,
  redriveDefaults,
  redriveRoundsMax,
} from './request.js'
