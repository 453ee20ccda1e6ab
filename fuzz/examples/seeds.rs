//! Writes each target's seeds into a folder and its words into a dictionary, as libFuzzer wants them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of `make fuzz`, which stops when this does"
)]

use std::path::Path;

use lintel_fuzz::{TARGETS, seeds};

fn main() {
    let to = std::env::args().nth(1).unwrap();
    for target in TARGETS {
        let folder = Path::new(&to).join(target.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (at, seed) in seeds(target).iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{at:04}")), seed).unwrap();
        }
        let words: String = target.words.iter().map(|w| quoted(w)).collect();
        std::fs::write(Path::new(&to).join(format!("{}.words", target.name)), words).unwrap();
    }
}

/// One line of a dictionary: <https://llvm.org/docs/LibFuzzer.html#dictionaries>.
fn quoted(word: &str) -> String {
    let escape = |b: u8| match b {
        b'"' | b'\\' => format!("\\{}", char::from(b)),
        b' '..=b'~' => char::from(b).to_string(),
        _ => format!("\\x{b:02x}"),
    };
    format!("\"{}\"\n", word.bytes().map(escape).collect::<String>())
}
