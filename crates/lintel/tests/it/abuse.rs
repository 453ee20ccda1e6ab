//! Abuse: what clients and providers should not do, as tables of rows that are each tried at every door and in every
//! phase. `docs/abuse.md` is made from the same tables; `UPDATE_DOCS=1 cargo test -p lintel --test it abuse` writes it.

mod bodies;
mod heads;
mod keyring;
mod leaks;
mod page;
mod requests;
mod upstream;
mod upstream_rows;
mod wire;
mod wire_rows;
