//! Makes certificates for one machine's loopback: `certificates DIRECTORY`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args()
        .nth(1)
        .ok_or("usage: certificates DIRECTORY")?;
    certificates::make(Path::new(&directory))
}
