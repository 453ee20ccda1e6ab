//! Asking the person at the terminal before something is done that can't be undone.
//!
//! Where nobody sits there, nothing is assumed: the verb's own flag has to say it.

use std::io::{self, BufRead, IsTerminal};

use crate::exit::{Failure, Why};
use crate::output;

/// Returns whether the person typed `wanted`.
///
/// # Errors
/// [`Why::Usage`] when standard input is no terminal; `flag` is what says it there.
pub(crate) fn typed(question: &str, wanted: &str, flag: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        let text = format!("nobody to ask: standard input is no terminal; say it with {flag}");
        return Err(Failure::new(Why::Usage, text));
    }
    output::print(&format!("{question} "))?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == wanted)
}
