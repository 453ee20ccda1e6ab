//! One target under libFuzzer: `LINTEL_FUZZ_TARGET` names it. Built by `make fuzz` with coverage of every edge.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use lintel_fuzz::{Target, by_name};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("LINTEL_FUZZ_TARGET").unwrap_or_default();
        by_name(&name).unwrap_or_else(|| panic!("no target is called `{name}`"))
    });
    (target.run)(data);
});
