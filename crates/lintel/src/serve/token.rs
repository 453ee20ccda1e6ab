//! The admin token of this process: from the environment, else from a file that only the owner reads.
//!
//! The file is made once and kept, so that a script's token outlives a restart.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use lintel_admin::mint;

use crate::exit::Failure;

const FILE: &str = "admin.token";
const PREFIX: &str = "at_";
/// With fewer characters a token can be guessed.
const SHORT: usize = 16;

/// Whether `token` can be guessed.
pub(crate) fn is_short(token: &str) -> bool {
    token.len() < SHORT
}

/// The admin token: `given` when the environment names one, else the one in `store`, made when there is none.
/// A short one is taken from the environment when the admin listener is on `loopback`, where scripts come from.
///
/// # Errors
/// When the file can't be made or read, or the token is one that can't be sent or keeps nobody out.
pub(crate) fn admin_token(
    given: Option<String>,
    store: &Path,
    loopback: bool,
) -> Result<String, Failure> {
    let (token, whence, short_will_do, remedy) = match given.filter(|token| !token.is_empty()) {
        Some(token) => (token, "LINTEL_ADMIN_TOKEN".to_owned(), loopback, ""),
        None => {
            let path = store.join(FILE);
            let token = stored(&path).map_err(|error| {
                Failure::failed(format!(
                    "can't keep the admin token in {}: {error}",
                    path.display()
                ))
            })?;
            let remedy = ": remove the file, and the next start makes another";
            (token, path.display().to_string(), false, remedy)
        }
    };
    // What is sent in a header, and compared as it was sent.
    let sendable = token.bytes().all(|byte| byte.is_ascii_graphic());
    if !sendable || is_short(&token) && !short_will_do {
        return Err(Failure::failed(format!(
            "the admin token in {whence} must be {SHORT} or more printable ASCII characters without spaces{}; {PREFIX} and 43 random ones are what lintel itself makes{}",
            if short_will_do {
                " (fewer will do on loopback)"
            } else {
                ""
            },
            remedy
        )));
    }
    Ok(token)
}

fn stored(path: &Path) -> std::io::Result<String> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(file) => make(file).inspect_err(|_| {
            // Half a token would be taken for one at the next start.
            let _ = std::fs::remove_file(path);
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(error),
    }
}

fn make(mut file: File) -> std::io::Result<String> {
    let token = mint::random_text(PREFIX).map_err(std::io::Error::other)?;
    file.write_all(token.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(token)
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    // A copy or an editor may have opened it up; closing it again costs nothing.
    file.set_permissions(Permissions::from_mode(0o600))?;
    let mut token = String::new();
    file.read_to_string(&mut token)?;
    Ok(token.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_file_is_made_once_closed_to_others_and_kept() {
        let scratch = Scratch::new();
        let made = admin_token(None, scratch.path(), true).unwrap();
        assert_eq!(made.len(), 3 + 43);
        let path = scratch.path().join(FILE);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(
            admin_token(Some(String::new()), scratch.path(), true).unwrap(),
            made
        );
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn the_environment_wins_and_leaves_no_file() {
        let scratch = Scratch::new();
        assert_eq!(
            admin_token(Some("a-token-of-my-own".into()), scratch.path(), false).unwrap(),
            "a-token-of-my-own"
        );
        assert!(!scratch.path().join(FILE).exists());
    }

    #[track_caller]
    fn check(given: &str, loopback: bool, taken: bool) {
        let scratch = Scratch::new();
        let token = admin_token(Some(given.into()), scratch.path(), loopback);
        match token {
            Ok(token) => assert!(taken && token == given, "{given:?} was taken"),
            Err(failure) => assert!(
                !taken && failure.text.contains("LINTEL_ADMIN_TOKEN"),
                "{given:?}: {failure}"
            ),
        }
    }

    #[test]
    fn a_short_token_will_do_on_loopback_and_nowhere_else() {
        for short in ["t", "dev", "fifteen-letters"] {
            assert!(is_short(short));
            check(short, true, true);
            check(short, false, false);
        }
        check("sixteen-letters-", false, true);
        assert!(!is_short("sixteen-letters-"));
    }

    #[test]
    fn a_token_that_no_header_carries_is_refused() {
        for never in [
            " ",
            "has spaces in its middle",
            "ends-with-a-newline\n",
            "schlüsselschlüssel",
        ] {
            check(never, true, false);
            check(never, false, false);
        }
    }

    #[test]
    fn a_file_that_keeps_nobody_out_is_refused() {
        let scratch = Scratch::new();
        for weak in ["", "short"] {
            std::fs::write(scratch.path().join(FILE), weak).unwrap();
            let failure = admin_token(None, scratch.path(), true).unwrap_err();
            assert!(failure.text.contains("admin.token"), "{failure}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let failure = admin_token(None, Path::new("/nowhere/at/all"), true).unwrap_err();
        assert!(
            failure.text.contains("/nowhere/at/all/admin.token"),
            "{failure}"
        );
    }
}
