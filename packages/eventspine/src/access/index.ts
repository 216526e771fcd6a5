// Who may ask, where several servers share it: API keys and sessions of people.

export {
  type AccessPort,
  type NewStoredKey,
  type StoredKey,
  type StoredSession,
  storedKeysMax,
  withdrawnKeysMax,
} from './port.js'
