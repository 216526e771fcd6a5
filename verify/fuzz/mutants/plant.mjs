// Loaded before anything else by the server under fire: puts the bug that FUZZ_MUTANT names into what is loaded.
import { register } from 'node:module'

register('./loader.mjs', import.meta.url)
