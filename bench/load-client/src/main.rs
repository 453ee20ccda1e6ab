//! Bounded HTTP/1.1 load on loopback, from one thread; prints one JSON object.
//!
//! It judges every answer (see `answer.rs`): a run with errors is a failed run, not a fast one.

mod answer;
mod call;
mod pace;
mod plan;
mod response;
mod socket;
mod tally;

use std::cell::RefCell;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::rc::Rc;

use tokio::time::Instant;

use crate::call::Shared;
use crate::plan::Plan;

fn main() -> ExitCode {
    let plan = match Plan::parse(std::env::args().skip(1), |path| std::fs::read(path)) {
        Ok(plan) => plan,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{problem}\n{}", plan::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "load-client: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(plan: Plan) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let connector = socket::Connector::new(&plan)?;
    let shared = Rc::new(Shared {
        connector,
        plan,
        tally: RefCell::default(),
        began: Instant::now(),
    });
    tokio::task::LocalSet::new().block_on(&runtime, pace::run(Rc::clone(&shared)));
    let mut tally = shared.tally.borrow_mut();
    let report = tally.report(shared.began.elapsed());
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
    Ok(())
}
