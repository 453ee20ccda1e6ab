//! Work that gives way: backups and upkeep run when nobody else wants the processor.

/// Takes the processor only when nobody else wants it, from now on and for this thread alone: Linux counts
/// niceness by thread. Where the system refuses, the thread works on as it was.
pub(crate) fn low() {
    let _ = rustix::process::setpriority_process(None, 10);
}
