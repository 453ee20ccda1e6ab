//! The store from outside: processes that die, files that are damaged, random interleavings, questions.

#[path = "../src/samples.rs"]
#[allow(dead_code, reason = "shared with the unit tests, which use all of it")]
mod samples;

#[cfg(test)]
#[path = "it/backup.rs"]
mod backup;
#[cfg(test)]
#[path = "it/damage.rs"]
mod damage;
#[cfg(test)]
#[path = "it/kill.rs"]
mod kill;
#[cfg(test)]
#[path = "it/queries.rs"]
mod queries;
#[cfg(test)]
#[path = "it/random.rs"]
mod random;
