// The row that says who did what, written in the transaction of what was done.

export const insertAudit = `INSERT INTO eventspine.audit (actor, action, target, details) VALUES ($1, $2, $3, $4::json)`
