//! Settled records, their metrics and their log lines; and the documentation against the lists.

mod call_lines;
mod counted;
mod fixture;
mod pages;
mod sampled;
