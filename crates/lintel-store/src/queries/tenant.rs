//! How many rows a tenant has.

use super::Queries;
use crate::erase::Erased;
use crate::error::StoreError;

impl Queries {
    /// What would be erased with `tenant` as things stand. Reads every row of both databases.
    pub fn of_tenant(&self, tenant: &str) -> Result<Erased, StoreError> {
        let ledger = self.ledger()?;
        let count = |db: &rusqlite::Connection, table: &str| {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant = ?1");
            db.query_row(&sql, [tenant], |row| row.get::<_, i64>(0))
                .map(|n| u64::try_from(n).unwrap_or(0))
        };
        let ledger_rows = count(&ledger, "ledger").map_err(self.ledger_error())?;
        let objects = count(&ledger, "resources").map_err(self.ledger_error())?;
        let exchanges = count(&self.log()?, "log").map_err(self.log_error())?;
        Ok(Erased {
            exchanges,
            ledger_rows,
            objects,
        })
    }
}
