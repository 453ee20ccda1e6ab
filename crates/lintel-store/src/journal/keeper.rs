//! The journal's thread: retries what the disk refused and, in `Disk` durability, syncs for everyone at once.
//!
//! Knows no record. Invariant: `durable` never passes a sequence whose bytes a returned `fdatasync` has not covered.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::MutexGuard;

use super::Durability;
use super::shared::Shared;
use super::writer::Writer;

/// Time between two attempts to write to a disk that refuses.
const RETRY: Duration = Duration::from_millis(50);

/// The thread's handle; dropping it ends the thread after a last attempt at everything that is due.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(shared: Arc<Shared>) -> std::io::Result<Keeper> {
        let mine = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("lintel-journal".into())
            .spawn(move || run(&mine))?;
        Ok(Keeper {
            shared,
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        {
            // Under the lock: the thread looks at it before it goes to sleep.
            let _writer = self.shared.writer.lock();
            self.shared.stop.store(true, Ordering::Release);
            self.shared.wake.notify_one();
        }
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to do here.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared) {
    let syncs = shared.durability == Durability::Disk;
    let mut writer = shared.writer.lock();
    loop {
        if !writer.healthy() {
            let outcome = shared.flush(&mut writer).and_then(|()| writer.probe());
            writer.failing = outcome.is_err();
        }
        if syncs && writer.end.sequence > shared.durable_upto() {
            // A failure is kept in `suspect`; the next round tries again.
            let _ = sync(shared, &mut writer);
        }
        shared.publish_health(&writer);
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        let due = syncs && writer.end.sequence > shared.durable_upto();
        if !writer.healthy() {
            shared.wake.wait_for(&mut writer, RETRY);
        } else if !due {
            shared.wake.wait(&mut writer);
        }
    }
}

/// Syncs what is written now, without the lock, and tells everyone who waits.
fn sync(shared: &Shared, writer: &mut MutexGuard<'_, Writer>) -> std::io::Result<()> {
    writer.before_sync()?;
    let upto = writer.end;
    let file = Arc::clone(&writer.file);
    let outcome = MutexGuard::unlocked(writer, || file.sync());
    writer.suspect = outcome.is_err();
    outcome?;
    if writer.end.segment == upto.segment {
        writer.synced = upto;
    }
    shared.durable.send_replace(upto.sequence);
    Ok(())
}
