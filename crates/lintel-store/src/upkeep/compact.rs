//! Giving free pages back to the disk.
//!
//! Knows no row. Invariant: in a database that can, pages go in steps of some milliseconds; one that can't is written
//! anew only when somebody asks for it.

use std::path::Path;

use rusqlite::Connection;

use super::pace::{Pace, Stop};
use crate::database::{Schema, make_sure_of_room};
use crate::error::StoreError;
use crate::prepare::DATABASES;

/// Free pages beyond one in so many are given back.
const SHARE: i64 = 4;
/// Below so many free bytes it is not worth a look.
const LEAST_BYTES: i64 = 8 << 20;

/// Every database whose free pages are more than a quarter of it.
pub(super) fn worthwhile(dir: &Path, stop: &Stop) -> Result<(), StoreError> {
    for schema in DATABASES {
        let db = schema.open(dir)?;
        let look = || -> rusqlite::Result<bool> {
            let (free, all) = (pragma(&db, "freelist_count")?, pragma(&db, "page_count")?);
            let worth = free * SHARE > all && free * pragma(&db, "page_size")? > LEAST_BYTES;
            Ok(worth && incremental(&db)?)
        };
        if look().map_err(StoreError::sql(schema.path(dir)))? {
            steps(&db, stop).map_err(StoreError::sql(schema.path(dir)))?;
        }
    }
    Ok(())
}

/// Every database, wholly. Returns the bytes that the disk has back.
pub(super) fn all(dir: &Path, stop: &Stop) -> Result<u64, StoreError> {
    let mut back = 0;
    for schema in DATABASES {
        let path = schema.path(dir);
        let length = || std::fs::metadata(&path).map_or(0, |m| m.len());
        let before = length();
        let db = schema.open(dir)?;
        if incremental(&db).map_err(StoreError::sql(&path))? {
            steps(&db, stop).map_err(StoreError::sql(&path))?;
        } else {
            anew(schema, dir, &db)?;
        }
        let truncated = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        truncated.map_err(StoreError::sql(&path))?;
        back += before.saturating_sub(length());
    }
    Ok(back)
}

/// Writes the file anew, such that the next time small steps do.
fn anew(schema: &Schema, dir: &Path, db: &Connection) -> Result<(), StoreError> {
    let path = schema.path(dir);
    let bytes = std::fs::metadata(&path).map_or(0, |m| m.len());
    make_sure_of_room(dir, bytes.saturating_mul(2))?;
    db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;")
        .map_err(StoreError::sql(path))
}

fn steps(db: &Connection, stop: &Stop) -> rusqlite::Result<()> {
    let mut pace = Pace::new(stop);
    while pragma(db, "freelist_count")? > 0 {
        let step =
            pace.portion(|pages| db.execute_batch(&format!("PRAGMA incremental_vacuum({pages})")))?;
        if step.is_none() {
            break;
        }
    }
    Ok(())
}

fn incremental(db: &Connection) -> rusqlite::Result<bool> {
    Ok(pragma(db, "auto_vacuum")? == 2)
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}
