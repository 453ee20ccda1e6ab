//! Resource rows read back.

use lintel_types::{ResourceKind, ResourceRef, Timestamp};
use rusqlite::params;

use super::Queries;
use crate::error::StoreError;

const FIND: &str =
    "SELECT provider, model, made FROM resources WHERE kind = ?1 AND id = ?2 AND tenant = ?3";

impl Queries {
    /// Where `tenant`'s object of this id lives: nearly always nowhere or at one provider. Nothing tells whether
    /// somebody else has one.
    pub fn resource(
        &self,
        tenant: &str,
        kind: ResourceKind,
        id: &str,
    ) -> Result<Vec<ResourceRef>, StoreError> {
        let db = self.ledger()?;
        let read = || {
            db.prepare(FIND)?
                .query_map(params![kind.name(), id, tenant], |row| {
                    Ok(ResourceRef {
                        provider: row.get::<_, String>(0)?.into(),
                        model: row.get::<_, String>(1)?.into(),
                        made: Timestamp::from_micros(row.get(2)?),
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.ledger_error())
    }
}
