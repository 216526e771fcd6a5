// The ward as `eventspine dev` and `eventspine start` run it, set by the environment.
import { settingsFrom } from './settings.js'
import { Ward } from './ward.js'

const ward = new Ward(settingsFrom(process.env))

export const { app, prepare } = ward
