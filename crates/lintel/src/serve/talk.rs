//! What an old process and its successor say to each other: one JSON object a line over a socket pair.
//!
//! Knows no store and no call. The two may be of different versions, so what is not known is passed over. Invariant: a
//! wait is bounded, and told from the other side's end.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::serve::development::DevelopmentKey;

/// How long one look for bytes lasts before it is asked whether the wait is still wanted.
const LOOK: Duration = Duration::from_millis(50);
/// A line is shorter than this.
const LONGEST: usize = 64 << 10;

/// What the old process says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(crate) enum Old {
    /// First of all: what can't be another in the successor.
    Hello(Fixed),
    /// The store is the successor's.
    LetGo,
}

/// What the successor says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(crate) enum New {
    /// Its configuration is sound, and it would take over.
    Prepared,
    /// It takes calls.
    Serving,
    /// It ends, for this reason.
    Refused {
        /// The reason.
        why: String,
    },
}

/// What stays the same while one process takes over from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fixed {
    /// `listen`, as configured.
    pub(crate) listen: String,
    /// `admin.listen`, as configured.
    pub(crate) admin: String,
    /// `store`.
    pub(crate) store: String,
    /// `node`.
    pub(crate) node: u16,
    /// The development key, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) development: Option<DevelopmentKey>,
}

/// Why nothing was heard.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Silence {
    /// The other process has ended, or closed its end.
    #[error("it has ended")]
    Gone,
    /// It took too long.
    #[error("it said nothing for {0:?}")]
    TooLong(Duration),
    /// The wait was called off.
    #[error("this process was told to stop meanwhile")]
    CalledOff,
    /// It said what is not understood.
    #[error("it said what is not understood: {0}")]
    Unclear(String),
}

/// One end of the line.
#[derive(Debug)]
pub(crate) struct Talk {
    stream: UnixStream,
    heard: Vec<u8>,
}

impl Talk {
    /// A line over `stream`.
    pub(crate) fn over(stream: UnixStream) -> Self {
        Self {
            stream,
            heard: Vec::new(),
        }
    }

    /// Says something.
    ///
    /// # Errors
    /// When the other side is gone.
    pub(crate) fn say(&mut self, word: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(word)?;
        line.push(b'\n');
        self.stream.write_all(&line)
    }

    /// Waits for the next word, `most` at most, until `off` says that it is not wanted any more.
    ///
    /// # Errors
    /// [`Silence`].
    pub(crate) fn hear<T: DeserializeOwned>(
        &mut self,
        most: Duration,
        off: &dyn Fn() -> bool,
    ) -> Result<T, Silence> {
        let until = Instant::now() + most;
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return serde_json::from_slice(&line)
                    .map_err(|error| Silence::Unclear(error.to_string()));
            }
            if off() {
                return Err(Silence::CalledOff);
            }
            if Instant::now() >= until {
                return Err(Silence::TooLong(most));
            }
            self.look()?;
        }
    }

    fn look(&mut self) -> Result<(), Silence> {
        let mut bytes = [0; 4096];
        let looked = self
            .stream
            .set_read_timeout(Some(LOOK))
            .and_then(|()| self.stream.read(&mut bytes));
        match looked {
            Ok(0) => Err(Silence::Gone),
            Ok(count) => {
                self.heard.extend(bytes.iter().take(count));
                if self.heard.len() > LONGEST {
                    return Err(Silence::Unclear("a line without end".to_owned()));
                }
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted => Ok(()),
                _ => Err(Silence::Gone),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn pair() -> (Talk, Talk) {
        let (one, other) = UnixStream::pair().unwrap();
        (Talk::over(one), Talk::over(other))
    }

    #[test]
    fn words_come_in_order_however_they_are_cut() {
        let (mut old, mut new) = pair();
        let fixed = Fixed {
            listen: "127.0.0.1:1".to_owned(),
            node: 3,
            ..Fixed::default()
        };
        old.say(&Old::Hello(fixed.clone())).unwrap();
        old.stream.write_all(b"{\"say\":\"let_").unwrap();
        old.stream.write_all(b"go\",\"more\":1}\n").unwrap();
        assert_eq!(new.hear(SOON, &|| false), Ok(Old::Hello(fixed)));
        assert_eq!(new.hear(SOON, &|| false), Ok(Old::LetGo));
    }

    #[test]
    fn silence_has_its_reason() {
        let (mut old, new) = pair();
        let hear = |old: &mut Talk, most, off| old.hear::<New>(most, &|| off);
        assert_eq!(
            hear(&mut old, Duration::ZERO, false),
            Err(Silence::TooLong(Duration::ZERO))
        );
        assert_eq!(hear(&mut old, SOON, true), Err(Silence::CalledOff));
        drop(new);
        assert_eq!(hear(&mut old, SOON, false), Err(Silence::Gone));
    }
}
