//! Resource rows read back.

use std::sync::Arc;

use lintel_types::{ResourceKind, ResourceRef};
use rusqlite::params;

use super::Queries;
use crate::error::StoreError;

const FIND: &str =
    "SELECT provider, model FROM resources WHERE kind = ?1 AND id = ?2 AND tenant = ?3";

impl Queries {
    /// Where `tenant`'s objects of these ids live, in the order of `objects`: each nearly always nowhere or at one
    /// provider. Nothing tells whether somebody else has one.
    pub fn resources(
        &self,
        tenant: &str,
        objects: &[(ResourceKind, Arc<str>)],
    ) -> Result<Vec<Vec<ResourceRef>>, StoreError> {
        let db = self.ledger()?;
        let read = || {
            let mut find = db.prepare(FIND)?;
            let mut one = |(kind, id): &(ResourceKind, Arc<str>)| {
                let rows = find.query_map(params![kind.name(), &**id, tenant], |row| {
                    Ok(ResourceRef {
                        provider: row.get::<_, String>(0)?.into(),
                        model: row.get::<_, String>(1)?.into(),
                    })
                })?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            };
            objects
                .iter()
                .map(&mut one)
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.ledger_error())
    }
}
