//! Copying: a database's pages as they stood when a read transaction began, a segment's whole frames.
//!
//! Knows no manifest. Invariants: the read transaction outlives the copy, so that however many steps it takes
//! it is one snapshot; the source's writer is never locked out; a copied segment ends with a whole frame.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::database::Schema;
use crate::error::StoreError;
use crate::journal::whole_frames;
use crate::private;

/// Bytes copied before the thread makes way for others.
const STEP_BYTES: i32 = 4 << 20;
/// How long it then makes way.
const PAUSE: Duration = Duration::from_millis(1);

/// A database as it stands at one moment.
pub(super) struct Snapshot {
    schema: &'static Schema,
    db: Connection,
}

impl Snapshot {
    /// Begins a read transaction on the database in `dir`.
    pub(super) fn begin(schema: &'static Schema, dir: &Path) -> Result<Snapshot, StoreError> {
        let db = schema.read(dir)?;
        let begun = db
            .execute_batch("BEGIN")
            // The transaction begins with the first thing that is read.
            .and_then(|()| db.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(())));
        begun.map_err(StoreError::sql(schema.path(dir)))?;
        Ok(Snapshot { schema, db })
    }

    /// Bytes that a copy takes.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        let pragma = |name: &str| {
            self.db
                .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
        };
        let bytes = pragma("page_count")
            .and_then(|pages| Ok(pages.unsigned_abs() * pragma("page_size")?.unsigned_abs()));
        bytes.map_err(StoreError::sql(self.schema.file))
    }

    /// Copies it into `to`. `more` is told of bytes that were copied and says whether to go on.
    pub(super) fn copy(
        &self,
        to: &Path,
        more: &mut dyn FnMut(u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let path = self.schema.path(to);
        private::open_file(&path).map_err(StoreError::io("make", &path))?;
        let failed = || StoreError::sql(&path);
        let mut copy = Connection::open(&path).map_err(failed())?;
        // The copy counts once it is finished and synced; until then nothing of it is worth a log.
        copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            .map_err(failed())?;
        let step = STEP_BYTES / self.schema.page_bytes.max(1) as i32;
        {
            let backup = Backup::new(&self.db, &mut copy).map_err(failed())?;
            let mut done = 0;
            loop {
                let result = backup.step(step.max(1)).map_err(failed())?;
                let progress = backup.progress();
                let copied = u64::from(progress.pagecount.abs_diff(progress.remaining));
                more((copied - done) * u64::from(self.schema.page_bytes))?;
                done = copied;
                if matches!(result, StepResult::Done) {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        }
        copy.close().map_err(|(_, error)| failed()(error))?;
        let synced = File::open(&path).and_then(|file| file.sync_all());
        synced.map_err(StoreError::io("write", &path))
    }
}

/// Copies the whole frames of a segment. Returns how many there are; none when the segment has no header yet.
pub(super) fn segment(from: &Path, to: &Path) -> Result<Option<u64>, StoreError> {
    let bytes = std::fs::read(from).map_err(StoreError::io("read", from))?;
    let Some((length, frames)) = whole_frames(&bytes) else {
        return Ok(None);
    };
    let written = private::open_file(to).and_then(|mut file| {
        file.write_all(bytes.get(..length).unwrap_or_default())?;
        file.sync_all()
    });
    written.map_err(StoreError::io("write", to))?;
    Ok(Some(frames))
}

/// Makes the name of `file` survive a power cut.
pub(super) fn sync_folder(file: &Path) -> Result<(), StoreError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(StoreError::io("write", folder))
}
