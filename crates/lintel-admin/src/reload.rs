//! `POST /api/v1/reload`: reads the configuration anew. A bad one changes nothing.
//!
//! Who reads files and environment is the binary; here stand the trait it implements and the answer.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::Fact;
use crate::codes;
use crate::operation::Call;
use crate::problem::{Fault, Problem};

/// What a reload came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reloaded {
    /// The hash of the configuration in force now.
    pub config: Arc<str>,
    /// Whether it is another one than before.
    pub changed: bool,
    /// What works and yet should be looked at.
    pub warnings: Vec<Fault>,
}

/// Why a reload changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The new configuration has faults.
    Faulty(Vec<Fault>),
    /// The new configuration is sound, but can't be put in force; the text says why and what to do.
    Failed(String),
}

/// Reads the configuration and puts it in force, or keeps the last good one.
pub trait Reload: Send + Sync {
    /// Reloads on behalf of `actor`. Blocks for the time of reading a file.
    ///
    /// # Errors
    /// [`Kept`]: nothing was changed.
    fn reload(&self, actor: &str) -> Result<Reloaded, Kept>;

    /// Why the last reload changed nothing; none after one that did what it should.
    fn refused(&self) -> Option<Refused>;
}

/// A reload that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refused {
    /// When it was tried, in RFC 3339.
    pub at: String,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

pub(crate) async fn reload(call: Call) -> Result<Fact<Reloaded>, Problem> {
    let actor = call.caller.name;
    let done = call
        .admin
        .blocking(move |admin| Ok(admin.reload.reload(&actor)))
        .await?;
    done.map(Fact).map_err(|kept| match kept {
        Kept::Faulty(faults) => {
            let detail = format!(
                "the configuration has {} problems; the last good one stays in force",
                faults.len()
            );
            Problem::new(&codes::INVALID_CONFIG, detail).with_faults(faults)
        }
        Kept::Failed(why) => Problem::new(&codes::RELOAD_FAILED, why),
    })
}
